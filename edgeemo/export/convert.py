"""Conversion of one network into every format and kind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from edgeemo.export.canonical import serialise
from edgeemo.export.hard_swish import replace_hard_swish
from edgeemo.export.logit import adapt_logit
from edgeemo.export.onnx_float32 import convert_to_onnx
from edgeemo.export.onnx_int8 import quantise
from edgeemo.export.pairs import pair_pixels
from edgeemo.export.tflite import convert_to_tflite, refuse_loops

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.model.container import Format, Kind
    from edgeemo.model.spec import ModelSpec


@dataclass(frozen=True)
class Converter:
    """Converter of one network.

    Attributes:
        network: A `keras.Model`, as of `edgeemo.export.graph.build_deployed`.
        spec: Spec of the network.
        calibration: (N, H, W, C) float32 images that span [0, 1]; only int8 needs them.
    """

    network: Any
    spec: ModelSpec
    calibration: NDArray[np.float32] | None = None

    def convert(self, kind: Kind, format: Format) -> bytes:
        """Return the network as the bytes of a model file, without the embedded spec.

        Raises:
            ExportError: If it cannot be converted.
        """
        if format == "tflite":
            if kind == "float32":
                return self._float32_tflite
            network = self.network
            if kind == "int8" and self.calibration is not None:
                refuse_loops(self._float32_tflite, network)
                network = replace_hard_swish(network)
                network = pair_pixels(adapt_logit(network, self.calibration))
            return convert_to_tflite(network, kind, calibration=self.calibration)
        if kind == "float32":
            return serialise(self._onnx)
        if kind == "int8" and self.calibration is not None:
            return serialise(quantise(self._onnx, self.calibration))
        raise ValueError(f"no {kind}.{format}")

    @cached_property
    def _float32_tflite(self) -> bytes:
        return convert_to_tflite(self.network, "float32")

    @cached_property
    def _onnx(self) -> Any:
        return convert_to_onnx(self.network, self.spec)
