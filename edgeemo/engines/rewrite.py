"""Rewrite a TFLite FlatBuffer in front of its bytes, which stay as they are.

A FlatBuffer's offsets point forwards, so that new tables can refer to old ones behind them: nothing
is decoded, moved or aligned again, and the same change gives the same bytes. The numbers of fields
are those of TensorFlow Lite's schema.fbs, version 3. The only module that imports flatbuffers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.engines.flatbuffer import open_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgeemo.engines.flatbuffer import Table

VERSION, CODES, GRAPHS, DESCRIPTION, BUFFERS = range(5)  # fields of Model
METADATA_BUFFER, METADATA, SIGNATURES = 5, 6, 7
_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16
_UINT8 = 3
_SIZES = {"i": 4, "q": 8, "f": 4}
_METHODS = {
    "b": "Int8", "B": "Uint8", "?": "Bool", "i": "Int32", "I": "Uint32", "q": "Int64",
    "f": "Float32", "offset": "UOffsetTRelative",
}  # fmt: skip

Field = tuple[str, Any]
"""Form of a field ("b", "B", "?", "i", "I", "f" as of `struct`, or "offset") and its value."""


class FrontWriter:
    """Writer of tables in front of a FlatBuffer.

    Every method that writes returns an offset for `table` and `offsets`.

    Args:
        content: The FlatBuffer; empty to write one from nothing.
    """

    def __init__(self, content: bytes = b"") -> None:
        from flatbuffers import Builder

        padded = content + bytes(-len(content) % _ALIGNMENT)
        self._builder = Builder(0)
        self._builder.Bytes, self._builder.head = bytearray(padded), 0
        self._builder.minalign = _ALIGNMENT
        self._end = len(padded)

    def old(self, position: int) -> int:
        """Return the offset of what stands at a position of the old bytes."""
        return self._end - position

    def text(self, text: str) -> int:
        """Write a string."""
        return int(self._builder.CreateString(text))

    def data(self, content: bytes) -> int:
        """Write a vector of bytes, aligned to 16 as engines need it."""
        builder = self._builder
        builder.StartVector(1, len(content), _ALIGNMENT)
        builder.head -= len(content)
        builder.Bytes[builder.head : builder.head + len(content)] = content
        return int(builder.EndVector())

    def numbers(self, form: str, values: Sequence[float]) -> int:
        """Write a vector of numbers: "i" for int32, "q" for int64, "f" for float32."""
        return self._vector(form, values)

    def offsets(self, values: Sequence[int]) -> int:
        """Write a vector of tables or strings."""
        return self._vector("offset", values)

    def _vector(self, form: str, values: Sequence[float]) -> int:
        size = _SIZES.get(form, 4)
        self._builder.StartVector(size, len(values), size)
        prepend = getattr(self._builder, f"Prepend{_METHODS[form]}")
        for value in reversed(values):
            prepend(value)
        return int(self._builder.EndVector())

    def table(self, fields: Mapping[int, Field]) -> int:
        """Write a table; values of 0 are left out, as the format does."""
        self._builder.StartObject(max(fields, default=-1) + 1)
        for number, (form, value) in fields.items():
            getattr(self._builder, f"Prepend{_METHODS[form]}Slot")(number, value, 0)
        return int(self._builder.EndObject())

    def keep(self, table: Table, offsets: Iterable[int]) -> dict[int, Field]:
        """Return fields of an old table that are offsets, as they are."""
        targets = {number: table.target(number) for number in offsets}
        return {number: ("offset", self.old(at)) for number, at in targets.items() if at}

    def finish(self, root: int, identifier: bytes = _IDENTIFIER) -> bytes:
        """Return the FlatBuffer with a root table."""
        self._builder.Finish(root, identifier)
        return bytes(self._builder.Output())


def keep_model(writer: FrontWriter, model: Table) -> dict[int, Field]:
    """Return the fields of a Model, as they are."""
    offsets = (CODES, GRAPHS, DESCRIPTION, BUFFERS, METADATA_BUFFER, METADATA, SIGNATURES)
    return {VERSION: ("I", model.number(VERSION, "<I")), **writer.keep(model, offsets)}


def set_description(model: bytes, text: str) -> bytes:
    """Return a TFLite model with another description, which viewers show."""
    writer = FrontWriter(model)
    fields = keep_model(writer, open_root(model))
    fields[DESCRIPTION] = ("offset", writer.text(text))
    return writer.finish(writer.table(fields))


def find_integer_ends(model: bytes) -> tuple[bool, bool]:
    """Return whether the input is uint8, and whether the output is, of one input and output."""
    graph = open_root(model).tables(GRAPHS)[0]
    tensors = graph.tables(0)
    (input_type,), (output_type,) = (
        [tensors[index].number(1, "<b") for index in graph.numbers(field)] for field in (1, 2)
    )
    return input_type == _UINT8, output_type == _UINT8
