"""Edit the graph of a TFLite model: operators in front of it and behind it.

The old tensors, operators and weights stay as they are, to the byte; see `edgeemo.engines.rewrite`.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from edgeemo.clients.graph_parts import FLOAT32, INT8, INT32, Operator, Tensor
from edgeemo.engines.flatbuffer import Table, open_root
from edgeemo.engines.rewrite import (
    BUFFERS,
    CODES,
    DESCRIPTION,
    GRAPHS,
    METADATA,
    SIGNATURES,
    FrontWriter,
    keep_model,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from edgeemo.engines.rewrite import Field

METADATA_NAME = "TFLITE_METADATA"
_NAMES_BEFORE = 127  # BuiltinOperator codes of the old field, which has 8 bits


class GraphEditor:
    """Editor of the only graph of a model with one input and one output.

    Args:
        model: The FlatBuffer.

    Attributes:
        input: Index of the input tensor.
        output: Index of the output tensor.
    """

    def __init__(self, model: bytes) -> None:
        self._model = model
        self._root = open_root(model)
        self._graph, *self._others = self._root.tables(GRAPHS)
        self._tensors: list[Table | Tensor] = [*self._graph.tables(0)]
        self._operators: list[Table | Operator] = [*self._graph.tables(3)]
        (self.input,), (self.output,) = self._graph.numbers(1), self._graph.numbers(2)

    def describe_tensor(self, index: int) -> Tensor:
        """Return shape, type, scale, zero point and name of a tensor."""
        tensor = self._tensors[index]
        if isinstance(tensor, Tensor):
            return tensor
        quantization = tensor.table(4)
        scales = quantization.numbers(2, "f") if quantization else ()
        zeros = quantization.numbers(3, "q") if quantization else ()
        return Tensor(
            shape=tuple(tensor.numbers(0)),
            type=tensor.number(1, "<b"),
            scale=scales[0] if len(scales) == 1 else 0.0,
            zero_point=int(zeros[0]) if len(zeros) == 1 else 0,
            name=tensor.text(3),
        )

    def add_tensor(self, tensor: Tensor) -> int:
        """Add a tensor and return its index.

        A name that is taken gets a number: OpenVINO finds tensors by their names.
        """
        taken = {self.describe_tensor(index).name for index in range(len(self._tensors))}
        names = (f"{tensor.name}_{number}" for number in count(2))
        name = tensor.name if tensor.name not in taken else next(n for n in names if n not in taken)
        self._tensors.append(replace(tensor, name=name))
        return len(self._tensors) - 1

    def add_kernel(
        self, at: int, weights: np.ndarray, bias: np.ndarray, *, scale: float, name: str
    ) -> tuple[int, int, int]:
        """Add the weights and the bias of an operator, and return its inputs.

        Args:
            at: The tensor that it reads.
            weights: Its weights, int8 with a scale and float32 without.
            bias: Its bias, int32 with a scale and float32 without.
            scale: Scale of the weights; 0 for float32.
            name: Name of the weights.
        """
        read = self.describe_tensor(at)
        kernel = Tensor(
            shape=weights.shape,
            type=INT8 if scale else FLOAT32,
            scale=scale,
            name=name,
            data=weights.tobytes(),
        )
        addend = Tensor(
            shape=bias.shape,
            type=INT32 if scale else FLOAT32,
            scale=scale * read.scale,
            name=f"{name}_bias",
            data=bias.tobytes(),
        )
        return (at, self.add_tensor(kernel), self.add_tensor(addend))

    def find_consumers(self, tensor: int) -> list[Operator]:
        """Return the operators that read a tensor."""
        return [each for each in map(self._describe, self._operators) if tensor in each.inputs]

    def find_producer(self, tensor: int) -> Operator | None:
        """Return the operator that writes a tensor, or None."""
        found = [each for each in map(self._describe, self._operators) if tensor in each.outputs]
        return found[0] if found else None

    def remove_operator(self, operator: Operator) -> None:
        """Remove an operator that `find_consumers` or `find_producer` returned."""
        self._operators = [
            each for each in self._operators if self._describe(each).outputs != operator.outputs
        ]

    def put_in_front(self, operators: Sequence[Operator]) -> None:
        """Add operators that run before the others."""
        self._operators[:0] = operators

    def append(self, operators: Sequence[Operator]) -> None:
        """Add operators that run after the others."""
        self._operators += operators

    def build(self, *, description: str, metadata: bytes = b"") -> bytes:
        """Return the model as a FlatBuffer.

        Args:
            description: The model's description.
            metadata: TFLite Metadata, as of `edgeemo.clients.metadata`; empty for none.
        """
        writer = FrontWriter(self._model)
        buffers, codes = _Buffers(writer, self._root), _Codes(writer, self._root)
        graph = self._write_graph(writer, buffers, codes)
        others = [writer.old(each.start) for each in self._others]
        fields = keep_model(writer, self._root)
        fields[METADATA] = ("offset", self._write_metadata(writer, buffers, metadata))
        fields[GRAPHS] = ("offset", writer.offsets([graph, *others]))
        fields[DESCRIPTION] = ("offset", writer.text(description))
        fields[BUFFERS] = ("offset", writer.offsets(buffers.offsets))
        fields[CODES] = ("offset", writer.offsets(codes.offsets))
        fields[SIGNATURES] = ("offset", self._write_signatures(writer))
        return writer.finish(writer.table(fields))

    def _describe(self, operator: Table | Operator) -> Operator:
        if isinstance(operator, Operator):
            return operator
        code = self._root.tables(CODES)[operator.number(0, "<I")]
        return Operator(
            code=max(code.number(0, "<b"), code.number(3, "<i")),
            version=code.number(2, "<i", 1),
            inputs=tuple(operator.numbers(1)),
            outputs=tuple(operator.numbers(2)),
        )

    def _write_graph(self, writer: FrontWriter, buffers: _Buffers, codes: _Codes) -> int:
        tensors = [_write_tensor(writer, each, buffers) for each in self._tensors]
        operators = [_write_operator(writer, each, codes) for each in self._operators]
        fields = writer.keep(self._graph, (4,))
        fields[0] = ("offset", writer.offsets(tensors))
        fields[1] = ("offset", writer.numbers("i", [self.input]))
        fields[2] = ("offset", writer.numbers("i", [self.output]))
        fields[3] = ("offset", writer.offsets(operators))
        return writer.table(fields)

    def _write_metadata(self, writer: FrontWriter, buffers: _Buffers, metadata: bytes) -> int:
        kept = [each for each in self._root.tables(METADATA) if each.text(0) != METADATA_NAME]
        offsets = [writer.old(each.start) for each in kept]
        if metadata:
            name = writer.text(METADATA_NAME)
            buffer = buffers.add(metadata)
            offsets.append(writer.table({0: ("offset", name), 1: ("I", buffer)}))
        return writer.offsets(offsets)

    def _write_signatures(self, writer: FrontWriter) -> int:
        """Write the signature with the present input and output, under their old names."""
        (signature,) = self._root.tables(SIGNATURES)
        fields = writer.keep(signature, (2,))
        for number, tensor in ((0, self.input), (1, self.output)):
            (named,) = signature.tables(number)
            entry = {**writer.keep(named, (0,)), 1: ("I", tensor)}
            fields[number] = ("offset", writer.offsets([writer.table(entry)]))
        return writer.offsets([writer.table(fields)])


class _Buffers:
    """The vector of buffers: the old ones and new ones."""

    def __init__(self, writer: FrontWriter, root: Table) -> None:
        self._writer = writer
        self.offsets = [writer.old(each.start) for each in root.tables(BUFFERS)]

    def add(self, data: bytes) -> int:
        """Write a buffer and return its index: 0, the empty one, without data."""
        if not data:
            return 0
        content = self._writer.data(data)
        self.offsets.append(self._writer.table({0: ("offset", content)}))
        return len(self.offsets) - 1


class _Codes:
    """The vector of operator codes: the old ones and new ones."""

    def __init__(self, writer: FrontWriter, root: Table) -> None:
        self._writer = writer
        codes = root.tables(CODES)
        self.offsets = [writer.old(each.start) for each in codes]
        self._known = {
            (max(each.number(0, "<b"), each.number(3, "<i")), each.number(2, "<i", 1)): index
            for index, each in reversed(list(enumerate(codes)))
        }

    def find(self, code: int, version: int) -> int:
        """Return the index of an operator code, which is written where there is none."""
        if (code, version) not in self._known:
            fields: dict[int, Field] = {
                0: ("b", min(code, _NAMES_BEFORE)), 2: ("i", version), 3: ("i", code),
            }  # fmt: skip
            self.offsets.append(self._writer.table(fields))
            self._known[code, version] = len(self.offsets) - 1
        return self._known[code, version]


def _write_tensor(writer: FrontWriter, tensor: Table | Tensor, buffers: _Buffers) -> int:
    if isinstance(tensor, Table):
        return writer.old(tensor.start)
    fields: dict[int, Field] = {
        0: ("offset", writer.numbers("i", tensor.shape)),
        1: ("b", tensor.type),
        2: ("I", buffers.add(tensor.data)),
        3: ("offset", writer.text(tensor.name)),
    }
    if tensor.scale:
        quantization: dict[int, Field] = {
            2: ("offset", writer.numbers("f", [tensor.scale])),
            3: ("offset", writer.numbers("q", [tensor.zero_point])),
        }
        fields[4] = ("offset", writer.table(quantization))
    return writer.table(fields)


def _write_operator(writer: FrontWriter, operator: Table | Operator, codes: _Codes) -> int:
    if isinstance(operator, Table):
        return writer.old(operator.start)
    fields: dict[int, Field] = {
        0: ("I", codes.find(operator.code, operator.version)),
        1: ("offset", writer.numbers("i", operator.inputs)),
        2: ("offset", writer.numbers("i", operator.outputs)),
    }
    if operator.options:
        kind, options = operator.options
        fields[3] = ("B", kind)
        fields[4] = ("offset", writer.table(options))
    return writer.table(fields)
