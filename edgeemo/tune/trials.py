"""Trials of a search: their results, the best, the Pareto front, and ``study.csv``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from edgeemo.errors import LimitError, StudyError
from edgeemo.utils.csv_text import write_records
from edgeemo.utils.files import replacing
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgeemo.tune.limits import Footprint, NetworkLimits

State = Literal["complete", "pruned", "outside", "failed", "running"]
Objective = Literal["accuracy", "loss"]

OBJECTIVES: tuple[Objective, ...] = ("accuracy", "loss")

_COLUMNS = (
    "trial", "state", "val_accuracy", "val_loss", "epoch", "epochs_run", "arch", "size", "lr",
    "augment", "parameters", "multiply_adds", "int8_bytes", "seconds", "front", "reason",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial.

    Attributes:
        number: Number in the study, from 0.
        state: "complete"; "pruned": stopped early, or diverged; "outside": over a limit, so not
            trained; "failed": interrupted; "running": in some process, or killed.
        chosen: The chosen options, as of `edgeemo.tune.space.Space.draw`.
        footprint: Costs of the network; None if not yet known.
        accuracy: Validation accuracy after the best epoch, 0 to 1.
        loss: Mean validation loss after the best epoch, in nats.
        epoch: Number of the best epoch, from 1.
        epochs_run: Number of epochs trained.
        seconds: Duration of the training.
        reason: Why it was not completed; "" if it was.
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
    reason: str = ""

    @property
    def name(self) -> str:
        """Return number and network as in a sentence."""
        return f"trial {self.number} ({self.chosen['arch']} at {self.chosen['size']} pixels)"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON types, in the columns of ``study.csv``."""
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
            "reason": self.reason,
        }


def select_trained(trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials that count: completed, or stopped early because they were poor."""
    return [trial for trial in trials if trial.state in ("complete", "pruned")]


def rank_trials(
    trials: Sequence[Trial], *, objective: Objective, limits: NetworkLimits
) -> list[Trial]:
    """Return the completed trials within the limits, the best first.

    Of equal trials the one with the lower loss is first, then the smaller, then the earlier.
    """
    found = [trial for trial in trials if trial.state == "complete" and _is_within(trial, limits)]
    return sorted(found, key=lambda trial: _sort_key(trial, objective))


def pick_best(trials: Sequence[Trial], *, objective: Objective, limits: NetworkLimits) -> Trial:
    """Return the best completed trial within the limits.

    Raises:
        StudyError: If no trial was completed.
        LimitError: If none was within the limits; the text names the nearest.
    """
    found = rank_trials(trials, objective=objective, limits=limits)
    if found:
        return found[0]
    measured = [trial for trial in trials if trial.footprint]
    beyond = [trial for trial in measured if not _is_within(trial, limits)]
    if beyond and all(trial.state in ("outside", "complete") for trial in measured):
        raise LimitError(_describe_nearest(beyond, limits))
    raise StudyError("no trial was completed, so there is no model; continue with more --trials")


def find_front(trials: Sequence[Trial]) -> list[Trial]:
    """Return the Pareto front in accuracy, parameters and multiply-adds.

    These are the trials that no other dominates: is worse in none of the three and better in one.
    """
    return [trial for trial in trials if not any(_dominates(other, trial) for other in trials)]


def write_study(path: Path, trials: Sequence[Trial], *, front: Sequence[Trial]) -> Path:
    """Write ``study.csv``: one line per trial, an empty cell for a missing value.

    Args:
        path: The file.
        trials: All trials.
        front: The Pareto front, marked in the column "front".

    Returns:
        `path`.
    """
    numbers = {trial.number for trial in front}
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        rows = (
            {**trial.to_dict(), "front": "yes" if trial.number in numbers else ""}
            for trial in trials
        )
        write_records(stream, _COLUMNS, rows)
    return path


def _is_within(trial: Trial, limits: NetworkLimits) -> bool:
    return trial.footprint is not None and not limits.find_excesses(trial.footprint)


def _sort_key(trial: Trial, objective: Objective) -> tuple[float, ...]:
    accuracy, loss = -(trial.accuracy or 0.0), trial.loss or 0.0
    parameters = trial.footprint.parameters if trial.footprint else 0
    first = (accuracy, loss) if objective == "accuracy" else (loss, accuracy)
    return (*first, parameters, trial.number)


def _dominates(one: Trial, other: Trial) -> bool:
    pairs = list(zip(_list_costs(one), _list_costs(other), strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def _list_costs(trial: Trial) -> tuple[float, ...]:
    """Return the values to minimise."""
    if trial.footprint is None or trial.accuracy is None:
        return (0.0, float("inf"), float("inf"))
    return (-trial.accuracy, trial.footprint.parameters, trial.footprint.multiply_adds)


def _describe_nearest(beyond: Sequence[Trial], limits: NetworkLimits) -> str:
    def worst(trial: Trial) -> float:
        return (
            max(limits.find_excesses(trial.footprint).values()) if trial.footprint else float("inf")
        )

    nearest = min(beyond, key=lambda trial: (worst(trial), trial.number))
    found = limits.find_excesses(nearest.footprint) if nearest.footprint else {}
    return (
        f"no network is within the limits; the nearest, {nearest.name}, exceeds "
        f"{len(found)}: {'; '.join(found)}; raise the limit, or search smaller --sizes and "
        "--filters"
    )
