"""Ranges of the tensors of an ONNX model over the calibration images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.engines.onnx import import_onnxruntime
from edgeemo.export.graph import INPUT
from edgeemo.export.range_estimates import estimate_ranges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from edgeemo.export.range_estimates import Ranges
    from edgeemo.model.quantisation import RangeMethod


def measure_onnx_ranges(
    model: Any, calibration: NDArray[np.float32], *, method: RangeMethod
) -> Ranges:
    """Return the range of each activation by the name of its tensor.

    Args:
        model: A float32 `onnx.ModelProto`, which is not changed.
        calibration: (N, H, W, C) float32 that spans [0, 1].
        method: How a range is set. That of the input is always what the images span.
    """
    session, names = _build_session(model)

    def run() -> Iterator[dict[str, NDArray[np.float32]]]:
        for image in calibration:
            yield dict(zip(names, session.run(names, {INPUT: image[None]}), strict=True))

    return {
        INPUT: (np.float32(calibration.min()), np.float32(calibration.max())),
        **estimate_ranges(run, method),
    }


def _build_session(model: Any) -> tuple[Any, list[str]]:
    """Return a session that gives every float tensor, not fused with others, and their names."""
    import onnx

    inferred = onnx.shape_inference.infer_shapes(model)
    graph = inferred.graph
    present = [value.name for value in graph.output]
    inner = [
        value
        for value in graph.value_info
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT and value.name not in present
    ]
    graph.output.extend(inner)
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        inferred.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session, [*present, *(value.name for value in inner)]
