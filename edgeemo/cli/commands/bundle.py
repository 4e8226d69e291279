"""``edgeemo bundle``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeemo.bundle.options import BundleOptions, GoldenSource
from edgeemo.cli.options.common import Data, Force, Json, names
from edgeemo.cli.options.faces import (
    FaceDetector,
    FaceMargin,
    FaceModelFile,
    Faces,
    FaceScore,
    face_request,
)
from edgeemo.cli.output.console import EXAMPLES, print_facts, print_json, say, warn
from edgeemo.cli.output.progress import progress

if TYPE_CHECKING:
    from edgeemo.bundle import Bundle, WheelFolder

_EXAMPLES = f"""{EXAMPLES}  edgeemo bundle
  edgeemo bundle models/mine --file float32.tflite --out face.pyz
  edgeemo bundle models/mine --faces
  edgeemo bundle --wheels cp311,cp313 --out dist/fleet
  scp dist/NAME.pyz raspberrypi: && ssh raspberrypi 'edgeemo/bin/python NAME.pyz selftest'
"""

DIST = Path("dist")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bundle", epilog=_EXAMPLES)(bundle)


def bundle(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL",
            help="A model folder, or a .tflite or .onnx file; by default the newest folder under "
            "models/, else happy-sad, the model that comes with edgeemo.",
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Which file of the folder; by default the one that predict takes: the recorded "
            "default, else the verified int8.tflite, else float32.",
        ),
    ] = None,
    fallback: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A second file of the folder, for the other engine (float32.onnx beside "
            "int8.tflite): the device answers with it where the engine of the first is missing, "
            "cannot be loaded or crashes.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="What to make.", show_default="dist/NAME.pyz, or dist/NAME"
        ),
    ] = None,
    golden: Annotated[
        GoldenSource,
        typer.Option(
            help="The 16 images of the self-test: drawn, or taken from the test split, which "
            "then travel with the bundle."
        ),
    ] = GoldenSource.drawn,
    data: Data = None,
    faces: Faces = None,
    face_detector: FaceDetector = None,
    face_margin: FaceMargin = None,
    face_score: FaceScore = None,
    face_model: FaceModelFile = None,
    wheels: Annotated[
        str | None,
        typer.Option(
            metavar="cp311,cp313",
            help="Make a folder for devices without internet: 64-bit ARM wheels for these Pythons "
            "and an install.sh with it.",
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Make one file for the device: runtime, model, golden images and a self-test.

    On the device, with numpy, Pillow and ai-edge-litert installed: python3 NAME.pyz selftest,
    predict or info. A model that was made for faces, or any with --faces, answers every face in a
    photo there, too; what finds them travels with the bundle.
    """
    request = face_request(
        faces, detector=face_detector, margin=face_margin, score=face_score, file=face_model
    )
    path = _exported_file(model, file)
    options = BundleOptions(
        fallback=_beside(path, fallback) if fallback else None,
        golden=golden,
        data=data,
        faces=request,
    )
    name = out.stem if out else path.resolve().parent.name
    if wheels is not None:
        tags = names(wheels)
        if not tags:
            raise typer.BadParameter(
                "name at least one Python, such as cp311", param_hint="--wheels"
            )
        _make_folder(path, out or DIST / name, tags, options, force=force, json=json)
    else:
        _make_file(path, out or DIST / f"{name}.pyz", options, force=force, json=json)


def _exported_file(model: Path | None, file: str | None) -> Path:
    from edgeemo.cli.default_model import model_to_answer
    from edgeemo.model.folder import open_folder

    model = model_to_answer(model)
    if model.is_file():
        if file is not None:
            raise typer.BadParameter("is for a model folder, not for a file", param_hint="--file")
        return model
    folder = open_folder(model)
    if file is None:
        return folder.default_file()
    return folder.require(file, remedy=f"'edgeemo export {folder.path}' makes it")


def _beside(path: Path, name: str) -> Path:
    from edgeemo.model.folder import ModelFolder

    folder = ModelFolder(path.parent)
    return folder.require(name, remedy=f"'edgeemo export {folder.path}' makes it")


def _make_file(path: Path, out: Path, options: BundleOptions, *, force: bool, json: bool) -> None:
    from edgeemo.bundle import make_bundle

    with progress() as shown:
        made = make_bundle(path, out, options=options, replace=force, progress=shown)
    _warn(made)
    if json:
        print_json(made)
        return
    print_facts(_facts(made), title=str(made.path))
    say(f"on the device: python3 {made.path.name} selftest")


def _make_folder(
    path: Path,
    out: Path,
    tags: tuple[str, ...],
    options: BundleOptions,
    *,
    force: bool,
    json: bool,
) -> None:
    from edgeemo.bundle import make_wheel_folder

    with progress() as shown:
        made = make_wheel_folder(
            path, out, tags=tags, options=options, replace=force, progress=shown
        )
    _warn(made.bundle)
    if json:
        print_json(made)
        return
    print_facts({**_facts(made.bundle), **_wheel_facts(made)}, title=str(made.path))
    say(f"on the device, with this folder: sh {made.path.name}/install.sh")


def _warn(made: Bundle) -> None:
    for file in (made, made.fallback):
        if file and not file.verified:
            warn(f"{file.model} is not verified against its reference model; the bundle will warn")
    if not made.undecided_images:
        warn("the model is decided on every golden image, which makes the self-test less sensitive")
    if made.detector and not made.detected_faces:
        warn(f"{made.detector} detects no face in a drawn photo: the self-test skips it")


def _facts(made: Bundle) -> dict[str, str]:
    from edgeemo.bundle.device.faces import detector_package

    files, detector = {"model": made, "fallback": made.fallback}, detector_package(made.detector)
    return {
        **{
            name: f"{file.model}, {'verified' if file.verified else 'NOT verified'}"
            for name, file in files.items()
            if file
        },
        "golden": f"{made.golden_images} images, {made.undecided_images} of them undecided (no "
        "class at 0.8)",
        **({"faces": f"detected by {made.detector}"} if made.detector else {}),
        "size": f"{made.size_bytes / 1e6:.2f} MB",
        "sha256": made.sha256,
        "needs": f"numpy, pillow, {made.engine}"
        + (f" or {made.fallback.engine} for the fallback" if made.fallback else "")
        + (f"; {detector} for the faces" if detector not in ("", made.engine) else ""),
    }


def _wheel_facts(made: WheelFolder) -> dict[str, str]:
    return {
        "wheels": f"{len(made.wheels)}, for {' and '.join(made.tags)} on 64-bit ARM",
        "whole": f"{made.size_bytes / 1e6:.1f} MB",
    }
