"""``edgeemo adopt``, and what the other commands say of a file before and after it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edgeemo.model.trailer import split_zip
from edgeemo.utils.child import ChildCrashedError

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
OPTIONS = ("--labels", "happy,sad", "--scale", "1/255")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with two finished files of somebody else, and a few labelled images."""
    monkeypatch.chdir(tmp_path)
    for name in ("float32.tflite", "int8.tflite"):
        model, _ = split_zip((GOLDEN / name).read_bytes())
        Path(f"their-{name}").write_bytes(model)
    for number, path in enumerate(sorted((ROOT / "models/happy-sad/golden").glob("0*.jpg"))):
        folder = Path("faces", ("happy", "sad")[number % 2])
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)
    return tmp_path


def line_of(shown, status=1):
    assert (shown.status, shown.out) == (status, "")
    (line,) = [each for each in shown.err.splitlines() if each.startswith("error: ")]
    return line


@pytest.mark.parametrize(
    "command",
    ["info {}", "predict faces --model {}", "bench {}", "evaluate {} --data faces", "bundle {}"],
)
def test_a_bare_file_names_the_command(edgeemo, here, command):
    line = line_of(edgeemo(*command.format("their-float32.tflite").split()))
    assert "'edgeemo adopt their-float32.tflite --labels ... --scale ...'" in line


def test_export_of_a_finished_file_names_the_command(edgeemo, here):
    line = line_of(edgeemo("export", "their-float32.tflite"))
    assert "'edgeemo adopt their-float32.tflite --labels ... --scale ...'" in line


def test_every_command_says_that_it_was_adopted(edgeemo, here, quick_bench):
    shown = edgeemo("adopt", "their-int8.tflite", "--labels", "happy,sad", "--name", "theirs")
    assert shown.status == 0, shown.err
    assert "adopted, no reference model" in shown.out
    assert "pixel / 255, grey, NHWC (from the quantisation of its input)" in shown.out
    assert not list(here.glob("models/*.partial*"))
    model = "models/theirs"
    for words, where in {
        f"info {model}": "out",
        f"info {model}/int8.tflite": "out",
        f"predict faces --model {model}": "err",
        f"predict faces --model {model}/int8.tflite": "err",
        f"evaluate {model} --data faces": "err",
        f"compare {model} {GOLDEN}/int8.tflite --data faces": "err",
        f"bundle {model} --out theirs.pyz": "out",
    }.items():
        shown = edgeemo(*words.split())
        assert shown.status == 0, shown.err
        assert "adopted, no reference model" in getattr(shown, where), words
        assert f"{model}/int8.tflite is not verified" not in shown.err
    assert " adopted" in edgeemo("models").out
    shown = edgeemo("bench", model, "--seconds", "1", "--threads", "1", "--pick")
    assert shown.status == 0, shown.err
    assert " adopted\n" in shown.out
    assert "adopted, so there is no reference model" in line_of(edgeemo("verify", model))
    assert "adopted, so there is no reference model" in line_of(edgeemo("export", model))
    golden = line_of(edgeemo("bundle", model, "--golden", "test", "--out", "b.pyz"))
    assert "adopted, so it has no test split" in golden


def test_it_predicts_what_the_exported_file_predicts(edgeemo, here):
    assert edgeemo("adopt", "their-float32.tflite", *OPTIONS, "--out", "new").status == 0
    predicted = [
        edgeemo("predict", "faces", "--model", model, "--format", "csv").out
        for model in ("new", GOLDEN / "float32.tflite")
    ]
    scores = [[line.split(",")[:3] for line in each.splitlines()] for each in predicted]
    assert scores[0] == scores[1]


def test_labels_may_stand_in_a_file(edgeemo, here):
    Path("labels.txt").write_text("0 happy\n1 sad\n")
    words = ("--labels", "labels.txt", "--scale", "1/255", "--json")
    shown = edgeemo("adopt", "their-float32.tflite", *words)
    assert json.loads(shown.out)["spec"]["labels"] == ["happy", "sad"]
    assert Path("models/their-float32/float32.tflite").exists()


