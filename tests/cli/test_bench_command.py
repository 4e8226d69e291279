"""``edgeemo bench`` as a person sees it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgeemo.model.folder import ModelFolder
from edgeemo.utils.files import sha256_file
from edgeemo.utils.serialize import to_plain

from ..bench.conftest import report, result

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
QUICK = ("--threads", "1", "--seconds", "1")


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A working directory with a model folder, one of whose two files is verified."""
    folder = tmp_path / "models" / "mine"
    folder.mkdir(parents=True)
    for name in ("float32.tflite", "int8.tflite"):
        shutil.copy(GOLDEN / name, folder)
    (folder / "spec.json").touch()
    accuracy = {"candidate": {"value": 0.9, "low": 0.8, "high": 0.95}}
    entry = {
        "sha256": sha256_file(GOLDEN / "int8.tflite"),
        "passed": True,
        "measured": {"accuracy": accuracy},
    }
    (folder / "verify.json").write_text(json.dumps({"files": [entry]}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def measured(tmp_path):
    """What a device sent: both files, int8 the faster."""
    results = [
        result(name, ms, sha256=sha256_file(GOLDEN / name))
        for name, ms in (("float32.tflite", 9), ("int8.tflite", 5))
    ]
    path = tmp_path / "pi.json"
    path.write_text(json.dumps(to_plain(report(*results))))
    return path


@pytest.mark.slow
def test_the_newest_model_is_measured_and_the_outcome_kept(edgeemo, models, quick_bench):
    shown = edgeemo("bench", *QUICK)
    assert shown.status == 0
    assert "float32.tflite x1" in shown.out
    assert "90.0%" in shown.out
    assert "*: fastest" in shown.err
    assert "image: models/mine/bench.png" in shown.err
    assert shown.err.splitlines()[-1] == "report: models/mine/bench.json"
    kept = json.loads(Path("models/mine/bench.json").read_text())
    assert [each["verified"] for each in kept["results"]] == [False, True]
    assert Path("models/mine/bench.png").read_bytes().startswith(b"\x89PNG")
    assert not [path for path in Path("models/mine").iterdir() if path.name.startswith(".")]


@pytest.mark.slow
def test_one_json_object_and_nothing_else(edgeemo, models, quick_bench):
    shown = edgeemo("bench", "models/mine/int8.tflite", *QUICK, "--json")
    said = json.loads(shown.out)
    assert [(each["file"], each["status"]) for each in said["results"]] == [
        ("int8.tflite", "measured")
    ]
    assert said["results"][0]["measurement"]["rounds"] == 2
    assert not {"comparison", "picked"} & set(said)
    assert {path.name for path in models.iterdir()} == {"models"}  # a single file: nothing is kept


@pytest.mark.slow
def test_finding_faces_is_a_stage(edgeemo, models, quick_bench):
    shown = edgeemo("bench", "models/mine/int8.tflite", *QUICK, "--faces")
    assert shown.status == 0
    assert "a drawn photo with two faces, 640x480" in shown.out
    header = next(line for line in shown.out.splitlines() if "decode" in line)
    assert header.split()[-4:] == ["decode", "detect", "resize", "invoke"]


def test_what_a_device_measured_chooses_here(edgeemo, models, measured):
    shown = edgeemo("bench", "models/mine", "--from", measured, "--pick", "--json")
    assert shown.status == 0
    picked = json.loads(shown.out)["picked"]
    assert (picked["file"], picked["threads"]) == ("int8.tflite", 1)
    assert "picked int8.tflite with 1 thread: the fastest of 1 verified candidate" in shown.err
    assert json.loads(Path("models/mine/default.json").read_text())["reason"] == picked["reason"]
    assert not Path("models/mine/bench.json").exists()  # it tells of another machine
    assert ModelFolder(Path("models/mine")).choose_default().file.name == "int8.tflite"


def test_where_none_fits_the_default_stays_and_the_status_is_3(edgeemo, models, measured):
    Path("models/mine/default.json").write_text("as it was")
    words = ("bench", "models/mine", "--from", measured, "--pick", "--max-p99-ms", "0.001")
    shown = edgeemo(*words, "--json")
    assert shown.status == 3
    assert json.loads(shown.out)["picked"] is None
    assert "nearest is int8.tflite with 1 thread: p99" in shown.err.splitlines()[-1]
    assert "exceeds 0.001 ms by" in shown.err.splitlines()[-1]
    assert Path("models/mine/default.json").read_text() == "as it was"


def test_compared_with_itself_nothing_is_faster(edgeemo, models, measured):
    words = ("bench", "models/mine", "--from", measured, "--compare", measured)
    shown = edgeemo(*words)
    assert shown.status == 0
    assert shown.out.count("unclear") == 2
    assert "unclear: the intervals allow both" in shown.err
    said = json.loads(edgeemo(*words, "--json").out)["comparison"]
    assert said["caveats"] == []
    assert [each["ratio"]["value"] for each in said["candidates"]] == [1.0, 1.0]


def test_an_imported_report_is_kept_in_the_folder_given(edgeemo, models, measured):
    shown = edgeemo("bench", "models/mine", "--from", measured, "--out", "a/b")
    assert shown.status == 0
    assert {path.name for path in Path("a/b").iterdir()} == {"bench.json", "bench.png"}


@pytest.mark.slow
def test_a_file_that_cannot_be_used_does_not_stop_the_others(edgeemo, models, quick_bench):
    good, bad = Path("models/mine/int8.tflite"), Path("bad.tflite")
    bad.write_bytes(good.read_bytes()[:-1])
    shown = edgeemo("bench", good, bad, "gone.onnx", *QUICK)
    assert shown.status == 1
    assert "bad.tflite: failed: carries no edgeemo specification, or was cut short" in shown.err
    assert "gone.onnx: failed: cannot be read: No such file or directory" in shown.err
    assert "int8.tflite x1 *" in shown.out


@pytest.mark.slow
def test_an_engine_that_is_not_installed_is_no_error_unless_nothing_ran(
    edgeemo, models, quick_bench, monkeypatch
):
    package = models / "shadow" / "onnxruntime"
    package.mkdir(parents=True)
    gone = "raise ModuleNotFoundError('no such module', name='onnxruntime')"
    (package / "__init__.py").write_text(gone)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    shutil.copy(GOLDEN / "int8.onnx", "models/mine")
    shown = edgeemo("bench", *QUICK)
    assert shown.status == 0
    assert "int8.onnx: not run: onnxruntime is not installed" in shown.err
    shown = edgeemo("bench", "models/mine/int8.onnx", *QUICK)
    assert shown.status == 1
    assert shown.err.splitlines()[-1] == "error: nothing could be measured"


@pytest.mark.slow
def test_own_images_are_answered(edgeemo, models, quick_bench):
    from PIL import Image

    Path("faces").mkdir()
    for name in ("a.png", "b.png"):
        Image.linear_gradient("L").save(f"faces/{name}")
    words = ("bench", "models/mine/int8.tflite", "--image", "faces", *QUICK)
    shown = edgeemo(*words)
    assert "faces (2 images, " in shown.out
    Path("faces/c.png").write_bytes(b"hello")
    shown = edgeemo(*words)
    assert (shown.status, shown.out) == (1, "")
    assert shown.err.splitlines()[-1].startswith("error: faces/c.png: not an image")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--threads", "0"], 2, "--threads must be at least 1, not '0'"),
        (["--threads", "two"], 2, "--threads must be a list of whole numbers, not 'two'"),
        (["--seconds", "0.5"], 2, "--seconds must be at least 1, not 0.5"),
        (["--max-p99-ms", "5"], 2, "--max-p99-ms requires --pick"),
        (["models/mine/int8.tflite", "--pick"], 2, "--pick requires one model folder"),
        (["--from", "x.json", "--threads", "2"], 2, "--from excludes --threads"),
        (["--from", "x.json", "--faces"], 2, "--from excludes --faces"),
        (["gone"], 1, "gone: no such file or folder; "),
        (["--image", "gone.jpg"], 1, "gone.jpg: cannot be read"),
        (["--image", "models"], 1, "models: contains no .jpg, .png or .bmp files"),
        (["--compare", "gone.json"], 1, "gone.json: cannot be read"),
        (["--compare", "models/mine/verify.json"], 1, "not a report of this version"),
        (["--from", "models/mine/verify.json"], 1, "not a report of this version"),
        (["--out", "models/mine/int8.tflite"], 1, "cannot be written to (File exists); name"),
        (["--out", "/proc/x"], 1, "/proc/x: cannot be written to"),
        (["empty"], 1, "empty: not a model folder (it has no spec.json)"),
    ],
)
def test_mistakes_end_in_one_line(edgeemo, models, words, status, said):
    Path("empty").mkdir()
    shown = edgeemo("bench", *words)
    assert shown.status == status
    assert said in " ".join(shown.err.split())
    assert not Path("models/mine/bench.json").exists()


