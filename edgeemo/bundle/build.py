"""Make a bundle: choose the golden images, record their outputs, pack, and run the self-test."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bundle.archive import pack
from edgeemo.bundle.device.checks import record_golden
from edgeemo.bundle.device.contents import MANIFEST, PHOTO
from edgeemo.bundle.device.packed import LIVE_MODULES, SERVE_MODULES
from edgeemo.bundle.faces import detector_members
from edgeemo.bundle.golden import (
    choose_images,
    count_undecided,
    draw_images,
    name_members,
)
from edgeemo.bundle.manifest import complete_manifest, describe_model, to_json
from edgeemo.bundle.modules import compile_module, pack_modules
from edgeemo.bundle.options import BundleOptions, GoldenSource
from edgeemo.bundle.runtime_modules import (
    list_live_modules,
    list_page_files,
    list_runtime_modules,
    list_serve_modules,
)
from edgeemo.bundle.sample_images import read_test_images
from edgeemo.engines.trial import try_model
from edgeemo.errors import BundleError, EngineError
from edgeemo.model.container import unseal_bytes
from edgeemo.model.detector_file import find_detector_file
from edgeemo.model.folder import ModelFolder, find_exported_file
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.files import check_writable, replacing, sha256_file
from edgeemo.utils.progress import Progress, Silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.bundle.device.contents import Manifest
    from edgeemo.model.container import SealedModel
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_request import FaceRequest
    from edgeemo.utils.paths import StrPath

_SILENT = Silent()
_DEVICE = Path(__file__).with_name("device")
_DEFAULT = BundleOptions()


@dataclass(frozen=True, kw_only=True)
class Fallback:
    """The second exported file of a bundle.

    Attributes:
        model: Its name.
        engine: The engine's package that it needs, as pip calls it.
        verified: Whether it passed its verification.
        adopted: Whether it was adopted: it has no reference model.
    """

    model: str
    engine: str
    verified: bool
    adopted: bool = False


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle that passed its self-test on this machine.

    Attributes:
        path: The ``.pyz``.
        sha256: SHA-256 of the file, hexadecimal.
        size_bytes: Its size.
        model: Name of the exported file inside.
        engine: The engine's package that the device needs, as pip calls it.
        verified: Whether the exported file passed its verification.
        adopted: Whether it was adopted: it has no reference model.
        golden_images: Number of golden images.
        undecided_images: Number of them in which no class has a probability of 0.8.
        fallback: The second exported file, or None.
        detector: The face detector, an `edgeemo.model.face_settings.Detector`; empty without one.
        detected_faces: Number of faces detected in the golden photo; 0 without one.
    """

    path: Path
    sha256: str
    size_bytes: int
    model: str
    engine: str
    verified: bool
    adopted: bool = False
    golden_images: int
    undecided_images: int
    fallback: Fallback | None = None
    detector: str = ""
    detected_faces: int = 0


def make_bundle(
    model: StrPath,
    out: StrPath,
    *,
    options: BundleOptions = _DEFAULT,
    replace: bool = False,
    progress: Progress = _SILENT,
) -> Bundle:
    """Make one file that runs a model on a device and tests itself there.

    The same model gives the same bytes with the same versions of edgeemo, numpy, Pillow and the
    engine. The bundle runs its self-test in a fresh interpreter before it takes its place.

    Args:
        model: An exported file, ``.tflite`` or ``.onnx``, whose verification is that of the model
            folder that it is in; or a model folder or "happy-sad", for its default file.
        out: The ``.pyz`` to write; its folder is made.
        options: The other contents.
        replace: Whether to replace an existing file.
        progress: Receiver of progress.

    Raises:
        ModelFolderError: If the model folder has no exported file.
        BundleError: If `out` exists and `replace` is false, the fallback does not match the model,
            the model takes faces and none is detected in a golden image, or the self-test fails.
        DatasetError: If the test images cannot be found.
        EngineError: If the model cannot be run.
        FaceModelError: If the face detector's own file is missing or cannot be used.
        MissingExtraError: If the engine or the face detector is not installed.
        SpecError: If the model has no embedded spec.
    """
    model, out = find_exported_file(model), Path(out)
    if out.is_dir() and replace:
        raise BundleError(f"{out}: is a folder; name the file to write with --out")
    if out.exists() and not replace:
        raise BundleError(
            f"{out}: exists already; choose another --out, or replace it with --force"
        )
    try:
        check_writable(out.parent)
    except OSError as error:
        raise BundleError(
            f"{out}: cannot be written to {error.filename}: {error.strerror}"
        ) from None
    first = _load(model, options.faces)
    second = _load(options.fallback, options.faces) if options.fallback else None
    if second:
        _check_fallback(first.model, second.model)
    progress.stage("Choosing golden images")
    if options.golden == GoldenSource.test:
        found = read_test_images(ModelFolder(model.parent), options.data, progress=progress)
        images = choose_images(first.classifier, found)
    else:
        images = draw_images(first.classifier)
    members, manifest = _build_members(first, second, images)
    progress.stage("Packing, and running the self-test")
    _write(out, pack(members))
    return _describe(out, manifest, undecided=count_undecided(manifest.golden, first.model.spec))


