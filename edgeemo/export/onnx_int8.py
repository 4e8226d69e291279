"""Quantisation of an ONNX model to int8: static, in QDQ form, by ONNX Runtime's tool.

Never `quantize_dynamic`: its integer convolutions made this kind of network 8 times slower.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ExportError
from edgeemo.export.canonical import canonicalise
from edgeemo.export.graph import OUTPUT
from edgeemo.export.onnx_ranges import measure_onnx_ranges
from edgeemo.model.quantisation import RangeMethod
from edgeemo.utils.redirect import silence
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.export.range_estimates import Ranges


_PRODUCTS = ("MatMul", "Gemm")
_LAST = (*_PRODUCTS, "Add")


def quantise(
    model: Any,
    calibration: NDArray[np.float32],
    *,
    method: RangeMethod = RangeMethod.MINMAX,
    keep_float: Sequence[str] = (),
) -> Any:
    """Quantise weights (per channel) and activations to signed 8 bits.

    Args:
        model: A float32 `onnx.ModelProto` of opset 13 or later.
        calibration: (N, H, W, C) float32 images that span [0, 1]; the values of a tensor over them
            set its range.
        method: How a range is set.
        keep_float: Names of further operators that stay in float.

    Returns:
        An `onnx.ModelProto` with float32 input and output and canonical names. Its last dense
        layer and the sigmoid or softmax stay float32: rounding logits or probabilities to 8 bits
        would move those near the threshold across it and save nothing.

    Raises:
        ExportError: If the tool fails.
    """
    ranges = measure_ranges_of_onnx(model, calibration, method=method)
    return quantise_with_ranges(model, ranges, keep_float=keep_float)


def measure_ranges_of_onnx(
    model: Any, calibration: NDArray[np.float32], *, method: RangeMethod
) -> Ranges:
    """Measure the range of each activation, see `measure_onnx_ranges`.

    Raises:
        ExportError: If ONNX Runtime fails.
    """
    with _explain_errors():
        return measure_onnx_ranges(model, calibration, method=method)


def quantise_with_ranges(model: Any, ranges: Ranges, *, keep_float: Sequence[str] = ()) -> Any:
    """Quantise a model whose ranges are measured; see `quantise`.

    Raises:
        ExportError: If the tool fails.
    """
    with _explain_errors():
        return canonicalise(_quantise(model, ranges, [*_find_last_nodes(model), *keep_float]))


@contextmanager
def _explain_errors() -> Iterator[None]:
    """Silence the tool, and turn whatever it raises into an `ExportError`."""
    try:
        with silence():
            yield
    except OSError:  # such as a full disk, which needs no other words
        raise
    except Exception as error:  # the tool raises almost anything
        raise ExportError(f"int8.onnx cannot be made: {one_line(error)}") from None


def _quantise(model: Any, ranges: Ranges, kept: list[str]) -> Any:
    """Quantise as ONNX Runtime's `quantize_static` does, which measures ranges itself."""
    from onnxruntime.quantization import CalibrationMethod, QuantType
    from onnxruntime.quantization.calibrate import TensorsData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.quant_utils import save_and_reload_model_with_shape_infer
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

    quantizer = QDQQuantizer(
        save_and_reload_model_with_shape_infer(model),  # the tool changes its argument
        True,  # per channel
        False,  # the whole range of a weight
        QuantType.QInt8,
        QuantType.QInt8,
        TensorsData(CalibrationMethod.MinMax, dict(ranges)),
        [],
        kept,
        list({*QLinearOpsRegistry, *QDQRegistry}),
        {},
    )
    quantizer.quantize_model()
    return quantizer.model.model


def _find_last_nodes(model: Any) -> list[str]:
    """Return the names of the operators from the last matrix product to the output."""
    makers = {name: node for node in model.graph.node for name in node.output}
    names, node = [], makers[OUTPUT]
    while True:
        names.append(node.name)
        before = [makers[name] for name in node.input if name in makers]
        if node.op_type in _PRODUCTS or len(before) != 1 or before[0].op_type not in _LAST:
            return names
        node = before[0]
