from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def faces(tmp_path):
    """Fourteen images a class, one of them twice."""
    for label, first in (("happy", 0), ("sad", 100)):
        (tmp_path / "faces" / label).mkdir(parents=True)
        for number in range(first, first + 14):
            rng = np.random.default_rng(number)
            small = Image.fromarray(rng.integers(0, 256, (6, 6, 3)).astype(np.uint8))
            smooth = np.asarray(small.resize((48, 48), Image.Resampling.BICUBIC), float)
            noisy = smooth + rng.normal(0, 16, smooth.shape)  # as of a camera: not upscaled
            image = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
            image.save(tmp_path / "faces" / label / f"{number:03}.png")
    shutil.copy(tmp_path / "faces/happy/001.png", tmp_path / "faces/happy/copy.png")
    return tmp_path / "faces"


def test_check_says_what_is_there(edgeemo, faces):
    shown = edgeemo("data", "check", faces)
    assert shown.status == 0
    for words in ("29, of which 29 usable", "PNG 29", "copy of another", "brightness"):
        assert words in shown.out


def test_check_as_json_and_as_a_page(edgeemo, faces, tmp_path):
    page = tmp_path / "page.html"
    shown = edgeemo("data", "check", faces, "--json", "--html", page)
    content = json.loads(shown.out)
    assert content["root"] == str(faces)
    assert content["html"] == str(page)
    assert content["needs_action"] is True
    assert content["counts"] == {"all": {"happy": 15, "sad": 14}}
    assert f"page: {page}" in shown.err
    assert page.read_text().count("data:image/") == 2


@pytest.fixture
def reviewed(faces, tmp_path):
    """A review of the folder in a process of its own: its address, and the process."""
    image = Image.open(faces / "happy/001.png")
    image.resize((400, 60)).save(faces / "happy/long.png")
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeemo", "data", "review", faces, "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    for line in process.stderr:
        if line.startswith("review: "):
            break
    yield line.removeprefix("review: ").strip(), process
    process.kill()
    process.communicate()


