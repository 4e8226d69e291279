"""``edgeemo bundle``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeemo.bundle.options import BundleOptions, GoldenSource
from edgeemo.cli.command import command
from edgeemo.cli.options.common import DEFAULT_MODEL, Data, Force, Json
from edgeemo.cli.options.faces import FaceArguments
from edgeemo.cli.options.usage import refuse_options
from edgeemo.cli.output.console import note, print_facts, print_json, warn
from edgeemo.cli.output.progress import progress
from edgeemo.utils.options import Argument, Option
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from edgeemo.bundle import Bundle, WheelFolder
    from edgeemo.bundle.build import Fallback
    from edgeemo.model.folder import ModelFolder

DIST = Path("dist")


@dataclass(frozen=True, kw_only=True)
class BundleArguments(FaceArguments):
    """Options of ``edgeemo bundle``."""

    model: Annotated[
        Path | None,
        Argument(f"Model folder, or .tflite or .onnx file; {DEFAULT_MODEL}.", metavar="MODEL"),
    ] = None
    file: Annotated[
        str | None,
        Option(
            "Exported file of the folder.",
            metavar="NAME",
            default="that of predict: the recorded default, else the verified int8.tflite, else "
            "float32",
        ),
    ] = None
    fallback: Annotated[
        str | None,
        Option(
            "Second file of the folder, for the other engine (float32.onnx beside int8.tflite): it "
            "takes over where the first file's engine is missing, cannot be loaded or crashes.",
            metavar="NAME",
        ),
    ] = None
    out: Annotated[
        Path | None,
        Option("File or folder to make.", metavar="PATH", default="dist/NAME.pyz, or dist/NAME"),
    ] = None
    golden: Annotated[
        GoldenSource,
        Option(
            "Origin of the 16 images of the self-test: drawn, or taken from the test split and "
            "included in the bundle."
        ),
    ] = GoldenSource.drawn
    data: Data = None
    wheels: Annotated[
        tuple[str, ...] | None,
        Option(
            "Make a folder for devices without internet, with 64-bit ARM wheels for these versions "
            "of Python and an install.sh.",
            metavar="cp311,cp313",
        ),
    ] = None
    sign: Annotated[
        Path | None,
        Option("Private key to sign the bundle with, as 'edgeemo sign' does.", metavar="KEY.pem"),
    ] = None
    force: Force = False
    json: Json = False


@command(
    "edgeemo bundle",
    "edgeemo bundle models/mine --file float32.tflite --out face.pyz",
    "edgeemo bundle models/mine --faces",
    "edgeemo bundle --wheels cp311,cp313 --out dist/fleet",
    "edgeemo bundle models/mine --sign key.pem",
    "scp dist/NAME.pyz pi: && ssh pi 'edgeemo/bin/python NAME.pyz selftest'",
)
def bundle(given: BundleArguments) -> None:
    """Make one file for the device: runtime, model, self-test.

    On the device, with numpy, Pillow and ai-edge-litert installed: python3 NAME.pyz selftest,
    predict, live, bench or info. A model for faces, or any with --faces, predicts every face in a
    photo there, too; the face detector is included.
    """
    if given.data is not None and given.golden is not GoldenSource.test:
        raise typer.BadParameter("--data requires --golden test")
    _check_wheels(given.wheels)
    request = given.face_request
    path = _exported_file(given.model, given.file)
    options = BundleOptions(
        fallback=_beside(path, given.fallback) if given.fallback else None,
        golden=given.golden,
        data=given.data,
        faces=request,
    )
    name = given.out.stem if given.out else path.resolve().parent.name
    if given.sign:
        from edgeemo.model.signing import read_private_key

        read_private_key(given.sign)  # refuses one that cannot be used before the slow work
    if given.wheels:
        _make_folder(path, given.out or DIST / name, options, given)
    else:
        _make_file(path, given.out or DIST / f"{name}.pyz", options, given)


def _check_wheels(tags: tuple[str, ...] | None) -> None:
    from edgeemo.bundle.pip import parse_tag

    if tags == ():
        raise typer.BadParameter("name at least one Python, such as cp311", param_hint="--wheels")
    with refuse_options():
        for tag in tags or ():
            parse_tag(tag)


def _exported_file(model: Path | None, file: str | None) -> Path:
    from edgeemo.cli.default_model import choose_model
    from edgeemo.model.folder import open_folder

    model = choose_model(model)
    if model.is_file():
        if file is not None:
            raise typer.BadParameter("--file requires a model folder, not a file")
        return model
    folder = open_folder(model)
    return folder.choose_default_file() if file is None else _find_exported(folder, file)


def _beside(path: Path, name: str) -> Path:
    from edgeemo.model.folder import ModelFolder

    return _find_exported(ModelFolder(path.parent), name)


def _find_exported(folder: ModelFolder, name: str) -> Path:
    """Return the path of an exported file of a folder."""
    from edgeemo.errors import ModelFolderError
    from edgeemo.model.folder import EXPORTED
    from edgeemo.utils.suggest import describe_unknown

    there = [path.name for path in folder.list_exported()]
    if name not in EXPORTED and there and not folder.file(name).exists():
        raise ModelFolderError(f"{folder.path}: {describe_unknown('file', name, there)}")
    return folder.require(name, remedy=f"'edgeemo export {folder.path}' makes it")


def _make_file(path: Path, out: Path, options: BundleOptions, given: BundleArguments) -> None:
    from edgeemo.bundle import make_bundle

    with progress() as shown:
        made = make_bundle(path, out, options=options, replace=given.force, progress=shown)
    signature = _sign(made, given.sign)
    _warn(made)
    if given.json:
        print_json({**to_plain(made), **signature})
        return
    print_facts({**_facts(made), **signature}, title=made.path)
    note(f"on the device: python3 {made.path.name} selftest")


def _make_folder(path: Path, out: Path, options: BundleOptions, given: BundleArguments) -> None:
    from edgeemo.bundle import make_wheel_folder

    with progress() as shown:
        made = make_wheel_folder(
            path, out, tags=given.wheels or (), options=options, replace=given.force, progress=shown
        )
    signature = _sign(made.bundle, given.sign)
    _warn(made.bundle)
    if given.json:
        print_json({**to_plain(made), **signature})
        return
    print_facts({**_facts(made.bundle), **_wheel_facts(made), **signature}, title=made.path)
    note(f"on the device, with this folder: sh {made.path.name}/install.sh")


def _sign(made: Bundle, key: Path | None) -> dict[str, str]:
    """Sign a bundle, if there is a key, and return the fact."""
    from edgeemo.model.signing import sign_file

    return {"signature": str(sign_file(made.path, key))} if key else {}


def _warn(made: Bundle) -> None:
    for file in (made, made.fallback):
        if file and not file.verified and not file.adopted:
            warn(f"{file.model} is not verified against its reference model; the bundle will warn")
    if not made.undecided_images:
        warn("the model is decided on every golden image, which makes the self-test less sensitive")
    if made.detector and not made.detected_faces:
        warn(f"{made.detector} detects no face in a drawn photo: the self-test skips it")


def _facts(made: Bundle) -> dict[str, str]:
    from edgeemo.bundle.device.faces import detector_package

    files, detector = {"model": made, "fallback": made.fallback}, detector_package(made.detector)
    return {
        **{name: f"{file.model}, {_describe_status(file)}" for name, file in files.items() if file},
        "golden": f"{made.golden_images} images, {made.undecided_images} of them undecided (no "
        "class at 0.8)",
        **({"faces": f"detected by {made.detector}"} if made.detector else {}),
        "size": f"{made.size_bytes / 1e6:.2f} MB",
        "sha256": made.sha256,
        "needs": f"numpy, pillow, {made.engine}"
        + (f" or {made.fallback.engine} for the fallback" if made.fallback else "")
        + (f"; {detector} for the faces" if detector not in ("", made.engine) else ""),
    }


def _describe_status(file: Bundle | Fallback) -> str:
    from edgeemo.model.adoption import ADOPTED

    if file.adopted:
        return ADOPTED
    return "verified" if file.verified else "NOT verified"


def _wheel_facts(made: WheelFolder) -> dict[str, str]:
    return {
        "wheels": f"{len(made.wheels)}, for {' and '.join(made.tags)} on 64-bit ARM",
        "whole": f"{made.size_bytes / 1e6:.1f} MB",
    }
