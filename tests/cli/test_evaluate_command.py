"""``edgeemo evaluate``: its tables, its gates, and what it refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeemo.dataset import draw_faces

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MODEL = GOLDEN / "int8.tflite"


@pytest.fixture(autouse=True)
def faces(tmp_path, monkeypatch):
    draw_faces(tmp_path / "faces", count=20, size=48, seed=3)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "faces"


def test_the_tables(edgeemo, faces):
    shutil.copytree(faces / "sad", faces / "grim")
    (faces / "happy").rename(faces / "Happy")
    (faces / "sad" / "broken.jpg").write_bytes(b"nothing")
    shown = edgeemo("evaluate", MODEL, "--data", "faces", "--slice", "folder")
    assert shown.status == 1
    assert "error: --slice folder: the class folders have no sub-folders" in shown.err
    shown = edgeemo("evaluate", MODEL, "--data", "faces")
    assert shown.status == 0
    assert "golden/int8.tflite on faces: 20 images, images taken whole" in shown.out
    assert "accuracy " in shown.out
    assert "coverage" not in shown.out  # every image gets a label
    assert "Classes that the model does not know, by prediction:" in shown.out
    assert "note: the folder Happy is taken for the label happy" in shown.err
    assert "warning: 1 image left out, which cannot be read: faces/sad/broken.jpg: " in shown.err
    assert "is not verified" in shown.err


def test_json_holds_every_figure_and_the_gates_that_are_missed(edgeemo, faces):
    shown = edgeemo("evaluate", MODEL, "--data", "faces", "--min-accuracy", "1", "--json")
    assert shown.status == 3
    found = json.loads(shown.out)
    assert found["overall"]["n"] == 20
    assert found["failures"] == [shown.err.splitlines()[-1].removeprefix("error: not passed: ")]
    assert found["failures"][0].startswith("accuracy 0.")


def test_the_page_is_named(edgeemo, faces):
    shown = edgeemo("evaluate", MODEL, "--data", "faces", "--html", "page.html")
    assert shown.err.splitlines()[-1] == "page: page.html"
    assert Path("page.html").read_text().startswith("<!")
    shown = edgeemo("compare", MODEL, "happy-sad", "--data", "faces", "--html", "c.html", "--json")
    assert json.loads(shown.out)["html"] == "c.html"
    assert Path("c.html").is_file()


def test_a_gate_that_is_met_says_nothing(edgeemo):
    shown = edgeemo("evaluate", MODEL, "--data", "faces", "--min-accuracy", "0", "-q", "--json")
    assert shown.status == 0
    assert json.loads(shown.out)["failures"] == []


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ("--data gone", 1, "gone: no such folder or .zip file"),
        ("--data faces/happy", 1, "images of one class; name the folder that it lies in"),
        ("--data faces --rename joy", 2, "must be FOLDER=LABEL, not 'joy'"),
        ("--data faces --slice camera", 2, "must be folder, for the sub-folders"),
        ("--data faces --min-accuracy 90", 2, "must be 0 to 1"),
        ("--data faces --split foo", 2, "must be train, validation, test or all"),
        ("--data faces --html gone/page.html", 2, "gone/page.html is not a file in a folder"),
        ("--data faces --split train", 1, "has no splits; omit --split train"),
        ("--data faces --classes hapy", 1, "did you mean 'happy'?"),
        ("", 2, "missing option '--data'"),
    ],
)
def test_a_mistake_is_one_line(edgeemo, words, status, says):
    shown = edgeemo("evaluate", MODEL, *words.split())
    assert shown.status == status
    assert says in shown.err.splitlines()[-1]
    assert shown.out == ""


def test_a_missing_model_suggests_one(edgeemo, tmp_path):
    (tmp_path / "models/mine").mkdir(parents=True)
    (tmp_path / "models/mine/spec.json").write_text("{}")
    shown = edgeemo("evaluate", "models/mien", "--data", "faces")
    assert "did you mean models/mine?" in shown.err


def test_only_the_light_packages_are_needed():
    hidden = ("tensorflow", "keras", "matplotlib", "jinja2", "scipy", "imagehash", "cv2")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({hidden}))\n"
        f"sys.argv = ['edgeemo', 'evaluate', {str(MODEL)!r}, '--data', 'faces']\n"
        "from edgeemo.cli.start import main; main()"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "accuracy" in ran.stdout


def test_names_with_line_ends_stay_on_their_line(edgeemo, faces):
    for number, path in enumerate(sorted((faces / "sad").iterdir())):
        path.rename(path.with_name(f"a\n{number}.jpg"))
    (faces / "sad" / "broken\nname.jpg").write_bytes(b"nothing")
    shown = edgeemo("evaluate", MODEL, "--data", "faces")
    (line,) = [line for line in shown.err.splitlines() if "cannot be read" in line]
    assert "faces/sad/broken\\nname.jpg: not an image" in line
    lines = shown.out.splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("image "))
    place = lines[first].index("true")
    assert all(line[place - 2 : place].isspace() for line in lines[first + 2 :] if "\\n" in line)
