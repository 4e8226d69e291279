"""The options about faces that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from edgeemo.model.face_settings import FaceRequest

_PANEL = "Faces"

Faces: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--faces/--no-faces",
        help="Find faces and answer each; by default as the model says.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
FaceDetector: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="blaze|cascade",
        help="What finds faces: blaze, which needs nothing more, or OpenCV's cascade (needs the "
        "faces extra).",
        rich_help_panel=_PANEL,
    ),
]
FaceMargin: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="What is added around a face on each side, in parts of its frame; 0 by default.",
        rich_help_panel=_PANEL,
    ),
]
FaceScore: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="SCORE",
        help="What the detector's score of a face must be for it to count, 0 to 1; by default as "
        "the model says, else 0.5. More finds fewer faces, and fewer that are none.",
        rich_help_panel=_PANEL,
    ),
]
FaceModelFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A YuNet .onnx file, which then finds faces (needs the faces extra).",
        rich_help_panel=_PANEL,
    ),
]


def face_request(
    faces: bool | None,
    *,
    detector: str | None,
    margin: float | None = None,
    score: float | None,
    file: Path | None,
) -> FaceRequest:
    """Build the request about faces from the options.

    Args:
        faces: ``--faces`` or ``--no-faces``; None without either.
        detector: ``--face-detector``.
        margin: ``--face-margin``.
        score: ``--face-score``.
        file: ``--face-model``, which is read.

    Raises:
        typer.BadParameter: If a value is unknown or out of its range, or options contradict.
        FaceModelError: If the file cannot be used.
    """
    from edgeemo.errors import SpecError
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceRequest, known_detector

    try:
        return FaceRequest(
            enabled=faces,
            detector=known_detector(detector) if detector else None,
            margin=margin,
            min_score=score,
            file=DetectorFile.read(file) if file else None,
        )
    except SpecError as error:
        raise typer.BadParameter(str(error)) from None
