"""Quantisation of an ONNX model to int8: static, in QDQ form, by ONNX Runtime's tool.

Never `quantize_dynamic`: its integer convolutions made this kind of network 8 times slower.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ExportError
from edgeemo.export.canonical import canonicalise
from edgeemo.export.graph import INPUT, OUTPUT
from edgeemo.utils.redirect import silence
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray


_PRODUCTS = ("MatMul", "Gemm")
_LAST = (*_PRODUCTS, "Add")


def quantise(model: Any, calibration: NDArray[np.float32]) -> Any:
    """Quantise weights (per channel) and activations to signed 8 bits.

    Args:
        model: A float32 `onnx.ModelProto` of opset 13 or later.
        calibration: (N, H, W, C) float32 images that span [0, 1]; the smallest and the largest
            value of a tensor over them set its range.

    Returns:
        An `onnx.ModelProto` with float32 input and output and canonical names. Its last dense
        layer and the sigmoid or softmax stay float32: rounding logits or probabilities to 8 bits
        would move those near the threshold across it and save nothing.

    Raises:
        ExportError: If the tool fails.
    """
    try:
        with silence(), tempfile.TemporaryDirectory() as folder:
            return canonicalise(_quantise(model, calibration, Path(folder) / "int8.onnx"))
    except OSError:  # such as a full disk, which needs no other words
        raise
    except Exception as error:  # the tool raises almost anything
        reason = one_line(error)
        raise ExportError(f"int8.onnx cannot be made: {reason}") from None


def _quantise(model: Any, calibration: NDArray[np.float32], path: Path) -> Any:
    import onnx
    from onnxruntime.quantization import (
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    own = onnx.ModelProto()
    own.CopyFrom(model)  # the tool moves the weights out of its argument
    quantize_static(
        own,
        path,
        _build_reader(calibration),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        calibrate_method=CalibrationMethod.MinMax,
        nodes_to_exclude=_find_last_nodes(model),
    )
    return onnx.load(path)


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


def _build_reader(calibration: NDArray[np.float32]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Reader of the images, one by one, then None."""

        def __init__(self) -> None:
            self._images: Iterator[NDArray[np.float32]] = iter(calibration)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            image = next(self._images, None)
            return None if image is None else {INPUT: image[None]}

    return Reader()
