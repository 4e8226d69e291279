"""``edgeemo live`` as a user types it: how it begins, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_the_normal_end_of_what_is_live(edgeemo_process, number):
    process = edgeemo_process("live", "test", "--json")
    first = process.stdout.readline()
    process.send_signal(number)
    began = time.monotonic()
    rest, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 2
    assert process.returncode == 0
    assert all(json.loads(line)["faces"] for line in (first, *rest.splitlines()))
    model, source = err.splitlines()
    assert model.startswith("model: happy-sad, which edgeemo includes")
    assert source == "source: test"


def test_a_run_may_be_limited(edgeemo):
    shown = edgeemo("live", "test", "--seconds", "0.5")
    assert shown.status == 0
    assert "face 1: happy" in shown.out
    shown = edgeemo("-q", "live", "test", "--seconds", "0.3", "--json")
    assert (shown.status, shown.err) == (0, "")
    assert all(map(json.loads, shown.out.splitlines()))


def test_a_folder_in_which_nothing_appears_in_the_time_is_no_error(edgeemo, tmp_path):
    shown = edgeemo("live", tmp_path, "--watch", "--seconds", "0.3")
    assert (shown.status, shown.out) == (0, "")
    assert shown.err.endswith(f"{tmp_path}: no frame came in that time\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_file_that_is_cut_short_is_not(edgeemo_process, tmp_path, number, status):
    """Its output waits for the reader, and even that is interrupted."""
    pytest.importorskip("av", reason="PyAV is not installed")
    from .videos import write_video

    write_video(tmp_path / "v.mp4", frames=1600)  # whose lines fill the pipe
    process = edgeemo_process("live", "v.mp4", "--json")
    process.stdout.readline()
    time.sleep(1)
    process.send_signal(number)
    began = time.monotonic()
    assert process.wait(30) == status
    assert time.monotonic() - began < 2.5


def test_a_reader_that_stalls_does_not_delay_the_end(edgeemo_process):
    """Nobody reads the pipe, which is full after some seconds; then a signal comes."""
    reading, writing = os.pipe()
    process = edgeemo_process("live", "test", "--json", "--fps", "240", stdout=writing)
    os.close(writing)
    os.read(reading, 10)
    time.sleep(2)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert process.wait(30) == 0
    assert time.monotonic() - began < 2.5
    os.close(reading)


@pytest.mark.parametrize(("what", "status"), [("open", 143), ("observe", 0)])
def test_what_takes_long_is_interrupted(start_process, tmp_path, what, status):
    """A source that does not open, and a prediction that takes five seconds."""
    program = (
        "import sys, time\n"
        "from edgeemo.live import pipeline\n"
        "from edgeemo.live.sources import drawn\n"
        "def hang(*words, **named):\n"
        "    print('hangs', flush=True)\n"
        "    time.sleep(30)\n"
        "place = {'open': drawn.DrawnFaces, 'observe': pipeline.Pipeline}[sys.argv.pop(1)]\n"
        "setattr(place, 'open' if place is drawn.DrawnFaces else 'observe', hang)\n"
        "from edgeemo.cli.start import main\n"
        "main()"
    )
    command = [sys.executable, "-c", program, what, "live", "test"]
    with start_process(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout.readline() == "hangs\n"
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(20) == status
        assert time.monotonic() - began < 2.5
        assert "Traceback" not in process.stderr.read()


def test_a_closed_standard_output_ends_it_quietly(edgeemo_process):
    process = edgeemo_process("live", "test", "--json")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(30) == 1
    assert [line.partition(":")[0] for line in process.stderr] == ["model", "source"]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("test --size 3", 2, "--size must be like 640x480, not '3'"),
        ("test --clip 3", 2, "--clip requires --clips"),
        ("test --mqtt broker", 2, "--mqtt must be like mqtts://"),
        ("test --max-fps 0", 2, "--max-fps must be more than 0"),
        ("nothing.mp4", 1, "nothing.mp4: "),
        ("test --model nothing", 1, "nothing: no such file or folder"),
    ],
)
def test_what_is_wrong_is_one_line_before_a_model_is_loaded(edgeemo, words, status, message):
    before = set(sys.modules)
    shown = edgeemo("live", *words.split())
    assert (shown.status, shown.out) == (status, "")
    assert shown.err.startswith(f"error: {message}")
    assert len(shown.err.splitlines()) == 1
    assert "ai_edge_litert" not in set(sys.modules) - before


def test_it_starts_without_what_it_does_not_need(tmp_path):
    """The Pi camera needs neither a video library nor a web framework; nor is Typer imported."""
    program = (
        "import sys; from edgeemo.__main__ import main\n"
        "try: main()\n"
        "finally: print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, "live", "test", "--seconds", "0.2", "--json"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    loaded = set(ran.stderr.splitlines()[-1].split())
    assert "ai_edge_litert" in loaded
    heavy = {"av", "cv2", "jinja2", "paho", "pydantic", "rich", "starlette", "tensorflow", "typer"}
    assert loaded & (heavy | {"asyncio", "uvicorn"}) == set()
