"""Conversion from Keras to ONNX: the only file that imports tf2onnx."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ExportError
from edgeemo.export.canonical import canonicalise
from edgeemo.export.graph import INPUT
from edgeemo.model.layer_names import describe_replacement
from edgeemo.utils.redirect import silence
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.model.spec import ModelSpec

OPSET = 18
"""Highest opset that tf2onnx 1.17 writes."""


def convert_to_onnx(model: Any, spec: ModelSpec) -> Any:
    """Convert a network to ONNX.

    Args:
        model: A `keras.Model`, as of `edgeemo.export.graph.build_deployed`.
        spec: Spec of the model, for the shape of one image.

    Returns:
        An `onnx.ModelProto` with canonical names, see `edgeemo.export.canonical`.

    Raises:
        ExportError: If the network has an operator that ONNX lacks, or cannot be converted.
    """
    return canonicalise(translate_to_onnx(model, spec))


def translate_to_onnx(model: Any, spec: ModelSpec) -> Any:
    """Convert a network to an `onnx.ModelProto` with TensorFlow's names; see `convert_to_onnx`."""
    try:
        with silence():
            converted = _convert(model, spec)
    except OSError:  # such as a full disk, which needs no other words
        raise
    except Exception as error:  # the converter raises almost anything
        reason = one_line(error)
        raise ExportError(f"float32.onnx cannot be made: {reason}") from None
    _refuse_unknown_operators(converted, model)
    return converted


def _convert(model: Any, spec: ModelSpec) -> Any:
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((1, *spec.input_shape), tf.float32, name=INPUT)]

    def predict(image: Any) -> Any:
        return model(image, training=False)

    function = tf.function(predict, input_signature=signature, autograph=False)
    with _inline_functions(tf):
        concrete = function.get_concrete_function()
    converted, _ = tf2onnx.convert.from_function(_Traced(concrete), signature, opset=OPSET)
    _replace_erfc(converted)
    return converted


class _Traced:
    """A traced function whose only input is the image.

    tf2onnx takes everything that a function captures and that is no variable for an input, too:
    constants of a Normalization, say. They are frozen with the variables.
    """

    def __init__(self, concrete: Any) -> None:
        self._concrete = concrete
        self.inputs = concrete.inputs[: len(concrete.inputs) - len(concrete.captured_inputs)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._concrete, name)

    def get_concrete_function(self, *_: Any) -> Any:
        """Return itself, where tf2onnx would trace."""
        return self


@contextmanager
def _inline_functions(tf: Any) -> Iterator[None]:
    """Trace functions inside the model as part of it.

    Keras compiles a convolution in groups with XLA, and a compiled function cannot be converted.
    """
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def _replace_erfc(model: Any) -> None:
    """Replace Erfc, which an exact GELU has and ONNX lacks, by 1 - Erf."""
    import numpy as np
    import onnx

    graph = model.graph
    nodes = list(graph.node)
    found = [node for node in nodes if node.op_type == "Erfc"]
    if not found:
        return
    one = f"{found[0].name}/one"
    graph.initializer.append(onnx.numpy_helper.from_array(np.float32(1), one))
    del graph.node[:]
    for node in nodes:
        if node.op_type != "Erfc":
            graph.node.append(node)
            continue
        erf = f"{node.name}/erf"
        graph.node.append(onnx.helper.make_node("Erf", node.input, [erf], name=erf))
        graph.node.append(onnx.helper.make_node("Sub", [one, erf], node.output, name=node.name))


def _refuse_unknown_operators(converted: Any, network: Any) -> None:
    """Refuse operators that tf2onnx could not translate and left under TensorFlow's name."""
    import onnx

    unknown = [
        node for node in converted.graph.node if not onnx.defs.has(node.op_type, node.domain)
    ]
    if unknown:
        names = ", ".join(sorted({node.op_type for node in unknown}))
        remedy = describe_replacement(network, (node.name for node in unknown))
        raise ExportError(
            f"float32.onnx cannot be made: ONNX has no operator for {names}; {remedy}"
        )
