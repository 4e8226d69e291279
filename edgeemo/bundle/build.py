"""Make a bundle: choose the golden images, record their answers, pack, and try it once."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edgeemo.bundle.archive import pack
from edgeemo.bundle.device.checks import expect
from edgeemo.bundle.device.contents import MANIFEST, PHOTO
from edgeemo.bundle.faces import detector_members, runtime_modules
from edgeemo.bundle.golden import (
    drawn_images,
    golden_members,
    images_of,
    undecided_count,
)
from edgeemo.bundle.manifest import describe, describe_all, to_json
from edgeemo.bundle.modules import compiled
from edgeemo.bundle.sample_images import test_images
from edgeemo.errors import BundleError, EngineError
from edgeemo.model.container import unseal_bytes
from edgeemo.model.detector_file import find_detector_file
from edgeemo.model.folder import ModelFolder
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.files import replacing, sha256_file
from edgeemo.utils.progress import Progress, Silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.bundle.device.contents import Manifest
    from edgeemo.model.container import SealedModel
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceRequest

GoldenKind = Literal["drawn", "test"]

_SILENT = Silent()
_FRONT_DOOR = "edgeemo.bundle.device.main"
_START = Path(__file__).with_name("device") / "__main__.py"


@dataclass(frozen=True, kw_only=True)
class Fallback:
    """The second exported file of a bundle.

    Attributes:
        model: Its name.
        engine: The engine's package that it needs, as pip calls it.
        verified: Whether it passed its verification.
    """

    model: str
    engine: str
    verified: bool


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle that was made and passed its self-test here.

    Attributes:
        path: The ``.pyz``.
        sha256: SHA-256 of the file, hexadecimal.
        size_bytes: Its size.
        model: Name of the exported file inside.
        engine: The engine's package that the device needs, as pip calls it.
        verified: Whether the exported file passed its verification.
        golden: Number of golden images.
        undecided: How many of them the model gives no class 0.8 or more.
        fallback: The second exported file, or None.
        detector: The face detector, or empty without one.
        faces: How many are found in the golden photo; 0 where there is none.
    """

    path: Path
    sha256: str
    size_bytes: int
    model: str
    engine: str
    verified: bool
    golden: int
    undecided: int
    fallback: Fallback | None = None
    detector: str = ""
    faces: int = 0


def make_bundle(
    model: Path,
    out: Path,
    *,
    fallback: Path | None = None,
    golden: GoldenKind = "drawn",
    data: Path | None = None,
    faces: FaceRequest | None = None,
    replace: bool = False,
    progress: Progress = _SILENT,
) -> Bundle:
    """Make one file that runs a model on a device and proves that it does.

    The same model gives the same bytes with the same versions of edgeemo, numpy, Pillow and the
    engine. The bundle runs its self-test in a fresh interpreter before it takes its place.

    Args:
        model: An exported file, ``.tflite`` or ``.onnx``; the verification is that of the model
            folder it lies in.
        out: The ``.pyz`` to write; its folder is made.
        fallback: An exported file of the same model for the other engine, which is run on a device
            where the engine of the first is missing, cannot be loaded or crashes.
        golden: "drawn" images, or images of the model folder's "test" split, which then travel
            with the bundle.
        data: For "test": folder or .zip of the images; by default where they lay at training.
        faces: Requested changes to the model's face settings; None for none.
        replace: Whether an existing file gives way.
        progress: Told where it is.

    Raises:
        BundleError: If `out` exists and `replace` is false, the fallback does not match the model,
            the model takes faces and none is found in a golden image, or the self-test fails.
        DatasetError: If the test images cannot be found.
        EngineError: If the model cannot be run.
        FaceModelError: If the face detector's own file is missing or cannot be used.
        MissingExtraError: If the engine or the face detector is not installed.
        SpecError: If it carries no spec.
    """
    if out.is_dir() and replace:
        raise BundleError(f"{out}: is a folder; name the file to write with --out")
    if out.exists() and not replace:
        raise BundleError(
            f"{out}: exists already; choose another --out, or replace it with --force"
        )
    first = _loaded(model, faces)
    second = _loaded(fallback, faces) if fallback else None
    if second:
        _check_fallback(first.model, second.model)
    progress.stage("Choosing golden images")
    if golden == "test":
        found = test_images(ModelFolder(model.parent), data, progress)
        images = images_of(first.classifier, found)
    else:
        images = drawn_images(first.classifier)
    members, manifest = _members(first, second, images)
    progress.stage("Packing, and running the self-test")
    _write(out, pack(members))
    return Bundle(
        path=out,
        sha256=sha256_file(out),
        size_bytes=out.stat().st_size,
        model=manifest.model,
        engine=manifest.engine,
        verified=manifest.verified,
        golden=len(manifest.golden),
        undecided=undecided_count(manifest.golden, first.model.spec),
        fallback=_fallback(manifest),
        detector=manifest.detector,
        faces=sum(len(each.faces) for each in manifest.golden if each.file == PHOTO),
    )


