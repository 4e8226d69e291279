"""OpenVINO beside the other engines, where it is installed, and its rows in a benchmark."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from edgeemo.bench import candidates
from edgeemo.bench.candidates import add_openvino, read_candidates
from edgeemo.bench.protocol import RoundRequest
from edgeemo.bench.worker import load_classifier
from edgeemo.engines.openvino import OpenVinoEngine, import_openvino
from edgeemo.errors import EngineError, MissingExtraError
from edgeemo.model.container import unseal

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
NAMES = ("int8.tflite", "float32.onnx", "int8.onnx")

needs_openvino = pytest.mark.skipif(
    find_spec("openvino") is None, reason="openvino, 180 MB, is not installed"
)


def _load(path: Path, peer: str = ""):
    request = RoundRequest(
        path=str(path), threads=1, workers=1, images=(), first=0, check=False, runs=1, seconds=1,
        stream_seconds=0, started_ns=0, peer=peer,
    )  # fmt: skip
    return load_classifier(request)


@needs_openvino
@pytest.mark.parametrize(("name", "tolerance"), [("float32.onnx", 1e-5), ("int8.onnx", 0.03)])
def test_openvino_predicts_as_onnxruntime_does(name, tolerance):
    onnx, openvino = _load(GOLDEN / name), _load(GOLDEN / name, "openvino")
    assert openvino.engine.name.startswith("openvino 20")
    pixels = np.random.default_rng(0).integers(0, 256, onnx.spec.input_shape, np.uint8)
    expected = onnx.predict_pixels(pixels)
    assert openvino.predict_pixels(pixels).scores == pytest.approx(expected.scores, abs=tolerance)


@needs_openvino
def test_a_file_that_openvino_refuses_is_one_line(tmp_path):
    sealed = unseal(GOLDEN / "float32.onnx")
    broken = tmp_path / "a.onnx"
    broken.write_bytes(b"\x08\x09")
    with pytest.raises(EngineError, match=r"a\.onnx: the OpenVINO engine refuses it: .+$"):
        OpenVinoEngine(replace(sealed, path=str(broken)))


def test_where_it_is_missing_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match="openvino"):
        import_openvino()


@pytest.mark.parametrize("installed", [False, True])
def test_onnx_files_are_candidates_once_more(monkeypatch, installed):
    monkeypatch.setattr(candidates, "find_spec", lambda _: object() if installed else None)
    files = add_openvino(read_candidates([GOLDEN / name for name in NAMES]))
    added = [file for file in files if file.peer]
    assert [file.name for file in files if not file.peer] == list(NAMES)
    assert [file.name for file in added] == (
        ["float32.onnx (OpenVINO)", "int8.onnx (OpenVINO)"] if installed else []
    )
    assert {(file.engine, file.verified) for file in added} <= {("openvino", False)}
