"""The options about faces that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from edgeemo.spec import FaceSettings

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
FaceModelFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A YuNet .onnx file, which then finds faces (needs the faces extra).",
        rich_help_panel=_PANEL,
    ),
]


def face_settings(
    detector: str | None, margin: float | None, file: Path | None, *, cropped: bool
) -> FaceSettings:
    """How to find faces, from what was typed.

    Args:
        detector: ``--face-detector``.
        margin: ``--face-margin``.
        file: ``--face-model``, which is read.
        cropped: Whether the model's own pictures are crops already.

    Raises:
        typer.BadParameter: If a detector is unknown, a margin out of its range, or a file goes with
            another detector.
        FaceModelError: If the file cannot be used.
    """
    from edgeemo.choices import nearest
    from edgeemo.errors import SpecError
    from edgeemo.spec import DETECTORS, FaceSettings, detector_for

    detector = detector_for(detector, file=file)
    if detector not in DETECTORS:
        raise typer.BadParameter(
            f"no detector is called {detector!r}; did you mean {nearest(detector, DETECTORS)!r}?",
            param_hint="--face-detector",
        )
    if (detector == "yunet") != (file is not None):
        raise typer.BadParameter(
            "a YuNet file is named with --face-model, and no other detector takes one",
            param_hint="--face-detector",
        )
    sha256 = ""
    if file is not None:
        from edgeemo.faces.model_file import name_file

        sha256 = name_file(file)
    try:
        return FaceSettings(
            detector=detector, margin=margin or 0.0, cropped=cropped, file_sha256=sha256
        )
    except SpecError as error:
        raise typer.BadParameter(str(error), param_hint="--face-margin") from None


def faces_wanted(
    faces: bool | None, detector: str | None, margin: float | None, file: Path | None
) -> FaceSettings | bool | None:
    """What was typed, for `edgeemo.runtime.classifier.Classifier.load`.

    Args:
        faces: ``--faces`` or ``--no-faces``; None where neither was said.
        detector: ``--face-detector``; like the others it asks for faces.
        margin: ``--face-margin``.
        file: ``--face-model``.

    Raises:
        typer.BadParameter: As `face_settings`, and if ``--no-faces`` goes with one of them.
        FaceModelError: As `face_settings`.
    """
    if detector is None and margin is None and file is None:
        return faces
    if faces is False:
        raise typer.BadParameter(
            "nothing is found, so there is nothing to set", param_hint="--no-faces"
        )
    return face_settings(detector, margin, file, cropped=True)
