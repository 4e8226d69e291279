from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeemo.model.spec import ModelSpec
from edgeemo.model.tables import Reference
from edgeemo.verify import FileVerification, Gates, Verification
from edgeemo.verify.markdown import to_markdown
from edgeemo.verify.measure import measure
from edgeemo.verify.report import size_text

SPEC = ModelSpec(labels=("happy", "sad|blue"), height=4, width=4)


def _report(*files):
    return Verification(
        n=2,
        files=files,
        gates=Gates(),
        edgeemo_version="0.1.0",
        reference_sha256="ab" * 32,
    )


@pytest.fixture
def passed():
    rows = [
        Reference(sha256=f"{i:064}", path=f"a|b/{i}_.png", label="sad|blue", scores=(0.4, 0.6))
        for i in range(2)
    ]
    measured = measure(rows, np.asarray([(0.4, 0.6), (0.6, 0.4)]), spec=SPEC)
    return FileVerification(
        file="int8.onnx",
        kind="int8",
        status="passed",
        notes=("too few",),
        sha256="cd" * 32,
        size_bytes=14_800,
        engine="onnxruntime 1.0",
        measured=measured,
    )


@pytest.fixture
def failed():
    return FileVerification(
        file="float32.tflite", kind="float32", status="failed", reasons=("damaged [1]", "old")
    )


def test_rows_fit_the_header(passed, failed):
    rows = _report(failed, passed).rows()
    assert {len(row) for row in rows} == {len(Verification.HEADER)}
    assert rows[0][:2] == ("float32.tflite", "failed")
    assert rows[1] == (
        "int8.onnx",
        "passed",
        "50.00% (9.45% to 90.55%)",
        "1",
        "0.2",
        "50.00% (original 100.00%)",
        "14.8 kB",
    )


def test_one_line_of_verdict(passed, failed):
    assert _report(passed).verdict == (
        "passed: 1 file agrees with the original within the gates on 2 test images"
    )
    assert _report(passed, failed).verdict == (
        "not passed: 1 of 2 files (float32.tflite: damaged [1], old)"
    )


def test_a_report_of_no_file_has_not_passed():
    assert not _report().passed


def test_markdown_shows_names_as_they_are(passed, failed):
    text = to_markdown(_report(failed, passed), name="my_model")
    assert text.startswith("# Verification of my\\_model\n\n**Not passed: 1 of 2 files")
    assert "a\\|b/1\\_.png | sad\\|blue" in text
    assert "- float32.tflite (failed): damaged \\[1\\]" in text
    assert "Note: too few." in text
    assert "- int8: at most 1 flip and at most 1 error more than the original" in text


@pytest.mark.parametrize("line_start", ["| file |", "| image |"])
def test_markdown_tables_are_rectangular(passed, failed, line_start):
    lines = to_markdown(_report(failed, passed), name="my_model").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(line_start))
    table = lines[start : lines.index("", start)]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert len(table) > 2


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (927, "927 B"),
        (3764, "3.8 kB"),
        (14_786_720, "14.8 MB"),
        (999_960, "1.0 MB"),
        (287_000, "287 kB"),
    ],
)
def test_sizes_for_people(size_bytes, text):
    assert size_text(size_bytes) == text


def test_markdown_says_what_is_answered_where_the_model_may_be_not_sure(passed):
    assert "not sure" not in to_markdown(_report(passed), name="my_model")
    rows = [
        Reference(sha256=f"{i:064}", path=f"{i}.png", label="happy", scores=(0.9, 0.1))
        for i in range(4)
    ]
    scores = np.asarray([(0.9, 0.1), (0.7, 0.3), (0.8, 0.2), (0.1, 0.9)])
    measured = measure(rows, scores, spec=replace(SPEC, min_confidence=0.75))
    text = to_markdown(_report(replace(passed, measured=measured)), name="my_model")
    assert "| int8.onnx | 3 (75.0%) | 0.667 (0.208 to 0.939) | 4 (100.0%) | 1.000" in text
    assert 'Below a confidence of 0.7500 the answer is "not sure"' in text
