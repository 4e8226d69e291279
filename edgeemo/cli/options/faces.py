"""Options about faces that several commands share, and the request that they make.

Every command that predicts imports them: their annotations are evaluated once, with the class, and
no methods are made for a class that is only a part of a command's.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from edgeemo.model.face_settings import Detector
from edgeemo.train.options.shared import (
    FACE_DETECTOR,
    FACE_MARGIN,
    FACE_MODEL,
    FACE_SCORE,
    face_option,
)

if TYPE_CHECKING:
    from edgeemo.model.face_request import FaceRequest


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class DetectorArguments:
    """Options of a face detector."""

    face_detector: Annotated[Detector | None, FACE_DETECTOR] = None
    face_score: Annotated[float | None, FACE_SCORE] = None
    face_model: Annotated[Path | None, FACE_MODEL] = None

    def request_faces(self, enabled: bool | None, *, margin: float | None = None) -> "FaceRequest":
        """Return the request that the options make.

        Args:
            enabled: Whether to find faces; None without a wish.
            margin: Share of a face's bounding box to add on each side.

        Raises:
            typer.BadParameter: If the options contradict each other.
            FaceModelError: If the detector's file cannot be used.
        """
        from edgeemo.errors import SpecError
        from edgeemo.model.detector_file import DetectorFile
        from edgeemo.model.face_request import FaceRequest

        try:
            return FaceRequest(
                enabled=enabled,
                detector=self.face_detector,
                margin=margin,
                min_score=self.face_score,
                file=DetectorFile.read(self.face_model) if self.face_model else None,
            )
        except SpecError as error:
            import typer

            raise typer.BadParameter(str(error)) from None


_AS_MODEL = "as the model says"


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class FaceArguments(DetectorArguments):
    """Options about faces of the commands that predict."""

    faces: Annotated[
        bool | None, face_option("Find faces and predict each of them.", default=_AS_MODEL)
    ] = None
    face_detector: Annotated[Detector | None, replace(FACE_DETECTOR, default=_AS_MODEL)] = None
    face_margin: Annotated[float | None, replace(FACE_MARGIN, default=_AS_MODEL)] = None
    face_score: Annotated[float | None, replace(FACE_SCORE, default=_AS_MODEL)] = None

    @property
    def face_request(self) -> "FaceRequest":
        """Return the request that the options make; see `request_faces`.

        Raises:
            MissingExtraError: If the package of the face detector is not installed.
        """
        from edgeemo.utils.extras import require_packages_of_options

        require_packages_of_options(self)
        return self.request_faces(self.faces, margin=self.face_margin)
