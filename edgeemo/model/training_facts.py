"""Facts of ``training.json`` that other packages than `edgeemo.train` need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.utils.strict_json import require_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES: Mapping[str, type] = {
    "arch": str, "data": str, "seed": int, "epochs_run": int, "best_epoch": int, "scale": float,
    "offset": float,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """Facts of ``training.json``; None where the file does not have them.

    Attributes:
        arch: Name of the network, or "imported".
        data: Folder or .zip of the images.
        seed: Seed of the split.
        epochs_run: Number of completed epochs.
        best_epoch: The epoch of the weights, from 1.
        scale: Multiplier of a pixel in the preprocessing of an imported model.
        offset: Addend after that.
    """

    arch: str | None
    data: Path | None
    seed: int | None
    epochs_run: int | None
    best_epoch: int | None
    scale: float | None
    offset: float


def parse_training(recorded: Mapping[str, Any]) -> TrainingFacts:
    """Return the facts of the content of ``training.json``.

    Raises:
        ValueError: If one has another type.
    """
    known = {name: value for name, value in recorded.items() if value is not None}
    require_fields(known, _TYPES)
    return TrainingFacts(
        arch=recorded.get("arch"),
        data=Path(recorded["data"]) if recorded.get("data") else None,
        seed=recorded.get("seed"),
        epochs_run=recorded.get("epochs_run"),
        best_epoch=recorded.get("best_epoch"),
        scale=recorded.get("scale"),
        offset=known.get("offset", 0.0),
    )
