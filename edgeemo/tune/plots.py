"""Two images of a search: how it went, and what mattered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.report.plots import draw_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgeemo.tune.record import Objective, Trial

_STATES = (("complete", "completed", "o", "#0969da"), ("pruned", "ended early", "x", "#bf8700"))
"""State, what it is called, its mark and its colour."""

_BLUE, _GREEN, _GREY = "#0969da", "#1a7f37", "#57606a"


def plot_history(
    path: Path,
    trials: Sequence[Trial],
    *,
    best: Trial,
    front: Sequence[Trial],
    objective: Objective,
) -> Path:
    """Every trial's value by number with the best so far; and accuracy against parameters.

    Args:
        path: The PNG to write.
        trials: All trials.
        best: The one that is made a model.
        front: As of `edgeemo.tune.record.front`.
        objective: What is drawn on the left.
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
        _draw_leaders(left, trials, objective)
        _draw_front(right, front)
        left.plot([best.number], [getattr(best, objective)], "o", ms=12, mfc="none", mec=_GREEN)
        if best.footprint:
            right.plot([best.footprint.parameters], [best.accuracy], "o", ms=12, mfc="none",
                       mec=_GREEN, label=f"trial {best.number}, made the model", ls="")  # fmt: skip
        left.set(xlabel="trial", ylabel=f"validation {objective}", title="How the search went")
        left.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        right.set(xlabel="parameters", ylabel="validation accuracy", title="What accuracy costs")
        drawn_at = [
            t.footprint.parameters for t in trials if t.footprint and t.accuracy is not None
        ]
        _scale_by_factors(right, drawn_at)
        for axis in (left, right):
            axis.grid(alpha=0.3)
        drawn.legend(loc="outside lower center", frameon=False, ncols=5)
    return path


def plot_importances(path: Path, importances: Mapping[str, float], *, completed: int) -> Path:
    """How much each choice mattered, as bars; a sentence where too few trials tell.

    Args:
        path: The PNG to write.
        importances: As of `edgeemo.tune.study.Study.importances`.
        completed: Number of completed trials.
    """
    with draw_figure(path, width=7.2, height=max(2.4, 1.4 + 0.36 * len(importances))) as drawn:
        axis = drawn.subplots()
        axis.set(title=f"What mattered, after {completed} completed trials (PED-ANOVA)")
        if not importances:
            axis.set_axis_off()
            axis.text(0.5, 0.5, "too few trials, or too few choices, to tell", ha="center")
            return path
        names = list(importances)[::-1]
        bars = axis.barh(names, [importances[name] for name in names], color=_BLUE)
        axis.bar_label(bars, [f"{importances[name]:.0%}" for name in names], padding=3)
        axis.set(xlabel="share of the importance", xlim=(0, 1.1 * max(importances.values()) + 0.02))
        axis.grid(axis="x", alpha=0.3)
        axis.set_axisbelow(True)
    return path


def _draw_leaders(axis: Any, trials: Sequence[Trial], objective: Objective) -> None:
    """A step line of the best completed value so far."""
    numbers: list[int] = []
    values: list[float] = []
    better = max if objective == "accuracy" else min
    for trial in trials:
        value = getattr(trial, objective)
        if trial.state == "complete" and value is not None:
            numbers.append(trial.number)
            values.append(better(value, values[-1]) if values else value)
    axis.step(numbers, values, where="post", color=_GREY, lw=1, label="best so far")


def _scale_by_factors(axis: Any, values: Sequence[int]) -> None:
    """A logarithmic axis with plain numbers at 1, 2 and 5 of each power of ten."""
    low, high = min(values) / 1.4, max(values) * 1.4
    ticks = [lead * 10**power for power in range(12) for lead in (1, 2, 5)]
    shown = [tick for tick in ticks if low <= tick <= high]
    axis.set(xscale="log", xlim=(low, high))
    axis.set_xticks(shown, [f"{tick:,}" for tick in shown], rotation=30)
    axis.set_xticks([], minor=True)


def _draw_front(axis: Any, front: Sequence[Trial]) -> None:
    """A step line through the trials of which none is beaten in all."""
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
