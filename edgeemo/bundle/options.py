"""Options of a bundle. Standard library only, so that a command line can show them quickly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edgeemo.utils.paths import convert_paths

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.model.face_request import FaceRequest


class GoldenSource(StrEnum):
    """Origin of the golden images."""

    drawn = "drawn"
    test = "test"


@dataclass(frozen=True, kw_only=True)
class BundleOptions:
    """Contents of a bundle beside its exported file.

    Attributes:
        fallback: An exported file of the same model for the other engine, used on a device where
            the engine of the first is missing, cannot be loaded or crashes.
        golden: "drawn" images, or images of the model folder's "test" split, which are then
            included in the bundle.
        data: For "test": folder or .zip of the images; by default the one of the training.
        faces: Requested changes to the model's face settings; None for none.
    """

    fallback: Path | None = None
    golden: GoldenSource = GoldenSource.drawn
    data: Path | None = None
    faces: FaceRequest | None = None

    def __post_init__(self) -> None:
        convert_paths(self, "fallback", "data")
