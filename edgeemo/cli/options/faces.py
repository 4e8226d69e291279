"""The options about faces that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from edgeemo.model.spec import FaceChanges

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


def face_changes(
    *,
    detector: str | None,
    margin: float | None = None,
    score: float | None,
    file: Path | None,
) -> FaceChanges:
    """How to find faces, as far as it was typed.

    Args:
        detector: ``--face-detector``.
        margin: ``--face-margin``.
        score: ``--face-score``.
        file: ``--face-model``, which is read.

    Raises:
        typer.BadParameter: If a detector is unknown, a number out of its range, or a file or score
            goes with another detector.
        FaceModelError: If the file cannot be used.
    """
    from edgeemo.errors import SpecError
    from edgeemo.model.spec import DETECTORS, FaceChanges, detector_for
    from edgeemo.utils.suggest import describe_unknown

    chosen = detector_for(detector, file=file, usual="") or None
    if chosen is not None and chosen not in DETECTORS:
        raise typer.BadParameter(
            describe_unknown("face detector", chosen, DETECTORS),
            param_hint="--face-detector",
        )
    if (chosen == "yunet") != (file is not None):
        raise typer.BadParameter(
            "a YuNet file is named with --face-model, and no other detector takes one",
            param_hint="--face-detector",
        )
    sha256 = ""
    if file is not None:
        from edgeemo.imaging.faces.model_file import name_file

        sha256 = name_file(file)
    changes = FaceChanges(detector=chosen, margin=margin, least_score=score, file_sha256=sha256)
    try:
        changes.applied(None)
    except SpecError as error:
        raise typer.BadParameter(str(error)) from None
    return changes


def faces_wanted(faces: bool | None, changes: FaceChanges) -> FaceChanges | bool | None:
    """What was typed, for `edgeemo.runtime.classifier.Classifier.load`.

    Args:
        faces: ``--faces`` or ``--no-faces``; None where neither was said.
        changes: The other options, of which any asks for faces.

    Raises:
        typer.BadParameter: If ``--no-faces`` goes with one of them.
    """
    from edgeemo.model.spec import FaceChanges

    if changes == FaceChanges():
        return faces
    if faces is False:
        raise typer.BadParameter(
            "nothing is found, so there is nothing to set", param_hint="--no-faces"
        )
    return changes