def _ask(url, body):
    host = url.split("/")[2]
    request = urllib.request.Request(url + "decide", json.dumps(body).encode())
    request.add_header("Origin", f"http://{host}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


@pytest.mark.parametrize(("number", "status"), [("SIGINT", 0), ("SIGTERM", 143), ("SIGKILL", -9)])
def test_a_review_loses_nothing_however_it_ends(edgeemo, reviewed, faces, tmp_path, number, status):
    url, process = reviewed
    assert _ask(url, {"item": 0, "decision": "exclude", "label": ""})["decided"] == 1
    process.send_signal(getattr(signal, number))
    out, err = process.communicate(timeout=30)
    assert process.returncode == status, err
    assert "Traceback" not in err
    table = tmp_path / "faces-review.csv"
    if status >= 0:
        assert "excluded    1" in out
        assert f"next: edgeemo train --data {faces} --review {table}" in err
    shown = edgeemo("data", "clean", faces, "--out", tmp_path / "out", "--review", table)
    assert "1 reviewed" in shown.err
    assert not (tmp_path / "out/happy/long.png").exists()
    assert (faces / "happy/long.png").exists()


def test_a_second_review_of_a_folder_and_a_taken_port_are_refused(edgeemo, reviewed, faces):
    url, process = reviewed
    second = edgeemo("data", "review", faces, "--no-browser")
    assert (second.status, second.out) == (1, "")
    assert "another process" in second.err.splitlines()[-1]
    process.send_signal(signal.SIGSTOP)
    port = int(url.split("/")[2].split(":")[1])
    other = faces.parent / "other"
    shutil.copytree(faces, other)
    taken = edgeemo("data", "review", other, "--no-browser", "--port", port)
    assert (taken.status, taken.out) == (1, "")
    assert taken.err.splitlines()[-1].startswith(f"error: port {port} of 127.0.0.1 cannot be used")


def test_a_review_never_writes_into_the_folder(edgeemo, faces, monkeypatch):
    shown = edgeemo("data", "review", faces, "--out", faces / "review.csv")
    assert shown.status == 2
    assert "which is not touched" in shown.err
    shown = edgeemo("data", "review", faces, "--out", faces / "happy/001.png")
    assert shown.status == 2


def test_a_review_of_the_working_folder_writes_beside_it(edgeemo, faces, monkeypatch):
    monkeypatch.chdir(faces)
    monkeypatch.setattr(
        "edgeemo.dataset.review.serve_review", lambda session, **_: session.decide(0, "keep")
    )
    Image.open("happy/001.png").resize((400, 60)).save("happy/long.png")
    shown = edgeemo("data", "review", ".", "--json")
    assert json.loads(shown.out) == {
        "table": str(faces.parent / "faces-review.csv"),
        "images": 2, "decided": 1, "keep": 1, "relabel": 0, "exclude": 0,
    }  # fmt: skip
    assert (faces.parent / "faces-review.csv").is_file()


def test_a_link_to_a_folder_is_named_as_it_is_called(edgeemo, faces, tmp_path, monkeypatch):
    (tmp_path / "mine").symlink_to(faces)
    monkeypatch.chdir(tmp_path)
    shown = edgeemo("data", "review", "mine", "--json")
    assert json.loads(shown.out)["table"] == "mine-review.csv"


def test_without_anything_to_review_there_is_no_page(edgeemo, tmp_path, faces):
    shown = edgeemo("data", "review", faces)
    assert shown.status == 0
    assert "nothing to review" in shown.err


def test_a_table_of_something_else_is_refused_before_any_work(edgeemo, faces, tmp_path):
    (tmp_path / "mine.csv").write_text("a,b\n")
    for words in (("review",), ("clean", "--out", tmp_path / "x")):
        flag = "--out" if words == ("review",) else "--review"
        shown = edgeemo("data", *words[:1], faces, *words[1:], flag, tmp_path / "mine.csv")
        assert shown.status == 1
        assert "not a table of 'edgeemo data review'" in shown.err


def test_strict_ends_with_3_until_it_is_clean(edgeemo, faces, tmp_path):
    assert edgeemo("data", "check", faces, "--strict").status == 3
    assert edgeemo("data", "clean", faces, "--out", tmp_path / "clean").status == 0
    assert edgeemo("data", "check", tmp_path / "clean", "--strict").status == 0


def test_check_reads_a_zip(edgeemo, faces, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", faces)
    content = json.loads(edgeemo("data", "check", archive, "--json").out)
    assert (content["root"], content["found"]) == (archive, 29)


def test_check_looks_for_faces_without_the_faces_extra(edgeemo, photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    found = json.loads(edgeemo("data", "check", photos, "--faces", "--json").out)["faces"]
    assert found == {
        "detector": "blaze",
        "one": 28,
        "several": 0,
        "none": ["happy/none.png", "sad/none.png"],
        "share_per_class": {"happy": 14 / 15, "sad": 14 / 15},
    }
    assert "detected by blaze" in edgeemo("data", "check", photos, "--face-detector", "blaze").out


def test_check_without_the_detector_that_was_asked_for_goes_on(edgeemo, faces, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    shown = edgeemo("data", "check", faces, "--face-detector", "cascade", "--json")
    assert shown.status == 0
    assert "[faces]'" in shown.err.partition(" -m pip install ")[2]
    assert json.loads(shown.out)["faces"] is None


def test_clean_and_split(edgeemo, faces, tmp_path):
    out = tmp_path / "out"
    shown = edgeemo("data", "clean", faces, "--out", out, "--json")
    assert json.loads(shown.out) == {
        "folder": str(out),
        "counts": {"all": {"happy": 14, "sad": 14}},
        "excluded": {"duplicate": 1},
    }
    shown = edgeemo("data", "split", faces, "--out", out, "--ratios", "1/2,0,1/2", "--force")
    assert shown.status == 0
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["test", "train"]
    assert "1 duplicate" in shown.err


def test_crop(edgeemo, photos, tmp_path):
    out = tmp_path / "crops"
    shown = edgeemo("data", "crop", photos, "--out", out, "--face-margin", 0.1, "--size", 40)
    assert shown.status == 0
    rows = [line.split() for line in shown.out.splitlines()]
    assert [row for row in rows if "all" in row] == [
        ["all", "happy", "15", "14", "0", "1", "0", "14"],
        ["all", "sad", "15", "14", "0", "1", "0", "14"],
        ["all", "30", "28", "0", "2", "0", "28"],
    ]
    assert "faces detected by blaze, margin 0.1" in shown.err
    with Image.open(out / "happy/00.png") as crop:
        assert crop.size == (40, 40)
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", photos)
    shown = edgeemo("data", "crop", archive, "--out", out, "--all-faces", "--force", "--json")
    content = json.loads(shown.out)
    assert content["folder"] == str(out)
    assert content["counts"]["all"]["sad"]["crops"] == 14
    assert content["faces"]["cropped"] is True
    assert (out / "sad/00-1.png").is_file()


def test_crop_without_any_face_is_one_line(edgeemo, photos, tmp_path):
    for label in ("happy", "sad"):
        (tmp_path / "walls" / label).mkdir(parents=True)
        shutil.copy(photos / label / "none.png", tmp_path / "walls" / label)
    shown = edgeemo("data", "crop", tmp_path / "walls", "--out", tmp_path / "crops")
    assert shown.status == 1
    said = f"error: {tmp_path / 'walls'}: blaze detects no face in any of 2 files\n"
    assert shown.err.endswith(said)
    assert not (tmp_path / "crops").exists()


def test_draw(edgeemo, tmp_path):
    out = tmp_path / "drawn"
    options = ("--count", 6, "--size", 32, "--seed", 4, "--json")
    assert json.loads(edgeemo("data", "draw", out, *options).out)["count"] == 6
    assert len(list(out.glob("happy/*"))) == 3
    shown = edgeemo("data", "draw", out, "--count", 4, "--size", 32)
    assert (shown.status, "--force" in shown.err) == (1, True)
    assert edgeemo("data", "draw", out, "--count", 4, "--size", 32, "--force").status == 0
    assert len(list(out.glob("happy/*"))) == 2
    (tmp_path / "mine").mkdir()
    shown = edgeemo("data", "draw", tmp_path / "mine", "--force")
    assert (shown.status, "not written by edgeemo" in shown.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("check", "missing"), 1, "no such folder or .zip file"),
        (("check", "faces", "--accept", "tiff"), 2, "cannot accept tiff"),
        (("check", "faces", "--html", "missing/page.html"), 2, "--html"),
        (("clean", "faces", "--out", "faces"), 2, "where the images are"),
        (("clean", "faces", "--out", "faces/clean"), 1, "must be neither inside nor around"),
        (("clean", "faces", "--out", "taken"), 1, "exists already"),
        (("clean", "faces", "--out", "taken", "--force"), 1, "not written by edgeemo"),
        (
            ("clean", "faces", "--out", "new", "--link", "soft"),
            2,
            "must be copy, hard or symlink, not",
        ),
        (
            ("clean", "packed.zip", "--out", "new", "--link", "hard"),
            2,
            "--link hard requires a folder",
        ),
        (("split", "faces", "--out", "new", "--ratios", "1,2"), 2, "must be a list of 3 numbers"),
        (("split", "faces", "--out", "new", "--ratios", "0.5,0.5,0.5"), 2, "add up to 1"),
        (("crop", "faces", "--out", "faces"), 2, "where the images are"),
        (("crop", "faces", "--out", "taken", "--force"), 1, "not written by edgeemo"),
        (("crop", "faces", "--out", "new", "--accept", "tiff"), 2, "cannot accept tiff"),
        (("crop", "faces", "--out", "new", "--face-detector", "blase"), 2, "did you mean 'blaze'"),
        (("crop", "faces", "--out", "new", "--face-margin", "7"), 2, "must be -0.3 to 2, not 7.0"),
        (("crop", "faces", "--out", "new", "--face-model", "packed.zip"), 1, "not an ONNX file"),
        (("crop", "missing", "--out", "new"), 1, "no such folder or .zip file"),
        (("draw", "taken"), 1, "exists already"),
    ],
)
def test_mistakes_are_one_line(edgeemo, faces, tmp_path, monkeypatch, words, status, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    shutil.make_archive(str(tmp_path / "packed"), "zip", faces)
    shown = edgeemo("data", *words)
    assert shown.status == status
    assert message in " ".join(shown.err.replace("│", " ").split())
    assert not (tmp_path / "new").exists()
