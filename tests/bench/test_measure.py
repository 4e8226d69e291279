"""How many rounds, in which order, and what becomes of one that fails. The rounds are made up."""

from __future__ import annotations

import pytest

from edgeemo.bench.candidates import ExportedFile, exported_files, thread_counts
from edgeemo.bench.measure import MAX_ROUNDS, MIN_ROUNDS, Images, measure
from edgeemo.bench.protocol import Round, Trouble
from edgeemo.utils.progress import Silent
from edgeemo.utils.system import usable_cores

IMAGES = Images("an image", "sha", content=b"x")


def found(ms=1.0, **changes):
    fields = {
        "start": 10.0, "imports": 50.0, "load": 5.0, "first": 7.0, "cold": 72.0,
        "decode": [ms] * 90, "resize": [ms] * 90, "invoke": [ms] * 90, "whole": [ms] * 90,
        "peak_mb": 40.0, "per_second": 200.0, "engine": "ai-edge-litert 2.3.0",
        "versions": {"numpy": "2.4.6"}, "architecture": "x86_64",
    }  # fmt: skip
    return Round(**{**fields, **changes})


def run_with(run, names=("a.tflite",), threads=(1,), seconds=600.0):
    files = [ExportedFile(name=name, path=name, sha256=name, size_bytes=1) for name in names]
    return measure(
        files, threads=threads, images=IMAGES, run=run, seconds=seconds, progress=Silent(),
        after_round=lambda: None,
    )  # fmt: skip


def test_figures_that_are_certain_need_the_fewest_rounds():
    jobs = []

    def run(job):
        jobs.append(job)
        return found()

    (result,), versions = run_with(run)
    assert len(jobs) == 1 + MIN_ROUNDS  # the try is not counted
    assert (jobs[0].check, jobs[0].runs, jobs[0].stream_seconds) == (True, 1, 0)
    assert [job.first for job in jobs[1:4]] == [0, 90, 180]
    assert result.measured.rounds == MIN_ROUNDS
    assert result.measured.runs == 90 * MIN_ROUNDS
    assert result.measured.cold["cold"].value == 72.0
    assert result.measured.whole.p99.high == 1.0
    assert versions == {"numpy": "2.4.6"}


def test_figures_that_are_not_certain_get_more_rounds():
    times = iter(range(1, 100))
    (result,), _ = run_with(lambda _: found(float(next(times))))
    assert result.measured.rounds == MAX_ROUNDS


def test_too_few_runs_get_more_rounds():
    (result,), _ = run_with(lambda _: found(whole=[1.0] * 60))
    assert result.measured.runs == 540
    assert result.measured.rounds == 9


def test_it_ends_when_the_time_is_over():
    times = iter(range(1, 100))
    (result,), _ = run_with(lambda _: found(float(next(times))), seconds=1.0)
    assert result.measured.rounds == MIN_ROUNDS


def test_candidates_take_turns():
    order = []

    def run(job):
        order.append(f"{job.path}{job.threads}")
        return found()

    run_with(run, names=("a", "b"), threads=(1, 2))
    assert order == ["a1", "a2", "b1", "b2"] * (1 + MIN_ROUNDS)


def test_only_stages_that_were_timed_have_figures():
    """Of an image without a face there is nothing to resize, and many models find no faces."""
    (plain,), _ = run_with(lambda _: found())
    assert set(plain.measured.warm) == {"decode", "resize", "invoke", "whole"}
    (faces,), _ = run_with(lambda _: found(find=[2.0] * 90))
    assert faces.measured.warm["find"].p50.value == 2.0
    some = iter([[1.0] * 90, []] * MAX_ROUNDS)
    (mixed,), _ = run_with(lambda _: found(find=[2.0] * 90, resize=next(some), faceless=3))
    assert mixed.measured.warm["resize"].p50.value == 1.0
    assert mixed.measured.faceless == 3 * mixed.measured.rounds
    (none,), _ = run_with(lambda _: found(find=[2.0] * 90, resize=[], invoke=[], faceless=90))
    assert set(none.measured.warm) == {"decode", "find", "whole"}


def test_memory_is_the_largest_and_the_rest_medians():
    values = iter([(1.0, 1.0)] + [(30.0 + n, 100.0 + n) for n in range(MIN_ROUNDS)])

    def run(_):
        peak, rate = next(values)
        return found(peak_mb=peak, per_second=rate)

    (result,), _ = run_with(run)
    assert result.measured.peak_mb == 35.0
    assert (result.measured.per_second.low, result.measured.per_second.high) == (100.0, 105.0)


def test_one_that_crashes_later_has_no_figures_and_the_others_go_on():
    count = {"a": 0, "b": 0}

    def run(job):
        count[job.path] += 1
        broken = job.path == "a" and count["a"] == 4
        return Trouble("crashed", "SIGSEGV") if broken else found()

    (a, b), _ = run_with(run, names=("a", "b"))
    assert (a.status, a.reason, a.measured) == ("crashed", "SIGSEGV (in round 3)", None)
    assert b.status == "measured"
    assert count == {"a": 4, "b": 1 + MIN_ROUNDS}


def test_one_without_an_engine_is_tried_once():
    calls = []

    def run(job):
        calls.append(job)
        return Trouble("not run", "onnxruntime is not installed")

    (result,), versions = run_with(run, names=("a.onnx",))
    assert len(calls) == 1
    assert (result.status, result.engine, versions) == ("not run", "onnxruntime", {})


def test_a_file_that_cannot_be_read_is_not_even_tried(tmp_path):
    (file,) = exported_files([tmp_path / "gone.tflite"])

    def run(job):
        raise AssertionError(job)

    results, _ = measure(
        [file], threads=(1,), images=IMAGES, run=run, seconds=1, progress=Silent(),
        after_round=lambda: None,
    )  # fmt: skip
    assert results[0].status == "failed"
    assert "gone.tflite: cannot be read" in results[0].reason


def test_workers_occupy_the_cores():
    jobs = []

    def run(job):
        jobs.append(job)
        return found()

    run_with(run, threads=(1, usable_cores(), 1000))
    assert [job.workers for job in jobs[:3]] == [usable_cores(), 1, 1]


def test_thread_counts():
    assert thread_counts("4,1,2,1") == (4, 1, 2)
    assert thread_counts(None) == tuple(dict.fromkeys((1, usable_cores())))
    for text in ("0", "", "1,,2", "-1", "two", "1.5", "²"):
        with pytest.raises(ValueError, match="not a list of whole numbers"):
            thread_counts(text)


def test_files_are_called_by_their_names_where_these_differ(tmp_path):
    paths = [tmp_path / "a" / "int8.tflite", tmp_path / "b" / "int8.tflite", tmp_path / "x.onnx"]
    names = [file.name for file in exported_files([*paths, paths[0]])]
    assert names == [str(paths[0]), str(paths[1]), "x.onnx"]
