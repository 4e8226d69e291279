"""A check of a TFLite FlatBuffer before an engine reads it, which follows its numbers unchecked.

The tables and their fields are those of TensorFlow Lite's schema.fbs, version 3. Standard library
only. What it lets pass may still crash: `edgeemo.engines.trial` finds out.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CODES, _GRAPHS, _BUFFERS = 1, 2, 4  # fields of Model
_OLD_CODE, _CUSTOM_CODE, _CODE = 0, 1, 3  # of OperatorCode
_TENSORS, _INPUTS, _OUTPUTS, _OPERATORS = range(4)  # of SubGraph
_SHAPE, _TYPE, _BUFFER, _, _QUANTIZATION = range(5)  # of Tensor
_SCALES, _ZEROS, _DIMENSION = 2, 3, 6  # of QuantizationParameters
_OPCODE, _TAKEN, _MADE = range(3)  # of Operator
_DATA, _OFFSET, _SIZE = range(3)  # of Buffer
_CUSTOM = 32  # BuiltinOperator.CUSTOM
_RANGES = {3: (0, 255), 9: (-128, 127), 7: (0, 0), 2: (0, 0)}
"""Zero points that a type may have: uint8, int8, int16, int32; of other types nobody reads them."""
_MAX_VALUES = 1 << 31
"""Values of a tensor; the engine counts bytes in 64 bits, and multiplies them unchecked."""


def find_fault(model: bytes) -> str:
    """Return what is wrong with a TFLite model, in words, or an empty text.

    Checked are that every table and vector lies inside the file, that operators, tensors and
    buffers that are referred to exist, that shapes are possible, and that TFLite has the operators.

    Args:
        model: The FlatBuffer; more bytes may follow.
    """
    try:
        return next(_list_faults(model), "")
    except (struct.error, ValueError):
        return "a part of it lies outside the file"


class Table:
    """A table of a FlatBuffer.

    Its methods raise ValueError or struct.error where it refers to a place outside the file.

    Args:
        content: The FlatBuffer.
        offset: Place of the table in it.

    Attributes:
        start: That place.
    """

    def __init__(self, content: bytes, offset: int) -> None:
        self._content, self.start = content, offset
        self._fields = offset - _read("<i", content, offset)
        (self._length,) = struct.unpack_from("<H", content, _inside(content, self._fields))

    def number(self, field: int, form: str, default: int = 0) -> int:
        """Return a number."""
        place = self._place(field)
        return _read(form, self._content, place) if place else default

    def target(self, field: int) -> int:
        """Return the offset of the table, vector or string of a field, or 0 if it has none."""
        place = self._place(field)
        return place + _read("<I", self._content, place) if place else 0

    def text(self, field: int) -> str:
        """Return a string."""
        start, length = self._vector(field, 1)
        return self._content[start : start + length].decode(errors="replace")

    def numbers(self, field: int, form: str = "i") -> Sequence[int]:
        """Return a vector of numbers: "i" for int32, "q" for int64, "f" for float32."""
        start, length = self._vector(field, struct.calcsize(f"<{form}"))
        return struct.unpack_from(f"<{length}{form}", self._content, start) if length else ()

    def table(self, field: int) -> Table | None:
        """Return a table, or None where there is none."""
        target = self.target(field)
        return Table(self._content, target) if target else None

    def tables(self, field: int) -> list[Table]:
        """Return a vector of tables."""
        start, length = self._vector(field, 4)
        places = range(start, start + 4 * length, 4)
        return [Table(self._content, at + _read("<I", self._content, at)) for at in places]

    def count_bytes(self, field: int) -> int:
        """Return the length of a vector of bytes."""
        return self._vector(field, 1)[1]

    def content(self, field: int) -> bytes:
        """Return a vector of bytes."""
        start, length = self._vector(field, 1)
        return self._content[start : start + length]

    def _place(self, field: int) -> int:
        """Return the offset of a field, or 0 if the table lacks it."""
        entry = 4 + 2 * field
        if entry + 2 > self._length:
            return 0
        offset = _read("<H", self._content, self._fields + entry)
        return self.start + offset if offset else 0

    def _vector(self, field: int, width: int) -> tuple[int, int]:
        """Return the start and the length of a vector, which lies inside the file."""
        place = self.target(field)
        if not place:
            return 0, 0
        length = _read("<I", self._content, place)
        _inside(self._content, place + 4 + width * length)
        return place + 4, length


def open_root(content: bytes) -> Table:
    """Return the root table of a FlatBuffer.

    Raises:
        ValueError: If it lies outside the file, as struct.error.
    """
    return Table(content, _read("<I", content, 0))


def _list_faults(model: bytes) -> Iterator[str]:
    root = open_root(model)
    codes, buffers, graphs = (root.tables(field) for field in (_CODES, _BUFFERS, _GRAPHS))
    for code in codes:
        if max(code.number(_OLD_CODE, "<b"), code.number(_CODE, "<i")) == _CUSTOM:
            name = code.text(_CUSTOM_CODE)
            yield f"its operator {name!r} is not one of TFLite's own"
    for buffer in buffers:
        buffer.count_bytes(_DATA)
        if buffer.number(_OFFSET, "<Q") + buffer.number(_SIZE, "<Q") > len(model):
            yield "a buffer lies outside the file"
    if not graphs:
        yield "it has no graph"
    for graph in graphs:
        yield from _list_graph_faults(graph, codes=len(codes), buffers=len(buffers))


def _list_graph_faults(graph: Table, *, codes: int, buffers: int) -> Iterator[str]:
    tensors = graph.tables(_TENSORS)
    for number, tensor in enumerate(tensors):
        if tensor.number(_BUFFER, "<I") >= buffers:
            yield f"tensor {number} refers to a buffer that is not there"
        values = 1
        for side in tensor.numbers(_SHAPE):
            values *= side
            if not 0 <= values < _MAX_VALUES:
                yield f"tensor {number} has an impossible shape"
        if not _has_possible_quantization(tensor):
            yield f"tensor {number} is quantised as no converter does it"
    references = [("the graph", graph, _INPUTS, 0), ("the graph", graph, _OUTPUTS, 0)]
    for number, operator in enumerate(graph.tables(_OPERATORS)):
        if operator.number(_OPCODE, "<I") >= codes:
            yield f"operator {number} is of a kind that is not there"
        name = f"operator {number}"
        references += [(name, operator, _TAKEN, -1), (name, operator, _MADE, 0)]  # -1: none
    for name, table, field, least in references:
        if any(not least <= each < len(tensors) for each in table.numbers(field)):
            yield f"{name} refers to a tensor that is not there"


def _has_possible_quantization(tensor: Table) -> bool:
    """Return whether scales and zero points fit the type; kernels crash on others."""
    quantization = tensor.table(_QUANTIZATION)
    if quantization is None:
        return True
    scales, zeros = quantization.numbers(_SCALES, "f"), quantization.numbers(_ZEROS, "q")
    low, high = _RANGES.get(tensor.number(_TYPE, "<b"), (-(1 << 63), 1 << 63))
    return (
        len(zeros) in (0, 1, len(scales))
        and all(0 <= each < float("inf") for each in scales)
        and all(low <= each <= high for each in zeros)
    )


def _read(form: str, content: bytes, offset: int) -> int:
    number: int = struct.unpack_from(form, content, _inside(content, offset))[0]
    return number


def _inside(content: bytes, offset: int) -> int:
    if not 0 <= offset <= len(content):  # a negative one would count from the end
        raise ValueError
    return offset
