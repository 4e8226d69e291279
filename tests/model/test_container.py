from __future__ import annotations

import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeemo.errors import EdgeEmoError, EngineError, SpecError
from edgeemo.model.container import seal, unseal
from edgeemo.model.spec import ModelSpec

_SPEC = ModelSpec(labels=("froh", "müde"), height=8, width=8, channels=1)
_TFLITE = b"\x20\x00\x00\x00TFL3" + bytes(range(256)) * 8
# ir_version = 8, then graph (field 7) with 300 bytes that are never looked into.
_ONNX = b"\x08\x08" + b"\x3a\xac\x02" + b"g" * 300
_MODELS = {"tflite": _TFLITE, "onnx": _ONNX}


@pytest.fixture(params=["tflite", "onnx"])
def sealed(request, tmp_path):
    path = tmp_path / f"m.{request.param}"
    path.write_bytes(seal(_MODELS[request.param], _SPEC, format=request.param))
    return path


def test_the_spec_comes_back(sealed):
    model = unseal(sealed)
    assert model.spec == _SPEC
    assert model.size_bytes == sealed.stat().st_size


def test_sealing_gives_the_same_bytes_and_keeps_the_model_in_front(sealed):
    format = sealed.suffix[1:]
    assert seal(_MODELS[format], _SPEC, format=format) == sealed.read_bytes()
    assert sealed.read_bytes().startswith(_MODELS[format])


def test_any_zip_reader_finds_the_labels_in_a_tflite_file(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(seal(_TFLITE, _SPEC, format="tflite"))
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["edgeemo.json", "labels.txt"]
        assert archive.read("labels.txt").decode() == "froh\nmüde\n"
        assert archive.testzip() is None


def test_any_onnx_reader_finds_the_labels(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.ModelProto()
    model.ParseFromString(seal(_ONNX[:2], _SPEC, format="onnx"))
    assert {entry.key: entry.value for entry in model.metadata_props}["labels"] == "froh\nmüde\n"


@settings(max_examples=60)
@given(data=st.data(), format=st.sampled_from(["tflite", "onnx"]))
def test_a_file_cut_anywhere_is_refused(tmp_path_factory, data, format):
    whole = seal(_MODELS[format], _SPEC, format=format)
    path = tmp_path_factory.mktemp("cut") / f"m.{format}"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises((SpecError, EngineError), match=r"m\."):
        unseal(path)


@settings(max_examples=60)
@given(data=st.data(), format=st.sampled_from(["tflite", "onnx"]))
def test_a_changed_byte_of_the_model_is_refused(tmp_path_factory, data, format):
    whole = bytearray(seal(_MODELS[format], _SPEC, format=format))
    place = data.draw(st.integers(0, len(_MODELS[format]) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("bad") / f"m.{format}"
    path.write_bytes(whole)
    with pytest.raises(EdgeEmoError):
        unseal(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.tflite", b"", "no edgeemo specification"),
        ("m.tflite", _TFLITE, "no edgeemo specification"),
        ("m.onnx", _ONNX, "no edgeemo specification"),
        ("m.onnx", b"\xff" * 40, "not an ONNX model"),
        ("m.txt", b"hello", "not a model"),
        ("m.tflite", seal(b"no flatbuffer", _SPEC, format="tflite"), "not a TFLite model"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(EdgeEmoError, match=message):
        unseal(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(EngineError, match=r"gone.tflite: cannot be read: No such file"):
        unseal(tmp_path / "gone.tflite")