@dataclass(frozen=True)
class _Loaded:
    model: SealedModel
    classifier: Classifier
    detector_file: DetectorFile | None

    def described(self, golden: Mapping[str, bytes]) -> Manifest:
        """What it answers to the golden images, member to content."""
        classifier = self.classifier
        expected = [
            expect(classifier, image, file=file, photo=file == PHOTO)
            for file, image in golden.items()
        ]
        return describe(self.model, classifier, expected)


def _loaded(path: Path, request: FaceRequest | None) -> _Loaded:
    """The model as the device will see it: from its bytes."""
    try:
        model = unseal_bytes(path.read_bytes(), name=str(path))
    except OSError as error:
        raise EngineError(f"{path}: cannot be read: {error.strerror or error}") from None
    faces = request.apply(model.spec.faces) if request else model.spec.faces
    file = (request and request.file) or find_detector_file(faces, path.parent)
    return _Loaded(model, Classifier.from_model(model, faces=faces, detector_file=file), file)


def _check_fallback(first: SealedModel, fallback: SealedModel) -> None:
    if first.format == fallback.format:
        raise BundleError(
            f"{fallback.path}: needs the same engine as {Path(first.path).name}; a fallback must "
            f"be {'an .onnx' if first.format == 'tflite' else 'a .tflite'} file"
        )
    if first.spec != fallback.spec:
        raise BundleError(
            f"{fallback.path}: no fallback for {first.path}: exported from another model or with "
            "other settings"
        )


def _fallback(manifest: Manifest) -> Fallback | None:
    fallback = manifest.fallback
    if fallback is None:
        return None
    return Fallback(model=fallback.model, engine=fallback.engine, verified=fallback.verified)


def _members(
    first: _Loaded, second: _Loaded | None, images: Sequence[bytes]
) -> tuple[dict[str, bytes], Manifest]:
    """Everything that goes into the file, and what it says of itself."""
    faces = first.classifier.spec.faces
    golden = golden_members(images, first.classifier.detector)
    modules = runtime_modules(_FRONT_DOOR, faces)
    models = [each.model for each in (first, second) if each]
    models.sort(key=lambda model: model.format != "tflite")  # see pack
    members = {
        **{Path(model.path).name: model.content or b"" for model in models},
        "__main__.py": _START.read_bytes(),  # not compiled: damaged code can crash Python
        **modules,
        **{f"{path}c": compiled(path, source) for path, source in modules.items()},
        **detector_members(faces, first.detector_file),
        **golden,
    }
    fallback = second.described(golden) if second else None
    manifest = describe_all(first.described(golden), fallback, members)
    return {**members, MANIFEST: to_json(manifest)}, manifest


def _write(out: Path, content: bytes) -> None:
    """Write the bundle, executable for whoever may read it, once it has passed its self-test."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as partial:
        partial.write_bytes(content)
        mode = partial.stat().st_mode
        partial.chmod(mode | (mode & 0o444) >> 2)
        command = [sys.executable, str(partial), "selftest", "--json"]
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
        if tried.returncode:
            said = tried.stderr.strip().splitlines() or ["its answers differ between two runs"]
            raise BundleError(f"{out}: not written, its self-test fails here: {said[-1]}")
