"""One network, every format and kind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from edgeemo.export.canonical import serialised
from edgeemo.export.hard_swish import without_hard_swish
from edgeemo.export.logit import rounded_at_half
from edgeemo.export.onnx import to_onnx
from edgeemo.export.onnx_int8 import quantised
from edgeemo.export.pairs import reading_pairs
from edgeemo.export.tflite import to_tflite

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.export.options import Kind
    from edgeemo.model.container import Format
    from edgeemo.model.spec import ModelSpec


@dataclass(frozen=True)
class Converter:
    """Converts one network.

    Attributes:
        network: What `edgeemo.export.graph.deployable` gave.
        spec: Its spec.
        calibration: (N, H, W, C) float32 images that span [0, 1]; needed for int8 alone.
    """

    network: Any
    spec: ModelSpec
    calibration: NDArray[np.float32] | None = None

    def convert(self, kind: Kind, format: Format) -> bytes:
        """The network as the bytes of a model file, nothing sealed inside yet.

        Raises:
            ExportError: If it cannot be converted.
        """
        if format == "tflite":
            network = self.network
            if kind == "int8" and self.calibration is not None:
                network = without_hard_swish(network)
                network = reading_pairs(rounded_at_half(network, self.calibration))
            return to_tflite(network, kind, calibration=self.calibration)
        if kind == "float32":
            return serialised(self._onnx)
        if kind == "int8" and self.calibration is not None:
            return serialised(quantised(self._onnx, self.calibration))
        raise ValueError(f"no {kind}.{format}")

    @cached_property
    def _onnx(self) -> Any:
        return to_onnx(self.network, self.spec)
