"""Conversion of one network into every format and kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from edgeemo.export.canonical import canonicalise, serialise, sort_nodes
from edgeemo.export.hard_swish import replace_hard_swish
from edgeemo.export.kept_layers import (
    LayerGraph,
    Operator,
    choose_operators,
    list_onnx_operators,
    list_tflite_operators,
    refuse_other_floats,
)
from edgeemo.export.logit import adapt_logit
from edgeemo.export.onnx_float32 import translate_to_onnx
from edgeemo.export.onnx_int8 import measure_ranges_of_onnx, quantise_with_ranges
from edgeemo.export.pairs import pair_pixels
from edgeemo.export.tflite import (
    calibrate_tflite,
    convert_to_int16x8,
    convert_to_tflite,
    quantise_tflite,
    refuse_loops,
)
from edgeemo.model.quantisation import Quantisation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.model.container import Format, Kind
    from edgeemo.model.quantisation import RangeMethod
    from edgeemo.model.spec import ModelSpec

_PLAIN = Quantisation()


@dataclass(frozen=True)
class Converter:
    """Converter of one network. It keeps the intermediate results, for further int8 files.

    Attributes:
        network: A `keras.Model`, as of `edgeemo.export.graph.build_deployed`.
        spec: Spec of the network.
        calibration: (N, H, W, C) float32 images that span [0, 1]; only int8 needs them.
        layers: Layers of the reference model; only needed to keep some in float.
    """

    network: Any
    spec: ModelSpec
    calibration: NDArray[np.float32] | None = None
    layers: LayerGraph = field(default_factory=LayerGraph)
    _kept: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def convert(self, kind: Kind, format: Format, *, quantisation: Quantisation = _PLAIN) -> bytes:
        """Return the network as the bytes of a model file, without the embedded spec.

        Args:
            kind: Kind of the file.
            format: Format of the file.
            quantisation: How an int8 file is quantised.

        Raises:
            ExportError: If it cannot be converted.
        """
        if kind == "float32":
            return self._float32_tflite if format == "tflite" else serialise(self._onnx)
        if kind == "int8" and self.calibration is not None:
            to_int8 = self._to_int8_tflite if format == "tflite" else self._to_int8_onnx
            return to_int8(quantisation, self.calibration)
        if format == "tflite":
            return convert_to_tflite(self.network, kind, calibration=self.calibration)
        raise ValueError(f"no {kind}.{format}")

    def list_operators(self, format: Format) -> list[Operator]:
        """Return the operators of the int8 file, while they are still in float."""
        if format == "onnx":
            return self._onnx_operators
        if self.calibration is None:
            raise ValueError("no calibration images")
        calibrated = self._calibrate_tflite(self.calibration, _PLAIN.calibration)
        return list_tflite_operators(calibrated, self.layers.names)

    def _to_int8_tflite(
        self, quantisation: Quantisation, calibration: NDArray[np.float32]
    ) -> bytes:
        refuse_loops(self._float32_tflite, self.network)
        if quantisation.activation_bits > 8:
            return convert_to_int16x8(replace_hard_swish(self.network), calibration)
        last_in_float = self.layers.names[-1:] == quantisation.keep_float[-1:] != ()
        calibrated = self._calibrate_tflite(
            calibration, quantisation.calibration, adapted=not last_in_float
        )
        if not quantisation.keep_float:
            return quantise_tflite(calibrated)
        kept = choose_operators(
            list_tflite_operators(calibrated, self.layers.names),
            quantisation.keep_float,
            self.layers,
        )
        content = quantise_tflite(calibrated, keep_float=kept, float_output=last_in_float)
        refuse_other_floats(content, kept)
        return content

    def _calibrate_tflite(
        self, images: NDArray[np.float32], method: RangeMethod, *, adapted: bool = True
    ) -> bytes:
        """Return the calibrated FlatBuffer; `adapted`: with a last logit that int8 rounds well."""
        key = ("tflite", method, adapted)
        if key not in self._kept:
            network = replace_hard_swish(self.network)
            network = pair_pixels(adapt_logit(network, images) if adapted else network)
            self._kept[key] = calibrate_tflite(network, images, method=method)
        content: bytes = self._kept[key]
        return content

    def _to_int8_onnx(self, quantisation: Quantisation, calibration: NDArray[np.float32]) -> bytes:
        key = ("onnx", quantisation.calibration)
        if key not in self._kept:
            self._kept[key] = measure_ranges_of_onnx(
                self._onnx, calibration, method=quantisation.calibration
            )
        kept = choose_operators(self._onnx_operators, quantisation.keep_float, self.layers)
        return serialise(quantise_with_ranges(self._onnx, self._kept[key], keep_float=kept))

    @cached_property
    def _float32_tflite(self) -> bytes:
        return convert_to_tflite(self.network, "float32")

    @cached_property
    def _translated(self) -> Any:
        return translate_to_onnx(self.network, self.spec)

    @cached_property
    def _onnx(self) -> Any:
        return canonicalise(self._translated)

    @cached_property
    def _onnx_operators(self) -> list[Operator]:
        """Return the operators under the names that canonical form gives them."""
        before = list_onnx_operators(self._translated.graph, self.layers.names)
        layers = {each.name: each.layers for each in before}
        pairs = zip(sort_nodes(self._translated.graph), self._onnx.graph.node, strict=True)
        return [Operator(after.name, layers[each.name]) for each, after in pairs]
