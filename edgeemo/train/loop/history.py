"""What each epoch came to, and ``history.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgeemo.utils.files import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One row of ``history.csv``.

    Attributes:
        epoch: Its number, from 1.
        loss: Mean loss over the training split while it was being learnt, in nats.
        accuracy: Share of the training split answered rightly meanwhile, 0 to 1.
        val_loss: Mean loss over the validation split at the epoch's end; None without one.
        val_accuracy: Share of the validation split answered rightly then; None without one.
        tracked: The metrics that were asked for, by name; those of the validation split begin with
            "val_".
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None = None
    val_accuracy: float | None = None
    tracked: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_logs(cls, epoch: int, logs: Mapping[str, Any]) -> Epoch:
        """From what Keras logs at an epoch's end."""
        values = {name: float(value) for name, value in logs.items()}
        own = {name: values.pop(name) for name in _COLUMNS if name in values}
        return cls(epoch=epoch, **own, tracked=values)

    @property
    def score(self) -> float:
        """What the best epoch has least of: the validation loss, without one the training loss."""
        return self.loss if self.val_loss is None else self.val_loss


def write_history(path: Path, history: Sequence[Epoch]) -> Path:
    """Write ``history.csv``: one line per epoch, seven digits; empty where there is no value."""
    tracked = list(history[0].tracked) if history else []
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*_COLUMNS, *tracked])
        for epoch in history:
            values = [getattr(epoch, name) for name in _COLUMNS[1:]]
            values += [epoch.tracked.get(name) for name in tracked]
            writer.writerow([epoch.epoch, *map(_format_value, values)])
    return path


def _format_value(value: float | None) -> str:
    return "" if value is None else f"{value:.7g}"
