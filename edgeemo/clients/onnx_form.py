"""The form of an ``.onnx`` file that other programs read: RGB in, one column per label.

As `edgeemo.clients.tflite_form`, and with the input as (1, H, W, 3) or (1, 3, H, W). Needs onnx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edgeemo.clients.rgb_input import LUMA
from edgeemo.clients.tflite_form import make_client_spec
from edgeemo.model.description import describe_input, describe_model, describe_output

if TYPE_CHECKING:
    from edgeemo.model.spec import ModelSpec

Layout = Literal["nhwc", "nchw"]

_TO_NCHW, _TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
_OWN = "client_"
"""Begin of the names of what is added: the exporter's own names begin with an operator's."""


def make_onnx_form(model: bytes, spec: ModelSpec, *, layout: Layout = "nhwc") -> bytes:
    """Return an ONNX model in the form that other programs read.

    Args:
        model: The engine's model of a verified file.
        spec: Its spec.
        layout: Order of the input's dimensions.
    """
    import onnx

    parsed = onnx.load_model_from_string(model)
    form = _Form(parsed, spec, onnx.helper)
    form.take_rgb(layout)
    if spec.activation == "sigmoid":
        form.split_probability()
    own = make_client_spec(spec)
    parsed.doc_string = describe_model(own, takes_pixels=False, gives_bytes=False)
    parsed.graph.input[0].doc_string = f"{describe_input(own)}, {layout.upper()}"
    parsed.graph.output[0].doc_string = describe_output(own)
    return bytes(parsed.SerializeToString(deterministic=True))


class _Form:
    """The graph of an ONNX model that gets another input and output.

    Args:
        model: The `onnx.ModelProto`, which is changed.
        spec: Spec of the model.
        helper: The module `onnx.helper`.
    """

    def __init__(self, model: Any, spec: ModelSpec, helper: Any) -> None:
        self._graph, self._spec, self._helper = model.graph, spec, helper

    def take_rgb(self, layout: Layout) -> None:
        """Replace the input by an RGB image in a layout."""
        spec, graph = self._spec, self._graph
        if spec.channels == 3 and layout == "nhwc":
            return
        name = graph.input[0].name
        old, is_nchw = self._detach_input(name)
        nodes: list[Any] = []
        at = name
        if layout == "nhwc":
            at = self._add(nodes, "Transpose", [at], perm=_TO_NCHW)
        if spec.channels == 1:
            at = self._make_grey(nodes, at)
        if not is_nchw:
            at = self._add(nodes, "Transpose", [at], perm=_TO_NHWC)
        self._finish(nodes, old)
        rest = list(graph.node)
        del graph.node[:]
        graph.node.extend([*nodes, *rest])
        sides = (spec.height, spec.width)
        shape = [1, *sides, 3] if layout == "nhwc" else [1, 3, *sides]
        self._set_shape(graph.input[0], shape)

    def split_probability(self) -> None:
        """Replace the output p by 1 - p and p."""
        graph = self._graph
        name, p = graph.output[0].name, f"{_OWN}p"
        for node in graph.node:
            for names in (node.input, node.output):
                names[:] = [p if each == name else each for each in names]
        weights = self._constant("columns", np.array([[-1, 1]], np.float32))
        addend = self._constant("columns_bias", np.array([1, 0], np.float32))
        graph.node.append(
            self._helper.make_node("Gemm", [p, weights, addend], [name], name=f"{_OWN}columns")
        )
        self._set_shape(graph.output[0], [1, 2])

    def _detach_input(self, name: str) -> tuple[str, bool]:
        """Return the tensor to write instead of the input, and whether it is (1, C, H, W).

        The network's own operator that turns the input into that goes.
        """
        graph = self._graph
        readers = [node for node in graph.node if name in node.input]
        if len(readers) == 1 and self._is_transpose(readers[0]):
            graph.node.remove(readers[0])
            self._drop_unused()
            return readers[0].output[0], True
        old = f"{_OWN}image"
        for node in readers:
            node.input[:] = [old if each == name else each for each in node.input]
        return old, False

    def _is_transpose(self, node: Any) -> bool:
        """Return whether a node turns (1, H, W, C) into (1, C, H, W)."""
        if node.op_type == "Transpose":
            return tuple(node.attribute[0].ints) == _TO_NCHW
        if node.op_type != "Reshape" or self._spec.channels != 1:
            return False
        import onnx

        shapes = [each for each in self._graph.initializer if each.name == node.input[1]]
        sides = [1, 1, self._spec.height, self._spec.width]
        return bool(shapes) and onnx.numpy_helper.to_array(shapes[0]).tolist() == sides

    def _drop_unused(self) -> None:
        used = {name for node in self._graph.node for name in node.input}
        kept = [each for each in self._graph.initializer if each.name in used]
        copies = [type(each).FromString(each.SerializeToString()) for each in kept]
        del self._graph.initializer[:]
        self._graph.initializer.extend(copies)

    def _make_grey(self, nodes: list[Any], at: str) -> str:
        """Append the grey of an image (1, 3, H, W), exactly G where R = G = B."""
        red, _, blue = LUMA
        differences = np.array([[1, -1, 0], [0, 1, 0], [0, -1, 1]], np.float32)
        luma = np.array([red, 1, blue], np.float32)
        for name, weights in (("differences", differences), ("luma", luma)):
            kernel = self._constant(name, weights.reshape(-1, 3, 1, 1))
            at = self._add(nodes, "Conv", [at, kernel], kernel_shape=[1, 1])
        return at

    def _add(self, nodes: list[Any], operator: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{_OWN}{len(nodes)}"
        nodes.append(self._helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def _finish(self, nodes: list[Any], target: str) -> None:
        """Make the last node write the tensor that the network reads."""
        if nodes:
            nodes[-1].output[0] = target
            return
        name = self._graph.input[0].name
        for node in self._graph.node:
            node.input[:] = [name if each == target else each for each in node.input]

    def _constant(self, name: str, values: np.ndarray) -> str:
        import onnx

        name = f"{_OWN}{name}"
        self._graph.initializer.append(onnx.numpy_helper.from_array(values, name))
        return name

    def _set_shape(self, value: Any, shape: list[int]) -> None:
        dimensions = value.type.tensor_type.shape.dim
        del dimensions[:]
        for side in shape:
            dimensions.add().dim_value = side
