"""The default that is chosen, and what is written down of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edgeemo.bench.selection import SelectionLimits, select_candidate, write_default
from edgeemo.errors import BenchError, LimitError
from edgeemo.model.folder import ModelFolder

from .conftest import report, result

NONE = SelectionLimits()


def chosen(*results, limits=NONE):
    choice = select_candidate(report(*results), limits)
    return choice.result.file, choice.result.threads


def test_the_fastest_is_chosen_and_never_one_that_is_not_verified():
    results = (
        result("slow", 10),
        result("fast", 5, threads=4),
        result("unverified", 1, verified=False),
    )
    assert chosen(*results) == ("fast", 4)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (SelectionLimits(max_p99_ms=8), "medium"),
        (SelectionLimits(max_p99_ms=8, max_size_kb=20), "tight"),
        (SelectionLimits(max_rss_mb=50), "fast"),
        (SelectionLimits(max_size_kb=20), "tight"),
    ],
)
def test_limits_are_kept(limits, expected):
    results = (
        result("fast", 5, size_kb=100, p99=9),
        result("medium", 6, size_kb=100, p99=8),
        result("tight", 7, size_kb=20, p99=7.5),
    )
    assert chosen(*results, limits=limits)[0] == expected


def test_of_equally_fast_ones_the_fewest_threads_are_taken():
    assert chosen(result("a", 5, threads=4), result("a", 5.05, threads=1)) == ("a", 1)
    assert chosen(result("a", 5, threads=4), result("a", 5.2, threads=1)) == ("a", 4)


def test_then_about_the_smallest_file_then_the_fastest():
    large, small = result("large", 5, size_kb=100), result("small", 5.05, size_kb=50)
    assert chosen(large, small)[0] == "small"
    assert chosen(large, replace(small, size_bytes=95_000))[0] == "large"


def test_the_reason_names_what_it_is_equal_to():
    choice = select_candidate(report(result("a", 5, threads=4), result("b", 5.05)), NONE)
    assert choice.reason.startswith("as fast as a with 4 threads (5.00 ms) within the intervals")
    choice = select_candidate(report(result("a", 5), result("b", 9)), NONE)
    assert choice.reason == (
        "the fastest of 2 verified candidates within limits: 5.00 (4.95 to 5.05) ms, p99 7.50 ms"
    )


def test_where_none_fits_the_nearest_is_named_with_what_it_misses():
    results = (result("far", 5, p99=30, size_kb=10), result("near", 9, p99=11, size_kb=10.5))
    with pytest.raises(LimitError) as error:
        select_candidate(
            report(*results), SelectionLimits(max_p99_ms=10, max_size_kb=10, max_rss_mb=60)
        )
    assert error.value.exit_code == 3
    assert str(error.value) == (
        "none of 2 verified candidates is within the limits; nearest is near with 1 thread: p99 11 "
        "ms exceeds 10 ms by 10.0%, size 10.5 kB exceeds 10 kB by 5.0%"
    )


def test_without_a_verified_file_or_a_figure_nothing_is_chosen():
    with pytest.raises(LimitError, match="no measured file is verified"):
        select_candidate(report(result("a", 5, verified=False)), NONE)
    with pytest.raises(BenchError, match="nothing could be measured"):
        select_candidate(report(result("a", 5, measurement=None, status="failed")), NONE)


def test_the_default_is_written_down_with_its_reason(tmp_path):
    folder = ModelFolder(tmp_path)
    made, limits = report(result("int8.tflite", 5, threads=2)), SelectionLimits(max_p99_ms=20)
    path = write_default(folder, select_candidate(made, limits), report=made, limits=limits)
    said = json.loads(path.read_text())
    assert (said["file"], said["engine"], said["threads"]) == ("int8.tflite", "ai-edge-litert", 2)
    assert said["reason"].startswith("the fastest of 1 verified candidate ")
    assert said["limits"] == {"max_p99_ms": 20, "max_size_kb": None, "max_rss_mb": None}
    assert said["measurement"]["p50_ms"]["value"] == 5
    assert said["machine"]["board"] == "Raspberry Pi 4"
    assert (folder.read_default().file.name, folder.read_default().threads) == (
        "int8.tflite", 2
    )  # fmt: skip


def test_openvino_with_which_nothing_predicts_is_never_selected():
    fastest = result("float32.onnx (OpenVINO)", 1.0, engine="openvino")
    found = select_candidate(report(fastest, result("int8.tflite", 2.0)), SelectionLimits())
    assert found.result.file == "int8.tflite"
