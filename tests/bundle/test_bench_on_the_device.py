"""``python3 NAME.pyz bench`` run as a device runs it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgeemo.bench.results import BenchmarkReport
from edgeemo.bundle import BundleOptions, make_bundle
from edgeemo.bundle.device.contents import Contents
from edgeemo.model.face_request import FaceRequest
from edgeemo.utils.files import sha256_file

pytestmark = pytest.mark.slow

FIND = FaceRequest(enabled=True)
GOLDEN = Path(__file__).resolve().parents[1] / "golden"
QUICK = ("--threads", "1", "--seconds", "1")
TWO_ROUNDS = """
import runpy, sys
del sys.argv[0]
sys.path.insert(0, sys.argv[0])
from edgeemo.bench import measure
measure.MIN_ROUNDS = measure.MAX_ROUNDS = 2
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def ran(device, tmp_path_factory):
    """One run of a bundle with a fallback, given a copy of the file inside and a damaged one."""
    folder = tmp_path_factory.mktemp("bench")
    bundle = make_bundle(
        GOLDEN / "int8.tflite",
        folder / "tiny.pyz",
        options=BundleOptions(fallback=GOLDEN / "float32.onnx"),
    )
    shutil.copy(GOLDEN / "int8.tflite", folder)
    (folder / "bad.tflite").write_bytes(b"hello")
    words = ("bench", "--json", "int8.tflite", "bad.tflite", *QUICK)
    ran = device(bundle.path, *words, cwd=folder)
    there = {path.name for path in folder.iterdir()}
    assert there == {"tiny.pyz", "int8.tflite", "bad.tflite"}
    return ran


@pytest.fixture(scope="module")
def report(ran):
    return BenchmarkReport.from_json(ran.out.encode(), origin="pi.json")


def test_the_file_inside_its_fallback_and_others_are_measured(ran, report):
    """And the file inside once, though it was named as well."""
    assert [(each.file, each.status) for each in report.results] == [
        ("int8.tflite", "measured"), ("float32.onnx", "measured"), ("bad.tflite", "failed")
    ]  # fmt: skip
    assert ran.status == 1
    assert "Round 6 of 6 ..." in ran.err


def test_its_json_is_what_the_workstation_takes(report):
    inside, fallback, _ = report.results
    assert inside.sha256 == sha256_file(GOLDEN / "int8.tflite")
    assert (inside.engine, fallback.engine) == ("ai-edge-litert", "onnxruntime")
    assert inside.size_bytes == (GOLDEN / "int8.tflite").stat().st_size
    assert inside.measurement.total.p50.low is not None
    assert {"numpy", "pillow", "ai-edge-litert", "onnxruntime"} <= set(report.versions)


def test_a_bundle_that_finds_faces_times_it(device, tmp_path):
    made = make_bundle(
        GOLDEN / "int8.tflite",
        tmp_path / "faces.pyz",
        options=BundleOptions(faces=FaceRequest(enabled=True)),
    )
    shutil.copy(GOLDEN / "float32.tflite", tmp_path)
    words = ("bench", "--json", "float32.tflite", *QUICK)
    few = ("-c", TWO_ROUNDS)
    ran = device(made.path, *words, cwd=tmp_path, python=few)
    assert ran.status == 0, ran.err
    found = BenchmarkReport.from_json(ran.out.encode(), origin="pi.json")
    assert found.image.startswith("a drawn photo with two faces, 640x480")
    assert ["detect" in each.measurement.warm_ms for each in found.results] == [True, True]
    assert [each.measurement.rounds for each in found.results] == [2, 2]
    plain = json.loads(device(made.path, *words, "--no-faces", cwd=tmp_path, python=few).out)
    assert plain["image"].startswith("a drawn camera frame, 640x480")
    assert "detect" not in plain["results"][0]["measurement"]["warm_ms"]


def test_a_bundle_without_a_face_detector_cannot_time_it(int8, device):
    ran = device(int8.path, "bench", "--faces", *QUICK)
    assert ran.status == 1
    assert "failed: this bundle holds no face detector (blaze)" in ran.out


def test_a_worker_starts_with_next_to_nothing():
    """What it needs for an answer is imported where that is timed."""
    code = "import sys, edgeemo.bundle.device.bench_worker; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"numpy", "PIL", "subprocess"} & set(loaded.stdout.split())


def test_the_text_has_all_of_it(report):
    from edgeemo.bundle.device.bench import format_report

    shown = format_report(report)
    names = [line.split()[0] for line in shown.splitlines() if " x1 " in line]
    measured = ["int8.tflite", "float32.onnx"]
    assert names == [*measured, "bad.tflite", *measured, *measured]
    assert "bad.tflite: failed: carries no edgeemo specification" in shown
    assert "a drawn camera frame, 640x480" in shown


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--threads", "1,x"), 1, "error: --threads: '1,x' is not a list of whole numbers"),
        (("--seconds", "0"), 2, "must be at least 1"),
        (("--image", "gone.jpg"), 1, "error: gone.jpg: cannot be read"),
    ],
)
def test_mistakes_end_in_one_line(int8, device, words, status, said):
    ran = device(int8.path, "bench", *words)
    assert (ran.status, ran.out) == (status, "")
    assert said in ran.err.splitlines()[-1]


def test_missing_packages_are_named(int8, device):
    ran = device(int8.path, "bench", python=("-I", "-S"))
    assert ran.status == 1
    assert ran.err.startswith("error: numpy, pillow and ai-edge-litert are not installed: ")


def test_the_worker_is_not_in_the_help(int8, device):
    shown = device(int8.path, "--help").out
    assert "measure speed and memory" in shown
    assert "worker" not in shown


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_is_an_exit_status(int8, start_process, number, status):
    command = [sys.executable, int8.path, "bench"]
    with start_process(command, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.startswith("Round 1"):
                break
        process.send_signal(number)
        rest = process.stderr.read()
    assert process.returncode == status
    assert "Traceback" not in rest


def test_the_recorded_threads_travel_with_the_model(device, tmp_path):
    shutil.copy(GOLDEN / "float32.tflite", tmp_path)
    default = {"file": "float32.tflite", "threads": 2}
    (tmp_path / "default.json").write_text(json.dumps(default))
    made = make_bundle(tmp_path / "float32.tflite", tmp_path / "tiny.pyz")
    assert Contents(str(made.path)).manifest.threads == 2
    assert json.loads(device(made.path, "info", "--json").out)["threads"] == 2
    assert device(made.path, "selftest").status == 0
