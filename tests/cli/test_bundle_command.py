"""``edgeemo bundle`` as a person sees it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeemo.utils.files import sha256_file

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A working directory with a model folder, the newest under models/."""
    folder = tmp_path / "models" / "mine"
    folder.mkdir(parents=True)
    for name in ("float32.tflite", "int8.tflite", "float32.onnx"):
        shutil.copy(GOLDEN / name, folder)
    (folder / "spec.json").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_arguments_the_newest_models_default_is_bundled(edgeemo, models):
    shown = edgeemo("bundle")
    assert shown.status == 0
    assert "float32.tflite, NOT verified" in shown.out
    assert "warning: float32.tflite is not verified" in shown.err
    assert shown.err.splitlines()[-1] == "on the device: python3 mine.pyz selftest"
    done = subprocess.run(
        [sys.executable, "dist/mine.pyz", "selftest"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "PASSED: outputs of all 16 images are within 1e-06 of" in done.stdout


def test_one_file_of_a_folder_and_json(edgeemo, models):
    entry = {"sha256": sha256_file(GOLDEN / "int8.tflite"), "passed": True}
    Path("models/mine/verify.json").write_text(json.dumps({"files": [entry]}))
    shown = edgeemo("bundle", "models/mine", "--file", "int8.tflite", "--out", "a/b.pyz", "--json")
    said = json.loads(shown.out)
    assert shown.status == 0
    assert "warning" not in shown.err
    assert said["path"] == "a/b.pyz"
    assert said["sha256"] == sha256_file(Path("a/b.pyz"))
    assert (said["model"], said["verified"], said["golden_images"]) == ("int8.tflite", True, 16)


def test_a_fallback_for_the_other_engine(edgeemo, models):
    words = ("bundle", "models/mine", "--file", "int8.tflite", "--fallback", "float32.onnx")
    shown = edgeemo(*words)
    assert shown.status == 0
    assert "numpy, pillow, ai-edge-litert or onnxruntime for the fallback" in shown.out
    assert "float32.onnx, NOT verified" in shown.out
    assert shown.err.count("is not verified against its reference model") == 2
    said = json.loads(edgeemo(*words, "--force", "--json").out)
    assert said["fallback"] == {
        "model": "float32.onnx", "engine": "onnxruntime", "verified": False, "adopted": False
    }  # fmt: skip


def test_faces_and_how_they_are_found(edgeemo, models):
    words = ("bundle", "models/mine", "--file", "int8.tflite")
    shown = edgeemo(*words, "--faces")
    assert shown.status == 0
    assert "detected by blaze" in shown.out
    said = json.loads(edgeemo(*words, "--face-margin", "0.2", "--force", "--json").out)
    assert (said["detector"], said["detected_faces"], said["golden_images"]) == ("blaze", 2, 17)
    said = json.loads(edgeemo(*words, "--no-faces", "--force", "--json").out)
    assert (said["detector"], said["golden_images"]) == ("", 16)


def test_wheels_make_a_folder(edgeemo, models, monkeypatch):
    from edgeemo.bundle import wheels

    fetched = []

    def download(requirements, folder, *, tag):
        fetched.append(tag)
        (folder / f"a-1-{tag}.whl").touch()

    monkeypatch.setattr(wheels, "download", download)
    shown = edgeemo("bundle", "models/mine/int8.tflite", "--wheels", "cp311, cp313", "--json")
    assert shown.status == 0
    assert fetched == ["cp311", "cp313"]
    said = json.loads(shown.out)
    assert (said["path"], said["tags"]) == ("dist/mine", ["cp311", "cp313"])
    assert said["bundle"]["path"] == "dist/mine/mine.pyz"
    assert len(list(Path("dist/mine/wheels").iterdir())) == 2


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["gone"], 1, "gone: no such file or folder; "),
        (["models/mine", "--file", "int4.tflite"], 1, "did you mean 'int8.tflite'? Choose from"),
        (["models/mine/int8.tflite", "--file", "int8.tflite"], 2, "--file requires a model folder"),
        (["--fallback", "int8.onnx"], 1, "int8.onnx is missing; 'edgeemo export"),
        (["--fallback", "int8.tflite"], 1, "a fallback must be an .onnx file"),
        (["--wheels", ","], 2, "at least one Python"),
        (["--wheels", "3.11"], 2, "3.11: not a Python tag; give cp311 for Python 3.11"),
        (["--golden", "mine"], 2, "golden"),
        (["--face-detector", "blase"], 2, "did you mean 'blaze'"),
        (["--no-faces", "--face-margin", "0.1"], 2, "--no-faces excludes --face-detector"),
        (["--face-model", "gone.onnx"], 1, "gone.onnx: cannot be read"),
        (["--golden", "test"], 1, "split.csv is missing"),
        (["--out", "models"], 1, "models: exists already"),
        (["--out", "models", "--force"], 1, "models: is a folder"),
        (["--wheels", "cp311", "--out", "models", "--force"], 1, "only what --wheels made"),
    ],
)
def test_mistakes_end_in_one_line(edgeemo, models, words, status, said):
    shown = edgeemo("bundle", *words)
    assert shown.status == status
    assert said in " ".join(shown.err.split())
    assert shown.out == ""
    assert not Path("dist").exists()


def test_an_existing_bundle_gives_way_only_when_asked(edgeemo, models):
    words = ("bundle", "models/mine/int8.tflite", "--out", "a.pyz")
    Path("a.pyz").write_text("mine")
    shown = edgeemo(*words)
    assert shown.status == 1
    assert "a.pyz: exists already; choose another --out, or replace it with --force" in shown.err
    assert edgeemo(*words, "--force").status == 0
