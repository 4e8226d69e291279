"""The target `manifest`: the manifest of a bundle, and its archive."""

from __future__ import annotations

import hashlib
import io
import json
import zipimport
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks.reliability.fuzz_images import Detector
from benchmarks.reliability.fuzz_oracle import count_open_files, make_scratch_folder, require
from benchmarks.reliability.fuzz_specs import SPECS
from benchmarks.reliability.mutants import make_seeds
from edgeemo.bundle.archive import pack
from edgeemo.bundle.device import selftest
from edgeemo.bundle.device.contents import MANIFEST, Contents, GoldenImage, Manifest
from edgeemo.bundle.device.faces import detector_package, read_detector_file, select_faces
from edgeemo.bundle.device.fallback import use_fallback_if_not_installed
from edgeemo.bundle.device.info import run as show_info
from edgeemo.bundle.device.load import read_model
from edgeemo.bundle.device.requirements import require as require_packages
from edgeemo.bundle.manifest import to_json
from edgeemo.errors import BundleError
from edgeemo.model.container import seal
from edgeemo.model.face_settings import FaceSettings
from edgeemo.utils.text import has_controls

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.model.spec import ModelSpec

_MODEL = "int8.tflite"
_GOLDEN = "golden/1.png"


def _read_manifest(data: bytes) -> None:
    manifest = Manifest.from_json(data)
    for each in filter(None, (manifest, manifest.fallback)):
        _ = each.model_text, each.verified_file, detector_package(each.detector)
    require(Manifest.from_json(to_json(manifest)) == manifest, "another manifest")


def _read_archive(data: bytes) -> None:
    """Use an archive as a device does, up to the engine."""
    path = make_scratch_folder() / "bundle.pyz"
    path.write_bytes(data)
    before = count_open_files()
    try:
        _use(str(path))
    finally:
        zipimport._zip_directory_cache.clear()  # or the next file of this name is not read
        require(count_open_files() == before, "a file is left open")


def _read_packed(data: bytes) -> None:
    """Use an archive whose manifest is the input, with the digests of its members."""
    members = _members()
    try:
        fields = json.loads(data)
        fields["members"] = {
            name: hashlib.sha256(members[name]).hexdigest() for name in sorted(members)
        }
        for each in filter(None, (fields, fields["fallback"])):
            each["model_sha256"] = fields["members"][each["model"]]
        data = json.dumps(fields).encode()
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    _read_archive(pack({**members, MANIFEST: data}))


def _use(archive: str) -> None:
    """Show the contents of a bundle, and run its self-test without an engine."""
    out, errors = io.StringIO(), io.StringIO()
    with (
        redirect_stdout(out),
        redirect_stderr(errors),
        patch.object(selftest, "load_classifier", _load_without_engine),
    ):
        contents = Contents(archive)
        for json_only in (True, False):
            show_info(contents, json=json_only)
            selftest.run(contents, threads=None, json=json_only)
        use_fallback_if_not_installed(contents)
        _require_packages(contents)
    lines = (out.getvalue() + errors.getvalue()).split("\n")
    require(not any(map(has_controls, lines)), "control characters are printed")


def _load_without_engine(contents: Contents, *, threads: int | None = None) -> Any:
    spec = read_model(contents).spec
    faces = select_faces(contents, spec.faces, enabled=None)
    read_detector_file(contents, faces)
    return SimpleNamespace(
        spec=replace(spec, faces=faces), detector=Detector(), engine=_Engine(spec)
    )


class _Engine:
    name = "ai-edge-litert 0"

    def __init__(self, spec: ModelSpec) -> None:
        self._output = [0.5] * spec.output_count

    def run(self, pixels: object) -> list[float]:
        return self._output


def _require_packages(contents: Contents) -> None:
    manifest = contents.manifest
    try:
        require_packages(
            manifest.engine,
            versions=manifest.built_with,
            archive=contents.archive,
            detector=detector_package(manifest.detector),
        )
    except BundleError as error:
        require(not has_controls(str(error)), "control characters are printed")


MODES: tuple[Callable[[bytes], None], ...] = (_read_manifest, _read_packed, _read_archive)
JSON_MODES = (0, 1)
"""Modes of `check` whose input is JSON."""


def check(data: bytes) -> None:
    """Read a manifest, alone or in a bundle, or an archive, as the first byte chooses.

    Raises:
        EdgeEmoError: If it is refused.
    """
    if data:
        MODES[data[0] % len(MODES)](data[1:])


def list_seeds() -> tuple[bytes, ...]:
    """Return the first inputs."""
    texts = [to_json(each) for each in _make_manifests()]
    archives = [pack({**_members(), MANIFEST: text}) for text in texts[:1]]
    return (
        *(b"\0" + text for text in texts),
        *(b"\1" + text for text in texts),
        *(b"\2" + archive for archive in archives),
        b"\2" + pack({"__main__.py": b"", MANIFEST: texts[0]}),
    )


@cache
def _members() -> dict[str, bytes]:
    return {
        _MODEL: seal(b"\x1c\0\0\0TFL3" + bytes(20), SPECS[0], format="tflite"),
        "__main__.py": b"",
        _GOLDEN: make_seeds()[5],
    }


def _make_manifests() -> tuple[Manifest, ...]:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in _members().items()}
    golden = GoldenImage(
        file=_GOLDEN,
        decoded_sha256=digests[_MODEL],
        pixels_sha256=digests[_MODEL],
        outputs=(0.5,),
        label="sad",
        faces=((3, 4, 20), (1, 2, 3)),
    )
    known: dict[str, Any] = {
        "edgeemo": "1", "model": _MODEL, "model_sha256": digests[_MODEL], "threads": 1,
        "verified": True, "tolerance": 0.0, "built_with": {"numpy": "2.2", "pillow": "12"},
        "verification": {"file": _MODEL, "measured": {"n": 40}}, "golden": (golden,),
    }  # fmt: skip
    plain = Manifest(**known, engine="ai-edge-litert", members=digests)
    fallback = Manifest(**known, engine="onnxruntime", members={}, fallback_for=_MODEL)
    faces = FaceSettings(margin=0.1, min_score=0.4)
    return plain, Manifest(
        **known, engine="onnxruntime", members=digests, fallback=fallback, faces=faces,
        detector="blaze",
    )  # fmt: skip
