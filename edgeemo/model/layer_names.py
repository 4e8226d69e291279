"""Name the layer of a network that an operator comes from, for messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def describe_replacement(network: Any, scopes: Iterable[str]) -> str:
    """Return the remedy for operators that a format lacks: the layers to replace.

    Args:
        network: The network, as of `edgeemo.export.graph.build_deployed`.
        scopes: Scopes of TensorFlow in which the operators are, as ``edgeemo_1/dense_1/Gelu``.
    """
    found = find_layers(list_layers(network), scopes)
    return f"replace {join_names(found) or 'that layer'}"


def find_layers(known: Collection[str], scopes: Iterable[str]) -> list[str]:
    """Return the layers that operators or tensors are of, sorted.

    Args:
        known: Names of the layers.
        scopes: Scopes of TensorFlow.
    """
    return sorted({name for scope in scopes for name in _find_layer(known, scope)})


def name_layer(network: Any, scope: str) -> str:
    """Return the layer of an operator; of a SavedModel the name that its graph has, perhaps "".

    Args:
        network: A `keras.Model`.
        scope: Name of the operator, as ``functional_1/dense_1/Gelu``.
    """
    found = _find_layer(list_layers(network), scope)
    if found:
        return found[0]
    _, _, inside = scope.rpartition("PartitionedCall/")
    return inside.split("/")[-2] if "PartitionedCall/" in scope and "/" in inside else ""


def list_loops(network: Any) -> list[str]:
    """Return the names of the layers that are loops when converted: recurrent, not unrolled.

    Args:
        network: A `keras.Model`.
    """
    from edgeemo.model.keras import import_keras

    recurrent = import_keras().layers.RNN
    layers = [each for each in network._flatten_layers() if isinstance(each, recurrent)]
    return sorted({each.name for each in layers if not each.unroll})


def join_names(names: Iterable[str]) -> str:
    """Return layers as text: "layer 'lstm'"; "" for none."""
    quoted = [repr(name) for name in names]
    return f"layer{'s' if len(quoted) > 1 else ''} {', '.join(quoted)}" if quoted else ""


def list_layers(network: Any) -> set[str]:
    """Return the names of the layers inside a network, at any depth."""
    layers = (layer for layer in network._flatten_layers() if layer is not network)
    return {layer.name for layer in layers if type(layer).__name__ != "TFSMLayer"}


def _find_layer(known: Collection[str], scope: str) -> list[str]:
    """Return the innermost layer of a scope, which TensorFlow numbers on."""
    for part in reversed(scope.split("/")[:-1]):
        for name in (part, re.sub(r"_\d+$", "", part)):
            if name in known:
                return [name]
    return []
