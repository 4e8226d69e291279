from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeemo.cli.output.verify import COLUMNS, build_row
from edgeemo.model.spec import ModelSpec
from edgeemo.model.tables import ReferencePrediction
from edgeemo.report.markdown import to_markdown
from edgeemo.verify import FileVerification, Gates, Verification
from edgeemo.verify.comparison import compare_predictions
from edgeemo.verify.document import build_document

SPEC = ModelSpec(labels=("happy", "sad|blue"), height=4, width=4)


def _report(*files):
    return Verification(
        n=2,
        files=files,
        gates=Gates(),
        edgeemo_version="0.1.0",
        reference_sha256="ab" * 32,
    )


def _page(verification):
    return to_markdown(build_document(verification, name="my_model"))


@pytest.fixture
def passed():
    rows = [
        ReferencePrediction(
            sha256=f"{i:064}", path=f"a|b/{i}_.png", label="sad|blue", scores=(0.4, 0.6)
        )
        for i in range(2)
    ]
    measured = compare_predictions(rows, np.asarray([(0.4, 0.6), (0.6, 0.4)]), spec=SPEC)
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
    rows = [build_row(failed), build_row(passed)]
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert rows[0][:2] == ("float32.tflite", "failed")
    assert rows[1] == (
        "int8.onnx",
        "passed",
        "50.00% (≥ 9.45%)",
        "1",
        "0.2",
        "50.00%",
        "14.8 kB",
    )


def test_one_line_of_verdict(passed, failed):
    assert _report(passed).verdict == (
        "passed: 1 file agrees with the reference model within the gates on 2 test images"
    )
    assert _report(passed, failed).verdict == (
        "not passed: 1 of 2 files (float32.tflite: damaged [1], old)"
    )


def test_a_report_of_no_file_has_not_passed():
    assert not _report().passed


def test_markdown_shows_names_as_they_are(passed, failed):
    text = _page(_report(failed, passed))
    assert text.startswith("# Verification of my_model\n\n**Not passed: 1 of 2 files")
    assert "a\\|b/1\\_.png | sad\\|blue" in text
    assert "- float32.tflite (failed): damaged \\[1\\]" in text
    assert "## Warnings\n\n- Too few.\n" in text
    assert "- int8: at most 1 flip and at most 1 error more than the reference model" in text


@pytest.mark.parametrize("line_start", ["| file |", "| image |"])
def test_markdown_tables_are_rectangular(passed, failed, line_start):
    lines = _page(_report(failed, passed)).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(line_start))
    table = lines[start : lines.index("", start)]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert len(table) > 2


def test_markdown_shows_selective_accuracy(passed):
    assert "not sure" not in _page(_report(passed))
    rows = [
        ReferencePrediction(sha256=f"{i:064}", path=f"{i}.png", label="happy", scores=(0.9, 0.1))
        for i in range(4)
    ]
    scores = np.asarray([(0.9, 0.1), (0.7, 0.3), (0.8, 0.2), (0.1, 0.9)])
    measured = compare_predictions(rows, scores, spec=replace(SPEC, min_confidence=0.75))
    text = _page(_report(replace(passed, measured=measured)))
    assert "| int8.onnx | 3 (75.0%) | 0.667 (0.208 to 0.939) | 4 (100.0%) | 1.000" in text
    assert 'Below a confidence of 0.7500 the prediction is "not sure"' in text
