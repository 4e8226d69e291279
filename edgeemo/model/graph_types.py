"""Change the precision that a TensorFlow graph computes in, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FLOAT, DOUBLE, HALF, BFLOAT16 = 1, 2, 19, 14
"""Numbers of TensorFlow's data types."""

TO_FLOAT: Mapping[int, int] = {HALF: FLOAT, BFLOAT16: FLOAT}
TO_DOUBLE: Mapping[int, int] = {FLOAT: DOUBLE}
_NUMPY = {FLOAT: "float32", DOUBLE: "float64"}
_READ = "ReadVariableOp"


def has_types(functions: Iterable[Any], types: Mapping[int, int]) -> bool:
    """Return whether functions of a graph compute in one of these types."""
    return any(
        value.type in types or any(each in types for each in value.list.type)
        for function in functions
        for node in function.node_def
        for value in node.attr.values()
    )


def change_function(function: Any, types: Mapping[int, int]) -> None:
    """Change the types of a function of a graph's library, in place.

    A variable keeps its own; what is read from it is cast.

    Args:
        function: A `FunctionDef`.
        types: New type of each old one.
    """
    for argument in (*function.signature.input_arg, *function.signature.output_arg):
        argument.type = types.get(argument.type, argument.type)
    casts = {}
    for node in list(function.node_def):
        if node.op == _READ and node.attr["dtype"].type in types:
            cast = _add_cast(function, node, types)
            casts[f"{node.name}:value:0"] = f"{cast.name}:y:0"
        else:
            change_node(node, types)
    for node in function.node_def:
        if not node.name.endswith(_CAST):
            node.input[:] = [casts.get(name, name) for name in node.input]
    for name, source in function.ret.items():
        function.ret[name] = casts.get(source, source)


def change_node(node: Any, types: Mapping[int, int]) -> None:
    """Change the types in the attributes of a node, in place; the values of constants, too."""
    for value in node.attr.values():
        _change_value(value, types)


def expand_normalisation(node: Any) -> Iterator[Any]:
    """Yield the nodes that a batch normalisation consists of; it has no kernel in float64.

    y = scale * (x - mean) / sqrt(variance + epsilon) + offset (Ioffe and Szegedy, 2015).

    Args:
        node: A `NodeDef` of a frozen graph.
    """
    tensor, scale, offset, mean, variance = node.input
    name, kind = node.name, node.attr["T"].type
    epsilon = type(node)(name=f"{name}/epsilon", op="Const")
    epsilon.attr["dtype"].type = kind
    epsilon.attr["value"].tensor.dtype = kind
    epsilon.attr["value"].tensor.tensor_shape.SetInParent()
    value = node.attr["epsilon"].f
    field = "double_val" if kind == DOUBLE else "float_val"
    getattr(epsilon.attr["value"].tensor, field).append(value)
    yield epsilon
    for end, operation, inputs in (
        ("/sum", "AddV2", (variance, epsilon.name)),
        ("/root", "Rsqrt", (f"{name}/sum",)),
        ("/factor", "Mul", (scale, f"{name}/root")),
        ("/shift", "Mul", (mean, f"{name}/factor")),
        ("/addend", "Sub", (offset, f"{name}/shift")),
        ("/scaled", "Mul", (tensor, f"{name}/factor")),
        ("", "AddV2", (f"{name}/scaled", f"{name}/addend")),
    ):
        made = type(node)(name=f"{name}{end}", op=operation, input=inputs)
        made.attr["T"].type = kind
        yield made


_CAST = "/edgeemo_cast"


def _add_cast(function: Any, node: Any, types: Mapping[int, int]) -> Any:
    cast = function.node_def.add(name=f"{node.name}{_CAST}", op="Cast")
    cast.input.append(f"{node.name}:value:0")
    cast.attr["SrcT"].type = node.attr["dtype"].type
    cast.attr["DstT"].type = types[node.attr["dtype"].type]
    cast.attr["Truncate"].b = False
    return cast


def _change_value(value: Any, types: Mapping[int, int]) -> None:
    field = value.WhichOneof("value")
    if field == "type":
        value.type = types.get(value.type, value.type)
    elif field == "list":
        value.list.type[:] = [types.get(each, each) for each in value.list.type]
    elif field == "tensor" and value.tensor.dtype in types:
        import tensorflow as tf

        array = tf.make_ndarray(value.tensor).astype(_NUMPY[types[value.tensor.dtype]])
        value.tensor.CopyFrom(tf.make_tensor_proto(array))
    elif field == "func":
        for each in value.func.attr.values():
            _change_value(each, types)
