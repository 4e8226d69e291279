"""A request to change a model's face settings. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgeemo.errors import SpecError
from edgeemo.model.face_settings import Detector, FaceSettings, parse_detector

if TYPE_CHECKING:
    from edgeemo.model.detector_file import DetectorFile


@dataclass(frozen=True, kw_only=True)
class FaceRequest:
    """Requested changes to a model's face settings; an unset field keeps the model's value.

    Attributes:
        enabled: True detects faces, False takes every image whole. None keeps the model's choice,
            unless another field is set, which enables it.
        detector: The face detector; by default the one that takes `file`, if that is given.
        margin: See `FaceSettings`.
        min_score: See `FaceSettings`. Another detector without a score gets its default score.
        file: The detector's own file.

    Raises:
        SpecError: If a value is unknown, or fields contradict each other.
    """

    enabled: bool | None = None
    detector: Detector | None = None
    margin: float | None = None
    min_score: float | None = None
    file: DetectorFile | None = None

    def __post_init__(self) -> None:
        detector = Detector.YUNET if self.detector is None and self.file else self.detector
        if detector is not None:
            detector = parse_detector(detector)
            _check_file(detector, self.file)
            object.__setattr__(self, "detector", detector)
        if any(value is not None for value in (detector, self.margin, self.min_score)):
            if self.enabled is False:
                raise SpecError(
                    "--no-faces excludes --face-detector, --face-margin, --face-score and "
                    "--face-model"
                )
            object.__setattr__(self, "enabled", True)
        self.apply(None)  # checks the ranges

    def apply(self, settings: FaceSettings | None) -> FaceSettings | None:
        """Return the settings with the requested changes; None where no faces are found.

        Args:
            settings: The model's; None where it finds no faces. Its images then count as crops.

        Raises:
            SpecError: As `FaceSettings`.
        """
        if self.enabled is None:
            return settings
        if not self.enabled:
            return None
        settings = settings or FaceSettings(cropped=True)
        if self.detector is not None:
            same = self.detector is settings.detector
            settings = replace(
                settings,
                detector=self.detector,
                file_sha256=self.file.sha256 if self.file else "",
                min_score=settings.min_score if same else None,
            )
        if self.margin is not None:
            settings = replace(settings, margin=self.margin)
        if self.min_score is not None:
            settings = replace(settings, min_score=self.min_score)
        return settings


def _check_file(detector: Detector, file: DetectorFile | None) -> None:
    if detector.takes_file and file is None:
        raise SpecError(f"face detector {detector} requires its file: --face-model FILE")
    if file is not None and not detector.takes_file:
        raise SpecError(f"face detector {detector} takes no file: omit --face-model")
