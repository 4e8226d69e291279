"""The operators of an ONNX model, read from its bytes: the engine does not tell them.

The message's fields are those of onnx.proto. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

_GRAPH = 7  # field of ModelProto
_NODE = 1  # of GraphProto
_INPUT, _OUTPUT, _OPERATOR = 1, 2, 4  # of NodeProto
_VARINT, _EIGHT_BYTES, _DELIMITED, _FOUR_BYTES = 0, 1, 2, 5  # Protocol Buffers wire types


@dataclass(frozen=True)
class Node:
    """An operator of a network.

    Attributes:
        operator: Its name, in capitals.
        inputs: The tensors that it takes.
        outputs: The tensors that it gives.
    """

    operator: str
    inputs: tuple[Hashable, ...]
    outputs: tuple[Hashable, ...]


def read_nodes(model: bytes) -> list[Node]:
    """Return the operators of an ONNX model; those inside control flow are left out.

    Args:
        model: A serialised ModelProto that the engine loads.
    """
    whole = memoryview(model)
    return [
        _read_node(node)
        for number, graph in _read_fields(whole)
        if number == _GRAPH
        for inner, node in _read_fields(graph)
        if inner == _NODE
    ]


def _read_node(message: memoryview) -> Node:
    texts: dict[int, list[str]] = {_INPUT: [], _OUTPUT: [], _OPERATOR: []}
    for number, value in _read_fields(message):
        if number in texts:
            texts[number].append(bytes(value).decode(errors="replace"))
    return Node("".join(texts[_OPERATOR]).upper(), tuple(texts[_INPUT]), tuple(texts[_OUTPUT]))


def _read_fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield number and content of the fields that have a length; the others are passed over."""
    place = 0
    while place < len(message):
        key, place = _read_varint(message, place)
        wire = key & 7
        if wire == _VARINT:
            _, place = _read_varint(message, place)
        elif wire == _DELIMITED:
            length, place = _read_varint(message, place)
            yield key >> 3, message[place : place + length]
            place += length
        else:
            place += {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(wire, len(message))


def _read_varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return a number and the place behind it."""
    value = shift = 0
    while place < len(message):
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return value, place
