"""Face settings: the detector of faces in photos, and the crop around a face.

The settings are part of the model's specification. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edgeemo.errors import SpecError
from edgeemo.utils.strict_json import require, require_fields

MIN_MARGIN, MAX_MARGIN = -0.3, 2.0


class Detector(StrEnum):
    """The face detectors; see `edgeemo.imaging.faces`."""

    BLAZE = "blaze"
    CASCADE = "cascade"
    YUNET = "yunet"

    @property
    def takes_file(self) -> bool:
        """Return whether the detector runs a file that the user has."""
        return self is Detector.YUNET

    @property
    def package(self) -> str:
        """Return the package that runs the detector, as pip calls it."""
        return "ai-edge-litert" if self is Detector.BLAZE else "opencv-python-headless"

    @property
    def module(self) -> str:
        """Return the module of that package."""
        return "ai_edge_litert" if self is Detector.BLAZE else "cv2"


DEFAULT_SCORES = {Detector.BLAZE: 0.5, Detector.YUNET: 0.7}
"""Minimum score of a face by default, for each detector that has scores."""


def parse_detector(name: str) -> Detector:
    """Return the detector of a name.

    Raises:
        SpecError: If there is none; the text names the nearest.
    """
    try:
        return Detector(name)
    except ValueError:
        from edgeemo.utils.suggest import describe_unknown

        names = [detector.value for detector in Detector]
        raise SpecError(describe_unknown("face detector", name, names)) from None


@dataclass(frozen=True, kw_only=True)
class FaceSettings:
    """The face detector and the crop around a face, the same in training and on the device.

    Attributes:
        detector: The face detector; text is converted.
        margin: Share of a bounding box's side that is added on each side, -0.3 to 2. At 0 a face
            fills the crop from the brows' upper end to the chin, as in FER2013.
        cropped: Whether the model was trained on such crops: the images of a data set are then
            taken whole, and faces are detected in photos alone.
        file_sha256: SHA-256 of the detector's own file, hexadecimal; empty without one.
        min_score: Minimum detector score of a face, 0 to 1. None: that of `DEFAULT_SCORES`.

    Raises:
        SpecError: If a value is unknown or out of its range, or the detector has no scores.
    """

    detector: Detector = Detector.BLAZE
    margin: float = 0.0
    cropped: bool = False
    file_sha256: str = ""
    min_score: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "detector", parse_detector(self.detector))
        if not MIN_MARGIN <= self.margin <= MAX_MARGIN:
            raise SpecError(
                f"a face's margin must be {MIN_MARGIN:g} to {MAX_MARGIN:g}, not {self.margin}"
            )
        if self.min_score is None:
            return
        if not 0 <= self.min_score <= 1:
            raise SpecError(f"the minimum score of a face must be 0 to 1, not {self.min_score}")
        if self.detector not in DEFAULT_SCORES:
            raise SpecError(
                f"face detector {self.detector} has no scores; leave the minimum score unset"
            )

    @property
    def text(self) -> str:
        """Return the settings as text for a person."""
        score = "" if self.min_score is None else f", score {self.min_score:g} or more"
        return f"{self.detector}, margin {self.margin:g}{score}"


def parse_settings(fields: object) -> FaceSettings:
    """Return the settings of an object of JSON, whose keys are the attributes.

    Raises:
        SpecError: If a value is unknown or out of its range.
        ValueError: If it is not an object, a key is unknown, or a value has another type.
    """
    kinds: dict[str, type] = {
        "detector": str, "margin": float, "cropped": bool, "file_sha256": str, "min_score": float,
    }  # fmt: skip
    known = {**require(fields, dict, "faces")}
    for key in known:
        if key not in kinds:
            raise ValueError(f"faces: {key!r} is unknown")
    if known.get("min_score") is None:
        del kinds["min_score"]
    return FaceSettings(**require_fields(known, kinds, "faces"))