def test_the_command_to_try_has_the_other_options(edgeemo, here, monkeypatch):
    data = ROOT / "tests"  # not looked at
    from edgeemo import adopt as package
    from edgeemo.adopt.adopting import AdoptedModel
    from edgeemo.model.container import unseal
    from edgeemo.model.doubt import Doubt
    from edgeemo.model.scaling import PRESETS

    made = AdoptedModel(
        folder=Path("models/new"),
        file="float32.tflite",
        spec=unseal(GOLDEN / "float32.tflite").spec,
        labels_from="--labels",
        scaling_from="the options",
        doubt=Doubt(
            accuracy=0.1, better=0.9, n=100, labels=("sad", "happy"), scaling=PRESETS["raw"]
        ),
    )
    monkeypatch.setattr(package, "adopt", lambda *_, **__: made)
    words = ("--labels", "happy,sad", "--scale", "1/255", "--data", data, "--name", "new")
    shown = edgeemo("adopt", "their-float32.tflite", *words)
    assert "the accuracy is 10.0% on 100 images, but 90.0% with the labels in" in shown.err
    command = f"--data {data} --name new --labels sad,happy --preprocess raw --force"
    assert f"try: edgeemo adopt their-float32.tflite {command}" in shown.err


WRONG = [
    (2, "does not name its 2 labels", ("their-float32.tflite",)),
    (2, "does not say how pixels are scaled", ("their-float32.tflite", "--labels", "a,b")),
    (2, "--labels has 'a' twice", ("their-float32.tflite", "--labels", "a,b,a")),
    (2, "--labels has one label, 'a'", ("their-float32.tflite", "--labels", "a")),
    (2, "--scale must be 1 number or 3, not 2", ("x.tflite", *OPTIONS[:2], "--scale", "1,2")),
    (2, "--offset requires --scale", ("x.tflite", *OPTIONS[:2], "--offset", "-1")),
    (2, "--preprocess excludes --scale", ("x.tflite", *OPTIONS, "--preprocess", "raw")),
    (2, "--name excludes --out", ("x.tflite", *OPTIONS, "--name", "a", "--out", "b")),
    (2, "--name must be a name", ("x.tflite", *OPTIONS, "--name", "../b")),
    (2, "require --data", ("x.tflite", *OPTIONS, "--rename", "joy=happy")),
    (1, "its one output takes 2 labels, but", ("their-float32.tflite", "--labels", "a,b,c")),
    (1, "which --layout nchw contradicts", ("their-float32.tflite", *OPTIONS, "--layout", "nchw")),
    (1, "faces: exists already", ("their-float32.tflite", *OPTIONS, "--out", "faces")),
    (1, "exported by edgeemo already", ("sealed.tflite", *OPTIONS)),
    (1, "exported by edgeemo, and cut short", ("cut-sealed.tflite", *OPTIONS)),
    (1, "a part of it lies outside the file", ("cut.tflite", *OPTIONS)),
    (1, "neither a TFLite nor an ONNX model", ("text.tflite", *OPTIONS)),
    (1, "not an ONNX model, or one that was cut short", ("text.onnx", *OPTIONS)),
    (1, "a Git LFS pointer, not the model: git lfs pull", ("pointer.tflite", *OPTIONS)),
    (1, "'edgeemo export keras.tflite --labels", ("keras.tflite", *OPTIONS)),
    (1, "gone.tflite: no such file or folder", ("gone.tflite", *OPTIONS)),
    (1, "nothing: no such folder", ("their-float32.tflite", *OPTIONS, "--data", "nothing")),
    (1, "none of its classes (down, up)", ("their-float32.tflite", *OPTIONS, "--data", "others")),
]  # fmt: skip


@pytest.fixture
def wrong(here):
    """Files that cannot be adopted, and images of other classes."""
    sealed = (GOLDEN / "int8.tflite").read_bytes()
    for name, content in {
        "sealed.tflite": sealed,
        "cut-sealed.tflite": sealed[:-50],
        "cut.tflite": Path("their-float32.tflite").read_bytes()[:2000],
        "text.tflite": b"hello",
        "text.onnx": b"hello",
        "pointer.tflite": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "keras.tflite": b"\x89HDF\r\n\x1a\n" + bytes(900) + b"model_config",
        "x.tflite": b"",
    }.items():
        Path(name).write_bytes(content)
    shutil.copytree("faces/happy", "others/up")
    shutil.copytree("faces/sad", "others/down")
    return here


@pytest.mark.parametrize(("status", "said", "words"), WRONG, ids=[row[1] for row in WRONG])
def test_what_is_wrong_is_one_line_and_leaves_nothing(edgeemo, wrong, status, said, words):
    before = sorted(wrong.rglob("*"))
    assert said in line_of(edgeemo("adopt", *words), status)
    made = set(wrong.rglob("*")) - set(before)
    assert made <= {wrong / "models"}


def test_a_crash_of_the_engine_is_one_line(edgeemo, here, monkeypatch):
    from edgeemo.adopt import examination

    def crash(*_, **__):
        raise ChildCrashedError("SIGSEGV", "")

    monkeypatch.setattr(examination, "run_in_child", crash)
    assert "SIGSEGV" in line_of(edgeemo("adopt", "their-float32.tflite", *OPTIONS))
