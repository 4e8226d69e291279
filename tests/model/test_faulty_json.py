"""Every JSON file that somebody else may have written: a fault is one line with its name."""

from __future__ import annotations

import json

import pytest

from edgeemo.bundle.archive import pack
from edgeemo.bundle.device.contents import Contents, Manifest
from edgeemo.dataset.write.faces_json import read_faces_json
from edgeemo.errors import BundleError, DatasetError, EdgeEmoError, ModelFolderError, SpecError
from edgeemo.model.folder import ModelFolder, shipped_folder
from edgeemo.model.verified import read_verification

_BROKEN = ("[" * 100_000, "{", "[]", '"text"', "NaN", '{"a": 1, "a": 1}', "\udcff", "1" * 5000)
_READERS = {
    "spec.json": ModelFolder.read_spec,
    "training.json": ModelFolder.read_training,
    "default.json": ModelFolder.read_default,
    "verify.json": lambda folder: read_verification(folder.path),
    "faces.json": lambda folder: read_faces_json(folder.path),
}


@pytest.mark.parametrize("text", _BROKEN, ids=lambda text: repr(text[:9]))
@pytest.mark.parametrize("name", _READERS)
def test_broken_json_is_refused_in_one_line(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(EdgeEmoError) as raised:
        _READERS[name](ModelFolder(tmp_path))
    assert str(raised.value).startswith(f"{path}: ")
    assert str(raised.value).isprintable()


_ENTRY = json.loads(shipped_folder().file("verify.json").read_text())["files"][0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("default.json", {"file": "int8.tflite", "threads": True}),
        ("default.json", {"file": "../int8.tflite"}),
        ("training.json", {"seed": "0"}),
        ("training.json", {"epochs_run": True}),
        ("training.json", {"data": 1}),
        ("verify.json", {"files": {}}),
        ("verify.json", {"files": [1]}),
        ("verify.json", {"files": [{**_ENTRY, "sha256": 1}]}),
        ("verify.json", {"files": [{**_ENTRY, "measured": {"n": "1"}}]}),
        ("verify.json", {"files": [{**_ENTRY, "measured": {"accuracy": {"candidate": {}}}}]}),
        ("verify.json", {"files": [{**_ENTRY, "measured": {"accuracy": [1]}}]}),
        ("faces.json", {"margin": True}),
        ("faces.json", {"margin": 9}),
        ("faces.json", {"detector": 1}),
        ("faces.json", {"detector": "eyes"}),
        ("faces.json", {"cropped": 1}),
        ("faces.json", {"colour": 1}),
        ("faces.json", {"a\nb": 1}),
        ("faces.json", {"detector": "a\x1b[31mb"}),
    ],
)
def test_a_value_of_another_type_is_refused_in_one_line(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(json.dumps(content))
    with pytest.raises((DatasetError, ModelFolderError)) as raised:
        _READERS[name](ModelFolder(tmp_path))
    assert str(raised.value).startswith(f"{path}: ")
    assert str(raised.value).isprintable()


_IMAGE = {
    "file": "a.png", "decoded_sha256": "", "pixels_sha256": "", "outputs": [0.5, 1],
    "label": "sad", "faces": [[0, 0, 1]],
}  # fmt: skip
_MANIFEST = {
    "version": 2, "edgeemo": "0.1.0", "model": "int8.tflite", "model_sha256": "", "threads": 1,
    "engine": "ai-edge-litert", "verified": True, "verification": _ENTRY, "tolerance": 0.0,
    "built_with": {}, "members": {"int8.tflite": ""}, "fallback": None, "fallback_for": "",
    "faces": None, "detector": "", "golden": [_IMAGE],
}  # fmt: skip


_SPEC = {
    "version": 1, "labels": ["a", "b"], "height": 8, "width": 8, "channels": 1,
    "activation": "sigmoid", "threshold": 0.5, "resample": "bilinear", "scale": 1 / 255,
    "provenance": {},
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"activation": "a\nb"}, {"resample": "\x1b[31m"}, {"a\nb": 1}, {"version": 9, "a\nb": 1},
        {"provenance": {"a\nb": ""}}, {"faces": {"a\nb": 1}}, {"faces": {"detector": "a\nb"}},
    ],
    ids=str,
)  # fmt: skip
def test_line_ends_in_a_spec_do_not_reach_its_error(tmp_path, change):
    path = tmp_path / "spec.json"
    path.write_text(json.dumps({**_SPEC, **change}))
    with pytest.raises(SpecError) as raised:
        ModelFolder(tmp_path).read_spec()
    assert str(raised.value).isprintable()


def test_a_manifest_is_read():
    assert Manifest.from_json(json.dumps(_MANIFEST).encode()).verified_file.passed


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1}, {"version": None}, {"threads": True}, {"threads": 0}, {"model": 1},
        {"members": []}, {"members": {"a": 1}}, {"golden": {}}, {"golden": [1]}, {"golden": None},
        {"golden": [{**_IMAGE, "outputs": ["1"]}]}, {"golden": [{**_IMAGE, "faces": [[1, 2]]}]},
        {"golden": [{**_IMAGE, "faces": [[True, 0, 1]]}]}, {"golden": [{"file": "a.png"}]},
        {"verified": 1}, {"verification": []}, {"verification": {"measured": 1}},
        {"faces": {"detector": "eyes"}}, {"faces": 1}, {"faces": []}, {"fallback": 1}, {"more": 1},
        {"tolerance": "0"}, {"engine": "onnx"}, {"detector": "eyes"}, {"built_with": {"numpy": 2}},
        {"golden": []}, {"a\nb": 1}, {"version": "a\nb"},
        {"fallback": {**_MANIFEST, "fallback": _MANIFEST}},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_manifest_is_refused_in_one_line(change):
    with pytest.raises(BundleError, match=r"manifest\.json: not a bundle's manifest") as raised:
        Manifest.from_json(json.dumps({**_MANIFEST, **change}).encode())
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("method", [b"\x08\0", b"\x63\0"], ids=["deflate", "unknown"])
@pytest.mark.parametrize("member", ["manifest.json", "int8.tflite"])
def test_a_member_that_cannot_be_unpacked_is_an_error_of_the_bundle(tmp_path, member, method):
    members = {"int8.tflite": b"\xff" * 20, "manifest.json": json.dumps(_MANIFEST).encode()}
    content = pack(members)
    entry = content.rindex(member.encode()) - 46  # its entry in the archive's directory
    path = tmp_path / "a.pyz"
    path.write_bytes(content[: entry + 10] + method + content[entry + 12 :])
    with pytest.raises(BundleError, match=r"a\.pyz: (contains no|damaged)"):
        Contents(str(path)).check_members()


@pytest.mark.parametrize("text", _BROKEN, ids=lambda text: repr(text[:9]))
def test_a_broken_manifest_is_refused_in_one_line(text):
    with pytest.raises(BundleError, match=r"manifest\.json: not a bundle's manifest"):
        Manifest.from_json(text.encode(errors="surrogateescape"))
