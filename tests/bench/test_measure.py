"""How many rounds, in which order, and what becomes of one that fails. The rounds are made up."""

from __future__ import annotations

import pytest

from edgeemo.bench.candidates import CandidateFile, parse_threads, read_candidates
from edgeemo.bench.measure import MAX_ROUNDS, MIN_ROUNDS, BenchmarkImages, measure_candidates
from edgeemo.bench.protocol import Failure, Rate, Round
from edgeemo.utils.progress import Silent
from edgeemo.utils.system import usable_cores

IMAGES = BenchmarkImages("an image", "sha", content=b"x")


def found(ms=1.0, *, warm=(), **changes):
    """A round; `warm` changes its stages."""
    stages = dict.fromkeys(("decode", "resize", "invoke", "total"), [ms] * 90)
    fields = {
        "cold_ms": {
            "start": 10.0, "imports": 50.0, "load": 5.0, "first_prediction": 7.0, "total": 72.0,
        },
        "warm_ms": {"detect": [], **stages, **dict(warm)}, "runs_without_face": 0,
        "peak_mb": 40.0, "rate": Rate(images_per_second=200.0), "engine": "ai-edge-litert 2.3.0",
        "versions": {"numpy": "2.4.6"}, "architecture": "x86_64",
    }  # fmt: skip
    return Round(**{**fields, **changes})


def run_with(run, names=("a.tflite",), threads=(1,), seconds=600.0):
    files = [CandidateFile(name=name, path=name, sha256=name, size_bytes=1) for name in names]
    return measure_candidates(
        files, threads=threads, images=IMAGES, run=run, seconds=seconds, progress=Silent(),
        after_round=lambda: None,
    )  # fmt: skip


def test_figures_that_are_certain_need_the_fewest_rounds():
    requests = []

    def run(request):
        requests.append(request)
        return found()

    (result,), versions = run_with(run)
    assert len(requests) == 1 + MIN_ROUNDS  # the try is not counted
    assert (requests[0].check, requests[0].runs, requests[0].stream_seconds) == (True, 1, 0)
    assert [request.first for request in requests[1:4]] == [0, 90, 180]
    assert result.measurement.rounds == MIN_ROUNDS
    assert result.measurement.runs == 90 * MIN_ROUNDS
    assert result.measurement.cold_ms["total"].value == 72.0
    assert result.measurement.total.p99.high == 1.0
    assert versions == {"numpy": "2.4.6"}


def test_figures_that_are_not_certain_get_more_rounds():
    times = iter(range(1, 100))
    (result,), _ = run_with(lambda _: found(float(next(times))))
    assert result.measurement.rounds == MAX_ROUNDS


def test_too_few_runs_get_more_rounds():
    (result,), _ = run_with(lambda _: found(warm={"total": [1.0] * 60}))
    assert result.measurement.runs == 540
    assert result.measurement.rounds == 9


def test_it_ends_when_the_time_is_over():
    times = iter(range(1, 100))
    (result,), _ = run_with(lambda _: found(float(next(times))), seconds=1.0)
    assert result.measurement.rounds == MIN_ROUNDS


def test_candidates_take_turns():
    order = []

    def run(request):
        order.append(f"{request.path}{request.threads}")
        return found()

    run_with(run, names=("a", "b"), threads=(1, 2))
    assert order == ["a1", "a2", "b1", "b2"] * (1 + MIN_ROUNDS)


def test_only_stages_that_were_timed_have_figures():
    """Of an image without a face there is nothing to resize, and many models find no faces."""
    (plain,), _ = run_with(lambda _: found())
    assert set(plain.measurement.warm_ms) == {"decode", "resize", "invoke", "total"}
    (faces,), _ = run_with(lambda _: found(warm={"detect": [2.0] * 90}))
    assert faces.measurement.warm_ms["detect"].p50.value == 2.0
    some = iter([[1.0] * 90, []] * MAX_ROUNDS)
    (mixed,), _ = run_with(
        lambda _: found(warm={"detect": [2.0] * 90, "resize": next(some)}, runs_without_face=3)
    )
    assert mixed.measurement.warm_ms["resize"].p50.value == 1.0
    assert mixed.measurement.runs_without_face == 3 * mixed.measurement.rounds
    stages = {"detect": [2.0] * 90, "resize": [], "invoke": []}
    (none,), _ = run_with(lambda _: found(warm=stages, runs_without_face=90))
    assert set(none.measurement.warm_ms) == {"decode", "detect", "total"}


def test_memory_is_the_largest_and_the_rest_medians():
    values = iter([(1.0, 1.0)] + [(30.0 + n, 100.0 + n) for n in range(MIN_ROUNDS)])

    def run(_):
        peak, rate = next(values)
        return found(peak_mb=peak, rate=Rate(images_per_second=rate))

    (result,), _ = run_with(run)
    assert result.measurement.peak_mb == 35.0
    rate = result.measurement.images_per_second
    assert (rate.low, rate.high) == (100.0, 105.0)


def test_one_that_crashes_later_has_no_figures_and_the_others_go_on():
    count = {"a": 0, "b": 0}

    def run(request):
        count[request.path] += 1
        broken = request.path == "a" and count["a"] == 4
        return Failure("crashed", "SIGSEGV") if broken else found()

    (a, b), _ = run_with(run, names=("a", "b"))
    assert (a.status, a.reason, a.measurement) == ("crashed", "SIGSEGV (in round 3)", None)
    assert b.status == "measured"
    assert count == {"a": 4, "b": 1 + MIN_ROUNDS}


def test_one_without_an_engine_is_tried_once():
    calls = []

    def run(request):
        calls.append(request)
        return Failure("not run", "onnxruntime is not installed")

    (result,), versions = run_with(run, names=("a.onnx",))
    assert len(calls) == 1
    assert (result.status, result.engine, versions) == ("not run", "onnxruntime", {})


def test_a_file_that_cannot_be_read_is_not_even_tried(tmp_path):
    (file,) = read_candidates([tmp_path / "gone.tflite"])

    def run(request):
        raise AssertionError(request)

    results, _ = measure_candidates(
        [file], threads=(1,), images=IMAGES, run=run, seconds=1, progress=Silent(),
        after_round=lambda: None,
    )  # fmt: skip
    assert results[0].status == "failed"
    assert "gone.tflite: cannot be read" in results[0].reason


def test_workers_occupy_the_cores():
    requests = []

    def run(request):
        requests.append(request)
        return found()

    run_with(run, threads=(1, usable_cores(), 1000))
    assert [request.workers for request in requests[:3]] == [usable_cores(), 1, 1]


def test_thread_counts():
    assert parse_threads("4,1,2,1") == (4, 1, 2)
    assert parse_threads(None) == tuple(dict.fromkeys((1, usable_cores())))
    for text in ("0", "", "1,,2", "-1", "two", "1.5", "²"):
        with pytest.raises(ValueError, match="not a list of whole numbers"):
            parse_threads(text)


def test_files_are_called_by_their_names_where_these_differ(tmp_path):
    paths = [tmp_path / "a" / "int8.tflite", tmp_path / "b" / "int8.tflite", tmp_path / "x.onnx"]
    names = [file.name for file in read_candidates([*paths, paths[0]])]
    assert names == [str(paths[0]), str(paths[1]), "x.onnx"]
