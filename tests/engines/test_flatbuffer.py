"""Faults of a TFLite FlatBuffer are told in words, before an engine follows its numbers."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.engines import flatbuffer
from edgeemo.engines.flatbuffer import find_fault

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
FILES = [*GOLDEN.glob("*.tflite"), *(ROOT / "models" / "happy-sad").glob("*.tflite")]
INT8 = (GOLDEN / "int8.tflite").read_bytes()


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_file_that_was_exported_has_no_fault(path):
    assert find_fault(path.read_bytes()) == ""


def _open() -> flatbuffer.Table:
    return flatbuffer.Table(INT8, struct.unpack_from("<I", INT8)[0])


def _replace(place: int, form: str, value: int) -> bytes:
    content = bytearray(INT8)
    struct.pack_into(form, content, place, value)
    return bytes(content)


def _tensor() -> flatbuffer.Table:
    (graph,) = _open().tables(flatbuffer._GRAPHS)
    return graph.tables(flatbuffer._TENSORS)[0]


def _operator() -> flatbuffer.Table:
    (graph,) = _open().tables(flatbuffer._GRAPHS)
    operators = graph.tables(flatbuffer._OPERATORS)
    return next(each for each in operators if each._place(flatbuffer._OPCODE))  # 0 is left out


def _code() -> flatbuffer.Table:
    codes = _open().tables(flatbuffer._CODES)
    return next(each for each in codes if each.number(flatbuffer._CODE, "<i") < 32)


FAULTS = {
    "tensor 0 refers to a buffer": lambda: (_tensor()._place(flatbuffer._BUFFER), "<I", 999),
    "tensor 0 has an impossible shape": lambda: (
        _tensor()._vector(flatbuffer._SHAPE, 4)[0] + 4, "<i", -3
    ),
    "tensor 0 is quantised as": lambda: (
        _tensor().table(flatbuffer._QUANTIZATION)._vector(flatbuffer._ZEROS, 8)[0], "<q", 1 << 27
    ),
    "refers to a tensor that is not there": lambda: (
        _operator()._vector(flatbuffer._TAKEN, 4)[0], "<i", 1000
    ),
    "is of a kind that is not there": lambda: (
        _operator()._place(flatbuffer._OPCODE), "<I", 77
    ),
    "operator '' is not one of TFLite's own": lambda: (
        _code()._place(flatbuffer._OLD_CODE), "<b", 32
    ),
    "a part of it lies outside the file": lambda: (0, "<I", 1 << 30),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told(fault):
    assert fault in find_fault(_replace(*FAULTS[fault]()))


@given(st.lists(st.tuples(st.integers(0, len(INT8) - 1), st.integers(0, 255)), max_size=8))
def test_no_damage_is_an_exception(changes):
    content = bytearray(INT8)
    for place, value in changes:
        content[place] = value
    assert isinstance(find_fault(bytes(content)), str)


@given(st.binary(max_size=64))
def test_no_bytes_are_an_exception(content):
    assert isinstance(find_fault(content), str)
    assert find_fault(INT8[: len(content)])
