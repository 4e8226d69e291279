"""The trials of a search: what each was and came to, which is best, and ``study.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from edgeemo.errors import LimitError, StudyError
from edgeemo.utils.files import replacing
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgeemo.tune.limits import Footprint, Limits

State = Literal["complete", "pruned", "outside", "failed", "running"]
Objective = Literal["accuracy", "loss"]

OBJECTIVES: tuple[Objective, ...] = ("accuracy", "loss")

_COLUMNS = (
    "trial", "state", "val_accuracy", "val_loss", "epoch", "epochs_run", "arch", "size", "lr",
    "augment", "parameters", "multiply_adds", "int8_bytes", "seconds", "front", "why",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial.

    Attributes:
        number: Its number in the study, from 0.
        state: "complete"; "pruned": ended early, or run away; "outside": beyond the limits, so
            never trained; "failed": interrupted; "running": here or elsewhere, or killed.
        chosen: What it chose, as `edgeemo.tune.space.Space.draw` gave it.
        footprint: What its network costs; None where that is not known yet.
        accuracy: Share of the validation split answered rightly after the best epoch, 0 to 1.
        loss: The mean loss there, in nats.
        epoch: The best epoch, from 1.
        epochs_run: Epochs that it was trained.
        seconds: How long that took.
        why: Why it was not completed, in words.
    """

    number: int
    state: State
    chosen: Mapping[str, Any] = field(default_factory=dict)
    footprint: Footprint | None = None
    accuracy: float | None = None
    loss: float | None = None
    epoch: int | None = None
    epochs_run: int = 0
    seconds: float | None = None
    why: str = ""

    @property
    def name(self) -> str:
        """Number and network, for a sentence."""
        return f"trial {self.number} ({self.chosen['arch']} at {self.chosen['size']} pixels)"

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON types."""
        return {
            "trial": self.number,
            "state": self.state,
            "val_accuracy": self.accuracy,
            "val_loss": self.loss,
            "epoch": self.epoch,
            "epochs_run": self.epochs_run,
            **self.chosen,
            **(to_plain(self.footprint) if self.footprint else {}),
            "seconds": self.seconds,
            "why": self.why,
        }


def trained(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that count: completed, or ended early because they were poor."""
    return [trial for trial in trials if trial.state in ("complete", "pruned")]


def ranked(trials: Sequence[Trial], *, objective: Objective, limits: Limits) -> list[Trial]:
    """The completed trials within the limits, the best first.

    Of equals the one with the lower loss comes first, then the smaller, then the earlier.
    """
    found = [trial for trial in trials if trial.state == "complete" and _fits(trial, limits)]
    return sorted(found, key=lambda trial: _rank(trial, objective))


def best(trials: Sequence[Trial], *, objective: Objective, limits: Limits) -> Trial:
    """The best completed trial within the limits.

    Raises:
        StudyError: If no trial was completed.
        LimitError: If none was within the limits; the text names the nearest network.
    """
    found = ranked(trials, objective=objective, limits=limits)
    if found:
        return found[0]
    measured = [trial for trial in trials if trial.footprint]
    beyond = [trial for trial in measured if not _fits(trial, limits)]
    if beyond and all(trial.state in ("outside", "complete") for trial in measured):
        raise LimitError(_nearest(beyond, limits))
    raise StudyError(
        "no trial was completed, so there is no model to make; go on with more --trials"
    )


def front(trials: Sequence[Trial]) -> list[Trial]:
    """Of these trials those that none beats in accuracy, parameters and multiply-adds at once.

    One trial beats another if it is worse in none of the three and better in one (V. Pareto).
    """
    return [trial for trial in trials if not any(_dominates(other, trial) for other in trials)]


def write_study(path: Path, trials: Sequence[Trial], *, best_of: Sequence[Trial]) -> Path:
    """Write ``study.csv``: one line per trial; empty where there is no value.

    Args:
        path: The file.
        trials: All trials.
        best_of: The trials of the front, which the column "front" marks.
    """
    numbers = {trial.number for trial in best_of}
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        for trial in trials:
            mark = "yes" if trial.number in numbers else ""
            writer.writerow({**trial.to_dict(), "front": mark})
    return path


def _fits(trial: Trial, limits: Limits) -> bool:
    return trial.footprint is not None and not limits.excesses(trial.footprint)


def _rank(trial: Trial, objective: Objective) -> tuple[float, ...]:
    accuracy, loss = -(trial.accuracy or 0.0), trial.loss or 0.0
    parameters = trial.footprint.parameters if trial.footprint else 0
    first = (accuracy, loss) if objective == "accuracy" else (loss, accuracy)
    return (*first, parameters, trial.number)


def _dominates(one: Trial, other: Trial) -> bool:
    pairs = list(zip(_aims(one), _aims(other), strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def _aims(trial: Trial) -> tuple[float, ...]:
    """What should be small."""
    if trial.footprint is None or trial.accuracy is None:
        return (0.0, float("inf"), float("inf"))
    return (-trial.accuracy, trial.footprint.parameters, trial.footprint.multiply_adds)


def _nearest(beyond: Sequence[Trial], limits: Limits) -> str:
    def worst(trial: Trial) -> float:
        return max(limits.excesses(trial.footprint).values()) if trial.footprint else float("inf")

    nearest = min(beyond, key=lambda trial: (worst(trial), trial.number))
    found = limits.excesses(nearest.footprint) if nearest.footprint else {}
    return (
        f"no network keeps to the limits; the nearest, {nearest.name}, misses "
        f"{len(found)}: {'; '.join(found)}; raise the limit, or search smaller --sizes and "
        "--filters"
    )
