"""Mutated images of every format and mode are predicted or refused; the long form is nightly.

`benchmarks/reliability/mutations.py` reads thousands of them on every path.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from benchmarks.reliability.mutants import make_mutant
from edgeemo import Classifier
from edgeemo.dataset.check.inspect_work import InspectWork
from edgeemo.dataset.ingest.find import LabelledFile
from edgeemo.imaging.faces import build_detector
from edgeemo.model.face_request import FaceRequest
from edgeemo.model.face_settings import FaceSettings

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models/happy-sad/int8.tflite"
_COUNT = 260


def _make_mutants(first: int) -> list[bytes]:
    return [make_mutant(number, seed=1) for number in range(first, first + _COUNT)]


def test_mutants_are_predicted_or_refused(capfd):
    mutants = _make_mutants(0)
    for faces in (False, True):
        classifier = Classifier.load(MODEL, faces=FaceRequest(enabled=faces))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")  # as the entry points do
            results = [classifier.predict_result(mutant) for mutant in mutants]
        errors = [result.error for result in results if result.error is not None]
        assert 0.2 * _COUNT < len(errors) < 0.95 * _COUNT
        assert not any("\n" in error for error in errors)
    assert capfd.readouterr().err == ""


def test_mutants_are_inspected(tmp_path, capfd):
    mutants = _make_mutants(_COUNT)
    files = []
    for number, mutant in enumerate(mutants):
        (tmp_path / str(number)).write_bytes(mutant)
        files.append(LabelledFile(str(number), "a", None))
    detector = build_detector(FaceSettings())
    work = InspectWork(tmp_path, accept=("webp", "gif"), detector=detector)
    found = list(work.run(files, workers=2))
    assert len(found) == _COUNT
    assert 0 < sum(each.statistics is not None for each in found) < _COUNT
    assert capfd.readouterr().err == ""
