"""Canonical ONNX, on graphs made by hand: no TensorFlow here."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeemo.export.canonical import canonicalise, serialise


def _model(*, name=str, order=(0, 1, 2, 3), weight_order=(0, 1), comment=""):
    """image -> Mul(w) -> Relu, Neg -> Add -> prob, with every name made by `name`."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Mul", ["image", name("w")], [name("m")], name=name("mul")),
        helper.make_node("Relu", [name("m")], [name("r")], name=name("relu")),
        helper.make_node("Neg", [name("m")], [name("n")], name=name("neg"), doc_string=comment),
        helper.make_node("Add", [name("r"), name("n")], ["prob"], name=name("add")),
    ]
    weights = [
        numpy_helper.from_array(np.float32([2.0]), name("w")),
        numpy_helper.from_array(np.float32([9.0]), name("unused")),
    ]
    graph = helper.make_graph(
        [nodes[place] for place in order],
        name("graph"),
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("prob", TensorProto.FLOAT, [1])],
        [weights[place] for place in weight_order],
        doc_string=comment,
        value_info=[helper.make_tensor_value_info(name("m"), TensorProto.FLOAT, [1])],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 2)]
    return helper.make_model(graph, opset_imports=opsets, producer_name=name("p"))


@settings(max_examples=25)
@given(
    prefix=st.text(alphabet="abcXYZ_/:0189", min_size=1, max_size=8),
    order=st.permutations(range(4)),
    weight_order=st.permutations(range(2)),
)
def test_names_and_order_leave_no_trace(prefix, order, weight_order):
    other = _model(
        name=lambda text: f"{prefix}{text}", order=order, weight_order=weight_order, comment=prefix
    )
    assert serialise(canonicalise(other)) == serialise(canonicalise(_model()))


def test_the_graph_means_the_same():
    import onnx

    result = canonicalise(_model(order=(3, 2, 1, 0)))
    onnx.checker.check_model(result, full_check=True)
    assert [node.op_type for node in result.graph.node] == ["Mul", "Relu", "Neg", "Add"]
    assert [weight.name for weight in result.graph.initializer] == ["mul_0.1"]
    assert [value.name for value in result.graph.output] == ["prob"]
    assert [entry.domain for entry in result.opset_import] == [""]


def test_another_weight_gives_other_bytes():
    model = _model()
    model.graph.initializer[0].raw_data = np.float32([3.0]).tobytes()
    assert serialise(canonicalise(model)) != serialise(canonicalise(_model()))


def test_the_argument_is_left_alone():
    model = _model()
    before = model.SerializeToString()
    canonicalise(model)
    assert model.SerializeToString() == before


def _branching(name):
    """If(image > 0) then w * image else -image: graphs inside a node, reading from outside."""
    from onnx import TensorProto, helper, numpy_helper

    def branch(operator, inputs, weights):
        out = name(f"{operator}-out")
        return helper.make_graph(
            [helper.make_node(operator, inputs, [out], name=name(operator))],
            name(f"{operator}-graph"),
            [],
            [helper.make_tensor_value_info(out, TensorProto.FLOAT, [1])],
            weights,
        )

    weight = numpy_helper.from_array(np.float32([2.0]), name("w"))
    nodes = [
        helper.make_node("Identity", ["image"], [name("seen")]),
        helper.make_node("Greater", ["image", name("zero")], [name("test")]),
        helper.make_node("Squeeze", [name("test")], [name("flag")]),
        helper.make_node(
            "If",
            [name("flag")],
            ["prob"],
            then_branch=branch("Mul", [name("seen"), name("w")], [weight]),
            else_branch=branch("Neg", [name("seen")], []),
        ),
    ]
    graph = helper.make_graph(
        nodes,
        name("graph"),
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("prob", TensorProto.FLOAT, [1])],
        [numpy_helper.from_array(np.float32([0.0]), name("zero"))],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def test_graphs_inside_nodes_are_renamed_too():
    import onnxruntime

    result = canonicalise(_branching(lambda text: f"x{text}"))
    assert serialise(result) == serialise(canonicalise(_branching(str)))
    session = onnxruntime.InferenceSession(serialise(result), providers=["CPUExecutionProvider"])
    assert session.run(None, {"image": np.float32([3.0])})[0].tolist() == [6.0]
    assert session.run(None, {"image": np.float32([-3.0])})[0].tolist() == [3.0]
