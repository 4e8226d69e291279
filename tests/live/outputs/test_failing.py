"""An output that fails or stalls costs itself alone, and a run that ends leaves whole files."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import time
from pathlib import Path
from threading import Event as Flag

import pytest

from edgeemo.errors import OutputError
from edgeemo.live.outputs.fan_out import FanOut
from edgeemo.live.outputs.worker import Worker

from .made import change, see

REPOSITORY = Path(__file__).resolve().parents[3]


class _Output:
    name = "one"

    def __init__(self, failure=None, *, closing_s=0.0):
        self.failure, self.closing_s = failure, closing_s
        self.got, self.is_closed = [], False

    def add_observation(self, seen):
        if self.failure:
            raise self.failure
        self.got.append(seen)

    add_event = add_observation

    def close(self):
        time.sleep(self.closing_s)
        self.is_closed = True


def test_an_output_that_fails_is_closed_and_said_once():
    bad, good, said = _Output(OSError(28, "No space left")), _Output(), []
    outputs = FanOut([bad, good], report=said.append)
    for number in range(3):
        outputs.add_observation(see(number))
        outputs.add_event(change(number))
    outputs.close()
    assert len(good.got) == 6
    assert bad.is_closed
    assert said == ["one: no space left; this output has ended"]
    assert outputs.failed == 1


def test_outputs_close_side_by_side_and_none_holds_up_the_end():
    said = []
    outputs = [_Output(closing_s=0.3), _Output(closing_s=0.3), _Output(closing_s=30)]
    began = time.monotonic()
    FanOut(outputs, report=said.append).close(wait_s=0.5)
    assert time.monotonic() - began < 1.5
    assert [each.is_closed for each in outputs] == [True, True, False]
    assert said == ["one: not finished after 0.5 s; left as it is"]


def test_nobody_reads_standard_output_ends_the_run():
    with pytest.raises(BrokenPipeError):
        FanOut([_Output(BrokenPipeError())], report=print).add_observation(see(0))


def test_a_slow_worker_drops_and_says_so_once():
    go, said, done = Flag(), [], []
    worker = Worker(lambda n: (go.wait(), done.append(n)), limit=2, on_drop=lambda: said.append(1))
    assert [worker.put(number) for number in range(5)] == [True, True, False, False, False]
    assert (said, worker.dropped) == ([1], 3)
    assert worker.put(5, always=True)
    go.set()
    assert worker.finish(10)
    assert done == [0, 1, 5]


def test_a_patient_worker_loses_nothing_and_raises_what_went_wrong(monkeypatch):
    done = []
    worker = Worker(lambda n: (time.sleep(0.001), done.append(n)), limit=2, waits=True)
    for number in range(50):
        worker.put(number)
    assert worker.finish(None)
    assert done == list(range(50))
    broken = Worker(lambda _: 1 / 0, limit=1, waits=True)
    broken.put(1)
    with pytest.raises(ZeroDivisionError):
        broken.put(2)
    monkeypatch.setattr("edgeemo.live.outputs.worker._PATIENCE_S", 0.1)
    stalled = Worker(lambda _: Flag().wait(5), limit=1, waits=True)
    stalled.put(1)
    with pytest.raises(OutputError, match="nothing was written"):
        stalled.put(2)


def _wait_for_line(process):
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return json.loads(line)


def test_a_full_disk_costs_the_video_alone(edgeemo_process, tmp_path):
    pytest.importorskip("av")
    resource = pytest.importorskip("resource")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    words = ("live", "test", "--json", "--annotate", "a.mp4", "--seconds", 3)
    process = edgeemo_process(*words, preexec_fn=limit)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    times = [json.loads(line)["time"] for line in output.splitlines()]
    assert times[-1] - times[0] > 2
    said = [line for line in errors.splitlines() if line.startswith("a.mp4: ")]
    assert len(said) == 1
    assert said[0].endswith("; this output has ended")


def test_a_full_disk_leaves_whole_lines(edgeemo_process, tmp_path):
    resource = pytest.importorskip("resource")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    with (tmp_path / "out.jsonl").open("wb") as stream:
        words = ("live", "test", "--json", "--seconds", 2)
        process = edgeemo_process(*words, preexec_fn=limit, stdout=stream)
        _, errors = process.communicate(timeout=60)
    assert "standard output: file too large; this output has ended" in errors.splitlines()
    lines = (tmp_path / "out.jsonl").read_text().split("\n")
    assert lines.pop() == ""
    assert all(json.loads(line)["faces"] for line in lines)
    assert process.returncode == 1


def test_sigterm_closes_all_files_within_two_seconds(edgeemo_process, tmp_path):
    av = pytest.importorskip("av")
    hanging = f"{sys.executable} -c 'import time; time.sleep(60)'"
    process = edgeemo_process(
        "live", "test", "--json", "--annotate", "a.mp4", "--clip", 2, "--clips", "clips",
        "--html", "a.html", "--collect", "new", "--on-change", hanging,
        "--webhook", "http://192.0.2.1/hook",
    )  # fmt: skip
    for _ in range(45):
        _wait_for_line(process)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    output, errors = process.communicate(timeout=30)
    assert time.monotonic() - began < 2
    assert process.returncode == 0, errors
    assert all(json.loads(line)["faces"] is not None for line in output.splitlines())
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) > 30
    assert "</html>" in (tmp_path / "a.html").read_text()
    names = {each.name for each in tmp_path.iterdir()}
    assert names == {"a.mp4", "a.html", "clips", "new"}  # and nothing half-written


def test_a_kill_leaves_whole_lines_and_a_video_that_plays(monkeypatch, tmp_path):
    pytest.importorskip("av")
    monkeypatch.syspath_prepend(REPOSITORY)
    from benchmarks.live_rows.kill import kill_once

    found = kill_once(tmp_path, 0.6)
    assert found["whole"] == 1
    assert found["lines"] >= 3
    assert found["frames"] >= 3


def test_nothing_is_stored_or_sent_unless_requested(edgeemo_process, tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    process = edgeemo_process("live", "test", "--seconds", 1, env=environment)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "face 1: happy" in io.StringIO(output).readline()
    assert not list(tmp_path.iterdir())
