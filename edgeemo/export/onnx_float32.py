"""Conversion from Keras to ONNX: the only file that imports tf2onnx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.errors import ExportError
from edgeemo.export.canonical import canonicalise
from edgeemo.export.graph import INPUT
from edgeemo.utils.redirect import silence
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
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
    try:
        with silence():
            converted = _convert(model, spec)
    except OSError:  # such as a full disk, which needs no other words
        raise
    except Exception as error:  # the converter raises almost anything
        reason = one_line(error)
        raise ExportError(f"float32.onnx cannot be made: {reason}") from None
    _refuse_unknown_operators(converted)
    return canonicalise(converted)


def _convert(model: Any, spec: ModelSpec) -> Any:
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((1, *spec.input_shape), tf.float32, name=INPUT)]

    def predict(image: Any) -> Any:
        return model(image, training=False)

    function = tf.function(predict, input_signature=signature, autograph=False)
    converted, _ = tf2onnx.convert.from_function(function, signature, opset=OPSET)
    return converted


def _refuse_unknown_operators(model: Any) -> None:
    """Refuse operators that tf2onnx could not translate and left under TensorFlow's name."""
    import onnx

    unknown = {
        node.op_type for node in model.graph.node if not onnx.defs.has(node.op_type, node.domain)
    }
    if unknown:
        raise ExportError(
            f"float32.onnx cannot be made: ONNX has no operator for {', '.join(sorted(unknown))}; "
            "replace that layer"
        )
