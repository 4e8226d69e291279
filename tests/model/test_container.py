from __future__ import annotations

import contextlib
import hashlib
import io
import json
import random
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeemo.errors import EdgeEmoError, EngineError, SpecError
from edgeemo.model.container import seal, unseal
from edgeemo.model.spec import ModelSpec
from edgeemo.model.trailer import _metadata_field

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
        assert archive.read("labels.txt").decode() == "müde\n"  # of the one output
        assert archive.testzip() is None
        assert archive.comment.startswith(b"edgeemo 2 ")


def test_any_onnx_reader_finds_the_labels(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.ModelProto()
    model.ParseFromString(seal(_ONNX[:2], _SPEC, format="onnx"))
    assert {entry.key: entry.value for entry in model.metadata_props}[
        "labels"
    ] == "müde\n"  # of the one output


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
def test_a_changed_byte_is_refused(tmp_path_factory, data, format):
    whole = bytearray(seal(_MODELS[format], _SPEC, format=format))
    place = data.draw(st.integers(0, len(whole) - 1))
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


def _old(model, spec, format):
    """A file of the format in which the checksum did not cover the spec."""
    entry = json.dumps(
        {
            "model_bytes": len(model),
            "model_sha256": hashlib.sha256(model).hexdigest(),
            "spec": json.loads(spec.to_json()),
        }
    )
    if format == "onnx":
        return model + b"".join(
            _metadata_field(key, value.encode())
            for key, value in {"edgeemo": entry, "labels": "froh"}.items()
        )
    buffer = io.BytesIO(model)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("edgeemo.json", entry)
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_file_whose_checksum_does_not_cover_the_spec_is_refused(tmp_path, format):
    path = tmp_path / f"m.{format}"
    path.write_bytes(_old(_MODELS[format], _SPEC, format))
    with pytest.raises(SpecError, match=r"by an older version of edgeemo.*export it again"):
        unseal(path)


def _resealed(content, **replaced):
    """A file with an edited trailer and the checksum that fits it."""
    for old, new in replaced.values():
        assert old in content
        content = content.replace(old, new)
    content = content[:-64]
    return content + hashlib.sha256(content).hexdigest().encode()


@pytest.mark.parametrize("format", ["tflite", "onnx"])
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"edgeemo 2", b"edgeemo 3", "format '3' of exported files is unknown"),
        (b"edgeemo 2 0", b"edgeemo 2 9", "damaged"),
        (b"edgeemo 2 0", b"edgeemo 2 x", "damaged"),
        (b'"model_bytes": ', b'"model_bytes":1', "specification is malformed"),
        (b'"height": 8', b'"width" : 9', "specification is malformed"),  # twice
        (b'"height": 8', b'"height":8.', "specification is malformed"),
        (b'"channels": 1', b'"channels":-1', "channels must be 1 or 3"),
        (b'"threshold": 0.5', b'"threshold": NaN', "specification is malformed"),
        (b'"threshold": 0.5', b'"threshold":true', "threshold: a number expected, not bool"),
        (b'"froh",', b"[[[[]]", "specification is malformed"),
        (b'"froh",', b"1,     ", "labels must be non-empty text"),
        (b'"froh"', b'"\xff\xff\xff\xff"', "specification is malformed"),
        (b'"froh"', b'"\\n\\r"', "control characters"),
        ("müde".encode(), "\u202eab".encode(), "control characters"),
    ],
)
def test_a_crafted_trailer_is_refused_in_one_line(tmp_path, format, old, new, message):
    path = tmp_path / f"m.{format}"
    path.write_bytes(_resealed(seal(_MODELS[format], _SPEC, format=format), at=(old, new)))
    with pytest.raises(EdgeEmoError, match=message) as raised:
        unseal(path)
    assert str(raised.value).startswith(str(path))
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_trailer_of_chance_is_refused(tmp_path, format):
    drawn = random.Random(0)
    path = tmp_path / f"m.{format}"
    whole = seal(_MODELS[format], _SPEC, format=format)
    for _ in range(150):
        changed = bytearray(whole)
        for _ in range(drawn.randint(1, 3)):
            changed[drawn.randrange(len(_MODELS[format]), len(whole) - 64)] = drawn.randrange(256)
        path.write_bytes(_resealed(bytes(changed)))
        with contextlib.suppress(EdgeEmoError):  # whoever knows the format can make any spec
            unseal(path)