@dataclass(frozen=True)
class _Loaded:
    model: SealedModel
    classifier: Classifier
    detector_file: DetectorFile | None

    def describe(self, golden: Mapping[str, bytes]) -> Manifest:
        """Return the manifest with its outputs for the golden images, member to content."""
        expected = [
            record_golden(self.classifier, image, file=file, photo=file == PHOTO)
            for file, image in golden.items()
        ]
        return describe_model(self.model, self.classifier, goldens=expected)


def _load(path: Path, request: FaceRequest | None) -> _Loaded:
    """Load the model as on the device: from its bytes."""
    try:
        model = unseal_bytes(path.read_bytes(), name=str(path))
    except OSError as error:
        raise EngineError(f"{path}: cannot be read: {error.strerror or error}") from None
    faces = request.apply(model.spec.faces) if request else model.spec.faces
    file = (request and request.file) or find_detector_file(faces, path.parent)
    try_model(model)
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


def _build_members(
    first: _Loaded, second: _Loaded | None, images: Sequence[bytes]
) -> tuple[dict[str, bytes], Manifest]:
    """Return the members of the archive, and its manifest."""
    faces = first.classifier.spec.faces
    golden = name_members(images, first.classifier.detector)
    modules = list_runtime_modules(faces)
    models = [each.model for each in (first, second) if each]
    models.sort(key=lambda model: model.format != "tflite")  # see pack
    # Not compiled, since damaged code can crash Python; the last, since members are found from the
    # end of the file: they are where Python expects them whatever is lost or inserted before.
    start = {name: (_DEVICE / name).read_bytes() for name in ("start.py", "__main__.py")}
    members = {
        **{Path(model.path).name: model.content or b"" for model in models},
        **modules,
        **{f"{path}c": compile_module(path, source) for path, source in modules.items()},
        LIVE_MODULES: pack_modules(list_live_modules(faces)),
        SERVE_MODULES: pack_modules(list_serve_modules(faces), list_page_files()),
        **detector_members(faces, first.detector_file),
        **golden,
    }
    fallback = second.describe(golden) if second else None
    manifest = complete_manifest(first.describe(golden), fallback, members=members | start)
    return {**members, MANIFEST: to_json(manifest), **start}, manifest


def _write(out: Path, content: bytes) -> None:
    """Write the bundle, executable for all who may read it, once it has passed its self-test."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as partial:
        partial.write_bytes(content)
        mode = partial.stat().st_mode
        partial.chmod(mode | (mode & 0o444) >> 2)
        command = [sys.executable, str(partial), "selftest", "--json"]
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
        if tried.returncode:
            lines = tried.stderr.strip().splitlines() or ["its outputs differ between two runs"]
            raise BundleError(f"{out}: not written, its self-test fails here: {lines[-1]}")


def _describe(out: Path, manifest: Manifest, *, undecided: int) -> Bundle:
    second = manifest.fallback
    return Bundle(
        path=out,
        sha256=sha256_file(out),
        size_bytes=out.stat().st_size,
        model=manifest.model,
        engine=manifest.engine,
        verified=manifest.verified,
        adopted=manifest.adopted,
        golden_images=len(manifest.golden),
        undecided_images=undecided,
        fallback=Fallback(
            model=second.model,
            engine=second.engine,
            verified=second.verified,
            adopted=second.adopted,
        )
        if second
        else None,
        detector=manifest.detector,
        detected_faces=sum(len(each.faces) for each in manifest.golden if each.file == PHOTO),
    )
