"""A float ONNX network, run as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeemo.engines.onnx import import_onnxruntime

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

_FATAL_ONLY = 4  # onnxruntime's log severity: its exceptions say the rest


class OnnxRun:
    """See `edgeemo.diagnose.graph.Run`."""

    def __init__(self, content: bytes, kept: Collection[str]) -> None:
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL_ONLY
        # Otherwise roundings that it takes for needless are left out.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        level = onnxruntime.GraphOptimizationLevel
        options.graph_optimization_level = level.ORT_ENABLE_BASIC
        self._session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._outputs = [self._session.get_outputs()[0].name, *kept]
        self._values: dict[str, NDArray[np.float32]] = {}

    def predict(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `edgeemo.diagnose.graph.Run.predict`."""
        values = self._session.run(self._outputs, {self._input: image[None]})
        self._values = dict(zip(self._outputs, values, strict=True))
        return np.asarray(values[0][0], np.float32)

    def read(self, key: str) -> NDArray[np.float32]:
        """See `edgeemo.diagnose.graph.Run.read`."""
        return self._values[key]