def test_a_report_of_other_files_chooses_nothing(edgeemo, models, measured):
    shutil.copy(GOLDEN / "float32.onnx", "other.onnx")
    shown = edgeemo("bench", "other.onnx", "--from", measured)
    assert shown.status == 1
    assert "pi.json: measured float32.tflite, int8.tflite, and none of these" in shown.err


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_everything_and_leaves_nothing(models, start_process, number, status):
    """Sent to the command alone, as `kill` does; its worker has to be ended by it."""
    command = [sys.executable, "-m", "edgeemo", "bench", "--threads", "1"]
    with start_process(command, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.startswith("Round 2"):
                break
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (children := [each for each in workers.read_text().split() if _works(each)]):
            pass
        process.send_signal(number)
        rest = process.stderr.read()
    assert process.returncode == status
    assert "Traceback" not in rest
    for _ in range(300):  # a process that was killed may take a moment to be gone
        if not (left := [child for child in children if _runs(child)]):
            break
        time.sleep(0.1)
    assert not left
    assert {path.name for path in Path("models/mine").iterdir()} == {
        "float32.tflite", "int8.tflite", "spec.json", "verify.json",
    }  # fmt: skip


def _works(process: str) -> bool:
    """Whether a process has loaded numpy, so that it is a worker and its start is over."""
    try:
        return "numpy" in Path(f"/proc/{process}/maps").read_text()
    except OSError:
        return False


def _runs(process: str) -> bool:
    """Whether a process is there and no zombie, which only waits for somebody to ask for it."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes() != b""
    except OSError:
        return False
