"""Every mistake that a user can make with the main job: one line, an exit status, nothing left."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from edgeemo.dataset import draw_faces

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    return draw_faces(tmp_path_factory.mktemp("drawn") / "faces", count=24, size=32, seed=1)


@pytest.fixture
def faces(drawn, tmp_path, monkeypatch):
    """A copy of a small set of faces, in a fresh folder that is the working directory."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(drawn, "faces"))


def _one_line(shown, status, *parts):
    assert shown.status == status
    errors = [line for line in shown.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    for part in parts:
        assert part in errors[0]
    assert shown.out == ""
    _no_model_left()


def _no_model_left():
    assert not Path("models").exists() or not list(Path("models").iterdir())


@pytest.mark.tensorflow
def test_no_such_folder(edgeemo, faces):
    _one_line(edgeemo("train", "--data", "gone"), 1, "gone", "no such")


@pytest.mark.tensorflow
def test_no_classes(edgeemo, faces):
    (Path("empty") / "sub").mkdir(parents=True)
    _one_line(edgeemo("train", "--data", "empty"), 1, "empty")


@pytest.mark.tensorflow
def test_one_class(edgeemo, faces):
    shutil.rmtree(faces / "sad")
    _one_line(edgeemo("train", "--data", faces), 1, "faces", "happy")


@pytest.mark.tensorflow
@pytest.mark.parametrize("left", [0, 1])
def test_a_class_with_too_few_usable_images(edgeemo, faces, left):
    for path in sorted((faces / "sad").iterdir())[left:]:
        path.write_bytes(b"broken")
    _one_line(edgeemo("train", "--data", faces), 1, "sad")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(edgeemo, faces):
    faces.chmod(0)
    try:
        _one_line(edgeemo("train", "--data", faces), 1, "faces", "ermission")
    finally:
        faces.chmod(0o755)


@pytest.mark.tensorflow
def test_an_archive_that_leaves_its_folder(edgeemo, faces):
    with zipfile.ZipFile("evil.zip", "w") as archive:
        archive.writestr("../../outside.jpg", b"x")
    _one_line(edgeemo("train", "--data", "evil.zip"), 1, "evil.zip")
    assert not Path("../../outside.jpg").exists()


@pytest.mark.tensorflow
def test_an_archive_that_is_none(edgeemo, faces):
    Path("broken.zip").write_bytes(b"PK\x03\x04 no archive")
    _one_line(edgeemo("train", "--data", "broken.zip"), 1, "broken.zip")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--arch", "cnn-bm-64"], 2, "cnn-bn-64"),
        (["--size", "4"], 2, "4"),
        (["--channels", "2"], 2, ""),
        (["--epochs", "0"], 2, ""),
        (["--labels", "happy,angry"], 1, "angry"),
        (["--accept", "tga"], 2, "tga"),
    ],
)
def test_options_that_make_no_sense(edgeemo, faces, words, status, said):
    shown = edgeemo("train", "--data", faces, *words)
    assert shown.status == status
    assert said in shown.err
    _no_model_left()


def test_a_model_folder_is_not_overwritten(edgeemo, faces):
    Path("models/mine").mkdir(parents=True)
    Path("models/mine/precious.txt").write_text("mine")
    shown = edgeemo("train", "--data", faces, "--out", "models/mine")
    assert shown.status == 1
    assert "--force" in shown.err
    assert Path("models/mine/precious.txt").read_text() == "mine"


@pytest.mark.tensorflow
def test_an_unwritable_place(edgeemo, faces):
    Path("file").write_text("")
    _one_line(edgeemo("train", "--data", faces, "--out", "file/model"), 1, "file")


@pytest.mark.parametrize("command", ["export", "verify"])
def test_no_model_yet(edgeemo, faces, command):
    _one_line(edgeemo(command), 1, "models", "edgeemo train")
    _one_line(edgeemo(command, "happy-sad"), 1, "without its reference model")


@pytest.mark.tensorflow
@pytest.mark.parametrize("command", ["export", "verify"])
def test_a_model_folder_without_its_parts(edgeemo, faces, spec48, command):
    Path("mine").mkdir()
    Path("mine/spec.json").write_text(spec48.to_json())
    shown = edgeemo(command, "mine")
    assert shown.status == 1
    assert {"export": "missing", "verify": "edgeemo export"}[command] in shown.err


def test_ones_own_model_must_say_labels_scale_and_data(edgeemo, faces):
    Path("my.keras").write_bytes(b"")
    shown = edgeemo("export", "my.keras")
    assert shown.status == 2
    for word in ("--labels", "--scale", "--data", "1/255"):
        assert word in shown.err
    shown = edgeemo("export", "my.keras", "--labels", "a,b", "--data", "faces", "--scale", "1/x")
    assert shown.status == 2


def test_ones_own_model_that_is_none(edgeemo, faces):
    Path("my.keras").write_bytes(b"not a model")
    words = ("--labels", "happy,sad", "--scale", "1/255", "--data", faces)
    _one_line(edgeemo("export", "my.keras", *words), 1, "my.keras: not a .keras file")


@pytest.mark.parametrize("name", ["int8.tflite", "float32.onnx"])
@pytest.mark.parametrize("keep", [0, 100, 2000])
def test_broken_model_files_never_crash(edgeemo, faces, name, keep):
    Path(name).write_bytes((GOLDEN / name).read_bytes()[:keep])
    Image.new("RGB", (9, 9)).save("x.png")
    _one_line(edgeemo("predict", "x.png", "--model", name), 1, name)
