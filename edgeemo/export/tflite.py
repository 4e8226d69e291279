"""Conversion from Keras to TFLite."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ExportError
from edgeemo.export.graph import INPUT
from edgeemo.export.ranges import measure_ranges
from edgeemo.model.layer_names import describe_replacement, join_names, list_loops
from edgeemo.utils.redirect import silence
from edgeemo.utils.text import first_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.model.container import Kind


def convert_to_tflite(
    model: Any, kind: Kind, *, calibration: NDArray[np.float32] | None = None
) -> bytes:
    """Convert a network to a TFLite FlatBuffer.

    Args:
        model: A `keras.Model`, as of `edgeemo.export.graph.build_deployed`.
        kind: "float32"; "float16": weights in float16; "dynamic": weights in int8, activations
            quantised at run time; "int8": integers throughout, uint8 input and output.
        calibration: For "int8", (N, H, W, C) float32 that spans [0, 1].

    Returns:
        The FlatBuffer; the same for the same network and calibration.

    Raises:
        ExportError: If the network has an operator that TFLite lacks, or cannot be converted.
    """
    import tensorflow as tf

    try:
        with silence(), warnings.catch_warnings():
            _ignore_expected_warnings()
            converter = tf.lite.TFLiteConverter.from_keras_model(model)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
            if kind == "int8":
                return _to_int8(tf, converter, calibration)
            if kind != "float32":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if kind == "float16":
                converter.target_spec.supported_types = [tf.float16]
            return bytes(converter.convert())
    except OSError:  # such as a full disk, which needs no other words
        raise
    except Exception as error:  # the converter raises almost anything
        raise ExportError(
            f"{kind}.tflite cannot be made: {_describe_error(error, model)}"
        ) from None


def refuse_loops(float32: bytes, network: Any) -> None:
    """Refuse int8 for a network with a loop, whose calibration crashes in TensorFlow.

    Args:
        float32: The network as a float32 FlatBuffer. The body of a loop is a graph of its own.
        network: The network, for the message.

    Raises:
        ExportError: If it has a loop.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    if schema.Model.GetRootAs(float32, 0).SubgraphsLength() > 1:
        names = join_names(list_loops(network))
        place = f" ({names})" if names else ""
        raise ExportError(
            f"int8.tflite cannot be made: the network has a loop{place}, as "
            "recurrent layers do, which TensorFlow cannot calibrate; build the layer with "
            "unroll=True, or export without --int8"
        )


def _to_int8(tf: Any, converter: Any, calibration: NDArray[np.float32] | None) -> bytes:
    """Quantise in the converter's two steps, with `measure_ranges` between them.

    The first step needs an image to learn which tensors are activations; `measure_ranges` then sets
    their ranges.
    """
    from tensorflow.lite.python.convert import mlir_quantize

    if calibration is None:
        raise ValueError("no calibration images")
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    converter.representative_dataset = lambda: iter([{INPUT: calibration[:1]}])
    converter._experimental_calibrate_only = True
    calibrated = measure_ranges(converter.convert(), calibration)
    return bytes(mlir_quantize(calibrated, input_data_type=tf.uint8, output_data_type=tf.uint8))


def _ignore_expected_warnings() -> None:
    """Ignore warnings about the input's statistics and the converter's interpreter."""
    for message in (
        "Statistics for quantized inputs were expected",
        r"\s*Warning: tf\.lite\.Interpreter is deprecated",
    ):
        warnings.filterwarnings("ignore", message=message, category=UserWarning)


def _describe_error(error: Exception, model: Any) -> str:
    text = str(error)
    lacking = re.findall(r"^(?:Flex|Custom|TF Select) ops: (.+)$", text, re.MULTILINE)
    if lacking:
        scopes = re.findall(r'"\w+:", "([^"@]+)@', text)
        remedy = describe_replacement(model, scopes)
        return f"TFLite has no operator for {', '.join(lacking)}; {remedy}"
    return first_line(error)
