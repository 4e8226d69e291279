"""Conversion from Keras to TFLite."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ExportError
from edgeemo.export.graph import INPUT
from edgeemo.export.ranges import measure_ranges
from edgeemo.model.layer_names import describe_replacement, join_names, list_loops
from edgeemo.model.quantisation import RangeMethod
from edgeemo.utils.redirect import silence
from edgeemo.utils.text import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.model.container import Kind


_OPEN_LOOP = "'tf.TensorListReserve' op requires element_shape to be static"
"""Part of the converter's message on the loop of a recurrent layer with an open batch size."""


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
    if kind == "int8":
        if calibration is None:
            raise ExportError("int8.tflite cannot be made: no calibration images")
        return quantise_tflite(calibrate_tflite(model, calibration))
    import tensorflow as tf

    with _explain_errors(kind, model):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if kind != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kind == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def calibrate_tflite(
    model: Any, calibration: NDArray[np.float32], *, method: RangeMethod = RangeMethod.MINMAX
) -> bytes:
    """Return a network as a float FlatBuffer with the range of each activation.

    The converter needs an image to learn which tensors are activations; `measure_ranges` then sets
    their ranges.

    Args:
        model: A `keras.Model`, as of `edgeemo.export.graph.build_deployed`.
        calibration: (N, H, W, C) float32 that spans [0, 1].
        method: How a range is set.

    Raises:
        ExportError: If the network cannot be converted.
    """
    import tensorflow as tf

    with _explain_errors("int8", model):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
        converter.representative_dataset = lambda: iter([{INPUT: calibration[:1]}])
        converter._experimental_calibrate_only = True
        return measure_ranges(converter.convert(), list(calibration), method=method)


def quantise_tflite(
    calibrated: bytes, *, keep_float: Sequence[str] = (), float_output: bool = False
) -> bytes:
    """Quantise a FlatBuffer to int8: the second step of the converter.

    Args:
        calibrated: As of `calibrate_tflite`.
        keep_float: Operators that stay in float, by the name of their output.
        float_output: Whether the output is float32 instead of uint8.

    Raises:
        ExportError: If it cannot be quantised.
    """
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    with _explain_errors("int8"):
        return bytes(
            mlir_quantize(
                calibrated,
                input_data_type=tf.uint8,
                output_data_type=tf.float32 if float_output else tf.uint8,
                denylisted_nodes=list(keep_float),
            )
        )


def convert_to_int16x8(model: Any, calibration: NDArray[np.float32]) -> bytes:
    """Return a network as a FlatBuffer of 16-bit activations and 8-bit weights.

    Input and output are float32. The converter's own calibration serves here: beside 65,536 steps
    its errors, which `measure_ranges` avoids, do not count.

    Args:
        model: A `keras.Model`, as of `edgeemo.export.graph.build_deployed`.
        calibration: (N, H, W, C) float32 that spans [0, 1].

    Raises:
        ExportError: If the network cannot be converted.
    """
    import tensorflow as tf

    with _explain_errors("int8", model):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
        converter.representative_dataset = lambda: ({INPUT: image[None]} for image in calibration)
        return bytes(converter.convert())


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


@contextmanager
def _explain_errors(kind: Kind, model: Any = None) -> Iterator[None]:
    """Silence the converter, and turn whatever it raises into an `ExportError`."""
    try:
        with silence(), warnings.catch_warnings():
            _ignore_expected_warnings()
            yield
    except OSError:  # such as a full disk, which needs no other words
        raise
    except Exception as error:  # the converter raises almost anything
        raise ExportError(
            f"{kind}.tflite cannot be made: {_describe_error(error, model)}"
        ) from None


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
    if lacking and model is not None:
        scopes = re.findall(r'"\w+:", "([^"@]+)@', text)
        remedy = describe_replacement(model, scopes)
        return f"TFLite has no operator for {', '.join(lacking)}; {remedy}"
    scopes = re.findall(r'fused\["\w+:", "([^"@]+)@', text)
    if _OPEN_LOOP in text:
        place = f" ({scopes[0].rpartition('/')[0]})" if scopes else ""
        return (
            f"a recurrent layer{place} needs a batch size of 1, which the SavedModel leaves open; "
            "save the model as .keras, or with keras.Input(batch_shape=(1, H, W, C))"
        )
    line = first_line(error)
    located = re.search(r"'[\w.]+' op .+", line)  # behind its place in the source code
    if not located:
        return line
    return f"{located[0]}; {describe_replacement(model, scopes)}"
