"""Canonical form of an ONNX graph: names and order that depend on the graph only.

The same graph gives the same bytes. tf2onnx numbers its nodes with a counter of the process and
writes the name of a TensorFlow function into a comment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator


def canonicalise(model: Any) -> Any:
    """Return an ONNX model in the form that is the same for the same graph.

    Nodes are ordered by depth-first search from the outputs; nodes, tensors and weights are renamed
    in that order (``conv_0``, ``conv_0.1`` for its second input where that is a weight); comments,
    unused weights, shape hints and unused operator sets are removed; the graph's inputs and outputs
    keep their names.

    Args:
        model: An `onnx.ModelProto`, which is not changed.

    Returns:
        A new `onnx.ModelProto`.
    """
    import onnx

    result = onnx.ModelProto()
    result.CopyFrom(model)
    _clean(result)
    graph = result.graph
    _replace(graph.node, sort_nodes(graph))
    ends = {value.name for value in (*graph.input, *graph.output)}
    names = {name: name for name in ("", *ends)}
    _rename(graph, names)
    return result


def serialise(model: Any) -> bytes:
    """Return an ONNX model as bytes, the same for the same model."""
    return bytes(model.SerializeToString(deterministic=True))


def _clean(model: Any) -> None:
    domains = {node.domain for graph in _walk_graphs(model.graph) for node in graph.node}
    _replace(
        model.opset_import,
        sorted(
            (entry for entry in model.opset_import if entry.domain in domains),
            key=lambda entry: entry.domain,
        ),
    )
    model.producer_name, model.producer_version = "edgeemo", __version__
    model.doc_string = ""
    del model.metadata_props[:]
    for graph in _walk_graphs(model.graph):
        graph.name, graph.doc_string = "edgeemo", ""
        del graph.value_info[:]
        for node in graph.node:
            node.doc_string = ""
            _replace(node.attribute, sorted(node.attribute, key=lambda entry: entry.name))


def sort_nodes(graph: Any) -> list[Any]:
    """Return the nodes that the outputs need, each after those that it needs."""
    makers = {name: node for node in graph.node for name in node.output if name}
    done, result = set[str](), list[Any]()
    pending = [
        (makers[value.name], False) for value in reversed(graph.output) if value.name in makers
    ]
    while pending:
        node, ready = pending.pop()
        key = next(name for name in node.output if name)
        if key in done:
            continue
        if ready:
            done.add(key)
            result.append(node)
            continue
        pending.append((node, True))
        pending.extend(
            (makers[name], False) for name in reversed(_list_inputs(node)) if name in makers
        )
    return result


def _list_inputs(node: Any) -> list[str]:
    """Return the names that a node reads, also in the graphs inside it."""
    inner = [
        name
        for graph in _list_subgraphs(node)
        for child in graph.node
        for name in _list_inputs(child)
    ]
    return [*node.input, *inner]


def _rename(graph: Any, names: dict[str, str], *, prefix: str = "") -> None:
    """Rename everything inside a graph; `names` maps old names to new ones and grows."""
    for place, value in enumerate(graph.input):
        names.setdefault(value.name, f"{prefix}in.{place}")
    for number, node in enumerate(graph.node):
        node.name = f"{prefix}{node.op_type.lower()}_{number}"
        _rename_ends(node, names)
        for inner in _list_subgraphs(node):
            _rename(inner, names, prefix=f"{node.name}/")
    _rename_weights(graph, names)
    for value in (*graph.input, *graph.output):
        value.name = names[value.name]


def _rename_ends(node: Any, names: dict[str, str]) -> None:
    for place, name in enumerate(node.input):
        names.setdefault(name, f"{node.name}.{place}")
    for place, name in enumerate(node.output):
        names.setdefault(name, f"{node.name}:{place}")
    _replace(node.input, [names[name] for name in node.input])
    _replace(node.output, [names[name] for name in node.output])


def _rename_weights(graph: Any, names: dict[str, str]) -> None:
    """Rename the weights that something reads, in the order of `names`; drop the others."""
    order = {old: place for place, old in enumerate(names)}
    used = sorted(
        (weight for weight in graph.initializer if weight.name in order),
        key=lambda weight: order[weight.name],
    )
    for weight in used:
        weight.name, weight.doc_string = names[weight.name], ""
    _replace(graph.initializer, used)


def _list_subgraphs(node: Any) -> list[Any]:
    single = [entry.g for entry in node.attribute if entry.HasField("g")]
    return [*single, *(graph for entry in node.attribute for graph in entry.graphs)]


def _walk_graphs(graph: Any) -> Iterator[Any]:
    """Yield a graph and all graphs inside it."""
    yield graph
    for node in graph.node:
        for inner in _list_subgraphs(node):
            yield from _walk_graphs(inner)


def _replace(field: Any, values: list[Any]) -> None:
    """Replace the content of a repeated Protocol Buffers field, perhaps by part of itself."""
    copies = [
        type(value).FromString(value.SerializeToString()) if hasattr(value, "FromString") else value
        for value in values
    ]
    del field[:]
    field.extend(copies)
