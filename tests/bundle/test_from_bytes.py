"""What the runtime had to learn for bundles: models from bytes, engines that do not load."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from edgeemo.dataset import draw_golden_images
from edgeemo.engines.load import load_engine
from edgeemo.errors import EngineError, ImageError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.preprocess import decode, preprocess
from edgeemo.model.container import unseal, unseal_bytes

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FILES = ("float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx")


@pytest.mark.parametrize("name", FILES)
def test_bytes_are_the_file(name):
    content = (GOLDEN / name).read_bytes()
    from_file, from_bytes = unseal(GOLDEN / name), unseal_bytes(content, name=str(GOLDEN / name))
    assert replace(from_bytes, content=None) == from_file
    assert from_bytes.content == content
    assert content[:20] not in repr(from_bytes).encode()
    pixels = np.random.default_rng(0).integers(0, 256, from_file.spec.input_shape, np.uint8)
    outputs = [load_engine(model).run(pixels) for model in (from_file, from_bytes)]
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("name", FILES)
def test_damaged_bytes_are_refused_unless_their_sum_is_known(name):
    content = bytearray((GOLDEN / name).read_bytes())
    content[len(content) // 2 if name.endswith("onnx") else 100] ^= 1
    with pytest.raises(EngineError, match="damaged"):
        unseal_bytes(bytes(content), name=name)
    assert unseal_bytes(bytes(content), name=name, sha256="known").sha256 == "known"
    with pytest.raises(Exception, match=name):
        unseal_bytes(bytes(content[:50]), name=name, sha256="known")


def test_decoding_is_the_first_half_of_preprocessing(spec48):
    for image in draw_golden_images():
        with open_image(image) as opened:
            decoded = decode(opened, spec48)
        assert decoded.mode == "L"
        across = decoded.resize((48, decoded.height), Image.Resampling.BILINEAR)
        small = across.resize((48, 48), Image.Resampling.BILINEAR)
        assert (np.asarray(small)[..., None] == preprocess(image, spec48)).all()
    with pytest.raises(ImageError):
        open_image(b"hello")
    opened = open_image(draw_golden_images()[1][:2000])
    with opened, pytest.raises(ImageError, match="cut short"):
        decode(opened, spec48)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "PA"])
def test_transparency_is_seen_as_pillow_sees_it(mode):
    """Debian 12's Pillow does not have the property yet."""
    from edgeemo.imaging.colours import has_transparency

    image = Image.new(mode, (4, 4))
    assert has_transparency(image) == image.has_transparency_data
    image.info["transparency"] = 0
    assert has_transparency(image)


def test_the_ancestor_runs_where_litert_is_not(monkeypatch):
    """On a 32-bit system there is tflite-runtime only."""
    from ai_edge_litert import interpreter

    ancestor = ModuleType("tflite_runtime.interpreter")
    ancestor.Interpreter = type(
        "Interpreter", (interpreter.Interpreter,), {"__module__": "tflite_runtime.interpreter"}
    )
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setitem(sys.modules, "tflite_runtime", ModuleType("tflite_runtime"))
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", ancestor)
    monkeypatch.setattr("importlib.metadata.version", lambda package: f"of {package}")
    engine = load_engine(unseal(GOLDEN / "int8.tflite"))
    assert engine.name == "tflite-runtime of tflite-runtime"
    assert len(engine.run(np.zeros((12, 12, 1), np.uint8))) == 1


def test_an_engine_that_does_not_load_gives_the_reason(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(tmp_path))
    for package, name in (("ai_edge_litert", "int8.tflite"), ("onnxruntime", "int8.onnx")):
        for module in [each for each in sys.modules if each.split(".")[0] == package]:
            monkeypatch.delitem(sys.modules, module)
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise ImportError('wrong ELF class')")
        with pytest.raises(EngineError, match=r"cannot be loaded: wrong ELF class; it needs"):
            load_engine(unseal(GOLDEN / name))
