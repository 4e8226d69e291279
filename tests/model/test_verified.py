"""The one reader of ``verify.json``."""

from __future__ import annotations

import json

import pytest

from edgeemo.errors import ModelFolderError
from edgeemo.model.verified import VERIFY_JSON, find_verification, is_verified, read_verification

INTERVAL = {"value": 0.9, "low": 0.8, "high": 0.95, "n": 40}
ENTRY = {
    "passed": True,
    "file": "int8.tflite",
    "kind": "int8",
    "status": "passed",
    "reasons": [],
    "notes": [],
    "sha256": "ab" * 32,
    "size_bytes": 10,
    "engine": "ai-edge-litert 2.3.0",
    "measured": {
        "n": 40,
        "flips": [{"path": "a.png"}],
        "max_difference": 0.01,
        "accuracy": {"reference": INTERVAL, "candidate": INTERVAL},
    },
}
EARLIER = {**ENTRY, "measured": {**ENTRY["measured"], "sureness": None}}
"""As written before the names were changed."""


@pytest.fixture
def write(tmp_path):
    def write(content):
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / VERIFY_JSON).write_text(text)
        return tmp_path

    return write


@pytest.mark.parametrize("entry", [ENTRY, EARLIER])
def test_the_figures_of_a_file(write, entry):
    folder = write({"version": 1, "files": [entry]})
    (found,) = read_verification(folder)
    assert (found.file, found.kind, found.passed) == ("int8.tflite", "int8", True)
    assert (found.n, found.max_difference) == (40, 0.01)
    assert found.accuracy == (0.9, 0.8, 0.95)
    assert "flips" not in found.figures["measured"]
    assert found.figures["engine"] == "ai-edge-litert 2.3.0"
    assert is_verified(folder / "int8.tflite", sha256="ab" * 32)


def test_a_file_that_was_not_run_has_no_figures(write):
    folder = write({"files": [{**ENTRY, "passed": False, "measured": None}]})
    (found,) = read_verification(folder)
    assert (found.n, found.accuracy, found.max_difference) == (None, None, None)
    assert not is_verified(folder / "int8.tflite", sha256="ab" * 32)


def test_only_these_very_bytes_count(write):
    folder = write({"files": [ENTRY]})
    assert find_verification(folder / "int8.tflite", sha256="cd" * 32) is None
    assert not is_verified(folder / "int8.tflite", sha256="cd" * 32)


def test_without_the_file_nothing_is_verified(tmp_path):
    assert read_verification(tmp_path) == []
    assert not is_verified(tmp_path / "int8.tflite", sha256="ab" * 32)


@pytest.mark.parametrize("content", ["{", "[]", {"files": 3}, {"files": [3]}, {}])
def test_a_malformed_file_is_named_with_the_remedy(write, content):
    folder = write(content)
    with pytest.raises(ModelFolderError, match=r"verify\.json: malformed; run 'edgeemo verify' ag"):
        read_verification(folder)
    assert not is_verified(folder / "int8.tflite", sha256="ab" * 32)
