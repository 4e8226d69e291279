"""Operators of a converted network by the Keras layer that they come from."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ExportError
from edgeemo.export.graph import OUTPUT
from edgeemo.utils.text import join_or

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_DERIVED = re.compile(
    r"(_(affine|affine_\d+|scaled|pairs|in|out|shift|gate|product|sixth|clamp|logit|relu6|sigmoid))+$"
)
"""Ends of the names that edgeemo gives to the parts of a layer that it writes otherwise."""

_NEAR, _MANY = 3, 20
"""Number of similar names, and of names, that a message lists."""


@dataclass(frozen=True)
class Operator:
    """An operator of a converted network.

    Attributes:
        name: Its name in the file: in TFLite that of its output, in ONNX its own.
        layers: Names of the Keras layers that it comes from, in the order of the network; of nested
            models, too. Empty where its name does not tell.
    """

    name: str
    layers: tuple[str, ...]


@dataclass(frozen=True)
class LayerGraph:
    """Layers of a model, also those inside nested models.

    Attributes:
        names: Their names, in the order of the network; nested models, too.
        before: Name of the layer before each one that has one.
        weighty: Names of those with a kernel.
    """

    names: tuple[str, ...] = ()
    before: Mapping[str, str] = field(default_factory=dict)
    weighty: frozenset[str] = frozenset()


def list_layers(model: Any) -> LayerGraph:
    """Return the layers of a `keras.Model`."""
    layers = {layer.name: layer for layer in _walk(model)}
    before = {}
    for name, layer in layers.items():
        nodes = getattr(layer, "_inbound_nodes", ())
        if nodes and nodes[0].input_tensors:
            before[name] = nodes[0].input_tensors[0]._keras_history.operation.name
    weighty = {
        name
        for name, layer in layers.items()
        if not hasattr(layer, "layers") and any(len(each.shape) > 1 for each in layer.weights)
    }
    return LayerGraph(tuple(layers), before, frozenset(weighty))


def _walk(model: Any) -> Iterator[Any]:
    for layer in getattr(model, "layers", ()):
        if type(layer).__name__ != "InputLayer":
            yield layer
        if hasattr(layer, "layers"):
            yield from _walk(layer)


def list_tflite_operators(content: bytes, layers: Sequence[str]) -> list[Operator]:
    """Return the operators of a FlatBuffer in their order.

    Args:
        content: A FlatBuffer as of `edgeemo.export.tflite`.
        layers: The names of `list_layers`.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    graph = schema.Model.GetRootAs(content, 0).Subgraphs(0)

    def name(tensor: int) -> str:
        return str(graph.Tensors(tensor).Name().decode())

    found = []
    for index in range(graph.OperatorsLength()):
        node = graph.Operators(index)
        inputs = [name(each) for each in node.InputsAsNumpy() if each >= 0]
        output = name(node.Outputs(0))
        found.append((output, inputs, [output], _find_layers([output], layers)))
    return _complete(found, last=name(graph.Outputs(0)), layers=layers)


def list_onnx_operators(graph: Any, layers: Sequence[str]) -> list[Operator]:
    """Return the operators of an ONNX graph whose names are still those of TensorFlow.

    Args:
        graph: An `onnx.GraphProto`.
        layers: The names of `list_layers`.
    """
    readers = Counter(name for node in graph.node for name in node.input)
    weights = {weight.name for weight in graph.initializer if readers[weight.name] == 1}
    kernels = {weight.name for weight in graph.initializer if len(weight.dims) > 1}
    found = []
    for node in graph.node:
        own = _find_layers([node.name, *kernels.intersection(node.input)], layers)
        own = own or _find_layers(weights.intersection(node.input), layers)
        found.append((node.name, list(node.input), list(node.output), own))
    return _complete(found, last=OUTPUT, layers=layers)


