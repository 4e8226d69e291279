"""Facts of ``training.json`` that other packages than `edgeemo.train` need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.model.doubt import read_doubt
from edgeemo.model.scaling import read_scaling
from edgeemo.utils.strict_json import require_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.model.doubt import Doubt
    from edgeemo.model.scaling import Head, Scaling

_TYPES: Mapping[str, type] = {
    "arch": str, "data": str, "seed": int, "epochs_run": int, "best_epoch": int, "rounding": float,
    "head": str, "source": str,
}  # fmt: skip


@dataclass(frozen=True)
class NamedFolders:
    """Several folders or .zip files of images, as the sub-folders of one.

    Attributes:
        folders: Name of each, with which the paths of its images begin, to its path.
    """

    folders: Mapping[str, Path]

    def __str__(self) -> str:
        return ", ".join(map(str, self.folders.values()))

    def exists(self) -> bool:
        """Return whether every one is there."""
        return all(path.exists() for path in self.folders.values())


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """Facts of ``training.json``; None where the file does not have them.

    Attributes:
        arch: Name of the network, or "imported".
        data: Folder or .zip of the images, or several.
        seed: Seed of the split.
        epochs_run: Number of completed epochs.
        best_epoch: The epoch of the weights, from 1.
        scaling: The input that an imported model was trained with.
        head: Meaning of an imported model's output.
        source: Name of the file or folder of an imported model.
        doubt: Doubt about the labels or the scaling of an imported model.
        rounding: Rounding error of an imported model, see `edgeemo.model.rounding`.
    """

    arch: str | None
    data: Path | NamedFolders | None
    seed: int | None
    epochs_run: int | None
    best_epoch: int | None
    scaling: Scaling | None
    head: Head
    source: str | None
    doubt: Doubt | None
    rounding: float | None


def _read_source(known: Mapping[str, Any]) -> Path | NamedFolders | None:
    named = known.get("collections")
    if named:
        for each in named:
            require_fields(each, {"name": str, "path": str})
        return NamedFolders({each["name"]: Path(each["path"]) for each in named})
    return Path(known["data"]) if known.get("data") else None


def _read_head(known: Mapping[str, Any]) -> Head:
    head: Head
    for head in ("probability", "logit"):
        if known.get("head", "probability") == head:
            return head
    raise ValueError(f"head: {known['head']!r} is unknown")


def parse_training(recorded: Mapping[str, Any]) -> TrainingFacts:
    """Return the facts of the content of ``training.json``.

    Raises:
        ValueError: If one has another type.
    """
    known = {name: value for name, value in recorded.items() if value is not None}
    require_fields(known, _TYPES)
    return TrainingFacts(
        arch=recorded.get("arch"),
        data=_read_source(known),
        seed=recorded.get("seed"),
        epochs_run=recorded.get("epochs_run"),
        best_epoch=recorded.get("best_epoch"),
        scaling=read_scaling(recorded),
        head=_read_head(known),
        source=recorded.get("source"),
        doubt=read_doubt(recorded),
        rounding=recorded.get("rounding"),
    )
