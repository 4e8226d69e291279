"""Plots of a search: its history, and the importance of the options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.report.plots import draw_figure
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgeemo.tune.trials import Objective, Trial

_STATES = (("complete", "completed", "o", "#0969da"), ("pruned", "stopped early", "x", "#bf8700"))
"""State of a trial, its name in the legend, marker and colour."""

_BLUE, _GREEN, _GREY = "#0969da", "#1a7f37", "#57606a"


def plot_history(
    path: Path,
    trials: Sequence[Trial],
    *,
    best: Trial,
    front: Sequence[Trial],
    objective: Objective,
) -> Path:
    """Draw the value of every trial by number, and its accuracy against its parameters.

    Args:
        path: The PNG to write.
        trials: All trials.
        best: The trial that becomes the model.
        front: The Pareto front, as of `edgeemo.tune.trials.find_front`.
        objective: The value to draw.

    Returns:
        `path`.
    """
    with draw_figure(path, width=10.4, height=4.4) as drawn:
        left, right = drawn.subplots(1, 2)
        for state, name, mark, tone in _STATES:
            shown = [each for each in trials if each.state == state and each.accuracy is not None]
            if not shown:
                continue
            values = [getattr(trial, objective) for trial in shown]
            style = {"s": 30, "marker": mark, "color": tone}
            left.scatter([trial.number for trial in shown], values, label=name, **style)
            sizes = [trial.footprint.parameters for trial in shown if trial.footprint]
            right.scatter(sizes, [trial.accuracy for trial in shown], **style)
        _draw_best(left, trials, objective)
        _draw_front(right, front)
        left.plot([best.number], [getattr(best, objective)], "o", ms=12, mfc="none", mec=_GREEN)
        if best.footprint:
            right.plot([best.footprint.parameters], [best.accuracy], "o", ms=12, mfc="none",
                       mec=_GREEN, label=f"trial {best.number}, the model", ls="")  # fmt: skip
        left.set(xlabel="trial", ylabel=f"validation {objective}", title="Search history")
        left.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        right.set(
            xlabel="parameters", ylabel="validation accuracy", title="Accuracy against parameters"
        )
        drawn_at = [
            t.footprint.parameters for t in trials if t.footprint and t.accuracy is not None
        ]
        _scale_logarithmically(right, drawn_at)
        for axis in (left, right):
            axis.grid(alpha=0.3)
        drawn.legend(loc="outside lower center", frameon=False, ncols=5)
    return path


def plot_importances(path: Path, importances: Mapping[str, float], *, completed: int) -> Path:
    """Draw the importance of each option as bars, or a sentence if there are too few trials.

    Args:
        path: The PNG to write.
        importances: As of `edgeemo.tune.study.Study.compute_importances`.
        completed: Number of completed trials.

    Returns:
        `path`.
    """
    with draw_figure(path, width=7.2, height=max(2.4, 1.4 + 0.36 * len(importances))) as drawn:
        axis = drawn.subplots()
        axis.set(title=f"Importance after {plural(completed, 'completed trial')} (PED-ANOVA)")
        if not importances:
            axis.set_axis_off()
            axis.text(0.5, 0.5, "too few trials or choices", ha="center")
            return path
        names = list(importances)[::-1]
        bars = axis.barh(names, [importances[name] for name in names], color=_BLUE)
        axis.bar_label(bars, [f"{importances[name]:.0%}" for name in names], padding=3)
        axis.set(xlabel="share of the importance", xlim=(0, 1.1 * max(importances.values()) + 0.02))
        axis.grid(axis="x", alpha=0.3)
        axis.set_axisbelow(True)
    return path


def _draw_best(axis: Any, trials: Sequence[Trial], objective: Objective) -> None:
    """Draw the best completed value so far as a step line."""
    numbers: list[int] = []
    values: list[float] = []
    better = max if objective == "accuracy" else min
    for trial in trials:
        value = getattr(trial, objective)
        if trial.state == "complete" and value is not None:
            numbers.append(trial.number)
            values.append(better(value, values[-1]) if values else value)
    axis.step(numbers, values, where="post", color=_GREY, lw=1, label="best so far")


def _scale_logarithmically(axis: Any, values: Sequence[int]) -> None:
    """Make an axis logarithmic, with plain numbers at 1, 2 and 5 times each power of ten."""
    low, high = min(values) / 1.4, max(values) * 1.4
    ticks = [lead * 10**power for power in range(12) for lead in (1, 2, 5)]
    shown = [tick for tick in ticks if low <= tick <= high]
    axis.set(xscale="log", xlim=(low, high))
    axis.set_xticks(shown, [f"{tick:,}" for tick in shown], rotation=30)
    axis.set_xticks([], minor=True)


def _draw_front(axis: Any, front: Sequence[Trial]) -> None:
    """Draw the Pareto front as a step line."""
    points = sorted(
        (trial.footprint.parameters, trial.accuracy or 0.0) for trial in front if trial.footprint
    )
    axis.step(
        [point[0] for point in points],
        [point[1] for point in points],
        where="post",
        color=_GREY,
        ls="--",
        lw=1,
        label="front",
    )
