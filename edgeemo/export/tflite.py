"""Keras to TFLite."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ExportError
from edgeemo.export.graph import INPUT
from edgeemo.export.ranges import measured
from edgeemo.utils.redirect import silence
from edgeemo.utils.text import first_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.export.options import Kind


def to_tflite(model: Any, kind: Kind, *, calibration: NDArray[np.float32] | None = None) -> bytes:
    """Convert a network to a TFLite FlatBuffer.

    Args:
        model: What `edgeemo.export.graph.deployable` gave.
        kind: "float32"; "float16": weights in float16; "dynamic": weights in int8, activations
            quantised as they come; "int8": everything an integer, uint8 in and out.
        calibration: For "int8", (N, H, W, C) float32 that spans [0, 1].

    Returns:
        The FlatBuffer; the same for the same network and calibration.

    Raises:
        ExportError: If the network has an operator that TFLite lacks, or cannot be converted.
    """
    import tensorflow as tf

    try:
        with silence(), warnings.catch_warnings():
            _ignore_known_warnings()
            converter = tf.lite.TFLiteConverter.from_keras_model(model)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
            if kind == "int8":
                return _to_int8(tf, converter, calibration)
            if kind != "float32":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if kind == "float16":
                converter.target_spec.supported_types = [tf.float16]
            return bytes(converter.convert())
    except OSError:  # a full disk speaks for itself
        raise
    except Exception as error:  # the converter raises almost anything
        raise ExportError(f"{kind}.tflite cannot be made: {_reason(error)}") from None


def _to_int8(tf: Any, converter: Any, calibration: NDArray[np.float32] | None) -> bytes:
    """In the converter's own two steps, calibration and quantisation, with `measured` between.

    The first needs an image to learn which tensors are activations; their ranges come after it.
    """
    from tensorflow.lite.python.convert import mlir_quantize

    if calibration is None:
        raise ValueError("no calibration images")
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    converter.representative_dataset = lambda: iter([{INPUT: calibration[:1]}])
    converter._experimental_calibrate_only = True
    calibrated = measured(converter.convert(), calibration)
    return bytes(mlir_quantize(calibrated, input_data_type=tf.uint8, output_data_type=tf.uint8))


def _ignore_known_warnings() -> None:
    """Expected: the statistics are the input's and are used; the interpreter is the converter's."""
    for message in (
        "Statistics for quantized inputs were expected",
        r"\s*Warning: tf\.lite\.Interpreter is deprecated",
    ):
        warnings.filterwarnings("ignore", message=message, category=UserWarning)


def _reason(error: Exception) -> str:
    lacking = re.findall(r"^(?:Flex|Custom|TF Select) ops: (.+)$", str(error), re.MULTILINE)
    if lacking:
        return f"TFLite has no operator for {', '.join(lacking)}; replace that layer"
    return first_line(error)
