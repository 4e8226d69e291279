"""The history of a training: one entry per epoch, written as ``history.csv``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgeemo.utils.csv_text import write_rows
from edgeemo.utils.files import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch: a row of ``history.csv``.

    Attributes:
        epoch: Number of the epoch, from 1.
        loss: Mean loss over the training split during the epoch, in nats.
        accuracy: Accuracy on the training split during the epoch, 0 to 1.
        val_loss: Mean loss over the validation split after the epoch; None without one.
        val_accuracy: Accuracy on the validation split after the epoch; None without one.
        tracked: The requested metrics by name; those of the validation split begin with "val_".
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None = None
    val_accuracy: float | None = None
    tracked: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_logs(cls, epoch: int, logs: Mapping[str, Any]) -> Epoch:
        """Return an epoch from the logs of Keras at its end.

        Args:
            epoch: Number of the epoch, from 1.
            logs: Metric to value.
        """
        values = {name: float(value) for name, value in logs.items()}
        own = {name: values.pop(name) for name in _COLUMNS if name in values}
        return cls(epoch=epoch, **own, tracked=values)

    @property
    def score(self) -> float:
        """Return the value that the best epoch has lowest: validation loss, else training loss."""
        return self.loss if self.val_loss is None else self.val_loss


def write_history(path: Path, history: Sequence[Epoch]) -> Path:
    """Write ``history.csv``: one line per epoch, seven digits; empty where there is no value.

    Returns:
        `path`.
    """
    tracked = list(history[0].tracked) if history else []
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        write_rows(stream, [[*_COLUMNS, *tracked]])
        for epoch in history:
            values = [getattr(epoch, name) for name in _COLUMNS[1:]]
            values += [epoch.tracked.get(name) for name in tracked]
            write_rows(stream, [[epoch.epoch, *map(_format_value, values)]])
    return path


def _format_value(value: float | None) -> str:
    return "" if value is None else f"{value:.7g}"