def _complete(
    found: Iterable[tuple[str, list[str], list[str], tuple[str, ...]]],
    *,
    last: str,
    layers: Sequence[str],
) -> list[Operator]:
    """Return operators; one whose name tells no layer has that of the operator before it.

    Args:
        found: Name, inputs, outputs and layers of each operator.
        last: The output of the graph, whose operator belongs to the last layer in any case.
        layers: The names of `list_layers`.
    """
    owners: dict[str, tuple[str, ...]] = {}
    operators = []
    for name, inputs, outputs, own in found:
        before = next((owners[each] for each in inputs if each in owners), ())
        owner = own or (tuple(layers[-1:]) if last in outputs else before)
        owners |= dict.fromkeys(outputs, owner)
        operators.append(Operator(name, owner))
    return operators


def choose_operators(
    operators: Sequence[Operator], kept: Iterable[str], layers: LayerGraph
) -> list[str]:
    """Return the names of the operators that belong to one of the kept layers.

    Args:
        operators: All operators.
        kept: Names of layers. One without an operator of its own, such as a batch normalisation
            that is part of a convolution, stands for the layer before it.
        layers: All layers.
    """
    known = {layer for each in operators for layer in each.layers}
    wanted = set()
    for each in kept:
        name = each
        while name not in known and name in layers.before:
            name = layers.before[name]
        wanted.add(name)
    return [one.name for one in operators if wanted.intersection(one.layers)]


def refuse_other_floats(content: bytes, kept: Iterable[str]) -> None:
    """Refuse an int8 FlatBuffer with operators in float that are not kept so.

    Args:
        content: The FlatBuffer.
        kept: Operators in float, by the name of their output.

    Raises:
        ExportError: If another one is in float.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.Model.GetRootAs(content, 0)
    graph, allowed = model.Subgraphs(0), set(kept)
    for index in range(graph.OperatorsLength()):
        node = graph.Operators(index)
        tensor = graph.Tensors(node.Outputs(0))
        code = model.OperatorCodes(node.OpcodeIndex()).BuiltinCode()
        is_float = tensor.Type() == schema.TensorType.FLOAT32
        name = tensor.Name().decode()
        if is_float and code != schema.BuiltinOperator.DEQUANTIZE and name not in allowed:
            raise ExportError(
                f"int8.tflite cannot be made: {name.partition(';')[0]!r} stays in float; name its "
                "layer in --keep-float, too"
            )


def check_layers(kept: Sequence[str], layers: Sequence[str]) -> None:
    """Refuse layers to keep in float that do not exist, and all of them.

    Args:
        kept: Names as given.
        layers: The names of `list_layers`.

    Raises:
        ExportError: If one does not exist, or none would be left for int8.
    """
    for name in kept:
        if name not in layers:
            raise ExportError(f"--keep-float: {_describe_unknown(name, layers)}")
    if set(layers) <= set(kept):
        raise ExportError("--keep-float names every layer: leave out --int8")


def _describe_unknown(name: str, layers: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, layers, n=_NEAR)
    if near:
        return f"layer {name!r} is unknown; did you mean {join_or(list(map(repr, near)))}?"
    more = f", ... ({len(layers)} in all)" if len(layers) > _MANY else ""
    return f"layer {name!r} is unknown; choose from {', '.join(layers[:_MANY])}{more}"


def _find_layers(names: Iterable[str], layers: Sequence[str]) -> tuple[str, ...]:
    scopes = {part for name in names for path in name.split(";") for part in path.split("/")[:-1]}
    found = {_find_layer(scope, layers) for scope in scopes}
    return tuple(layer for layer in layers if layer in found)


def _find_layer(scope: str, layers: Sequence[str]) -> str | None:
    """Return the layer of a scope, to whose name TensorFlow adds a number."""
    for name in (re.sub(r"_\d+$", "", scope), scope):
        for candidate in (name, _DERIVED.sub("", name)):
            if candidate in layers:
                return candidate
    return None
