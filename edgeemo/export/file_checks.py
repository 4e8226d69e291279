"""Checks of an exported file before it takes its place.

They prove that the conversion went through. Whether the file is as good as the reference model is
decided by the verification, on the whole test split.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.dataset import draw_golden_images
from edgeemo.engines.litert import LiteRTEngine
from edgeemo.engines.load import load_engine
from edgeemo.engines.trial import try_model
from edgeemo.errors import EngineError, ExportError
from edgeemo.export.graph import INPUT, OUTPUT
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.keras_engine import predict
from edgeemo.model.layer_names import find_layers, join_names, list_layers, list_loops

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from edgeemo.model.container import Kind, SealedModel
    from edgeemo.model.spec import ModelSpec

_BYTES_PER_WEIGHT = {
    "float32": (4.0, 4.0),
    "float16": (2.0, 4.0),  # small tensors stay float32
    "dynamic": (1.0, 4.0),
    "int8": (1.0, 3.0),  # biases are int32, and every channel has a scale
    "part float": (1.0, 4.0),
}
_BYTES_PER_CHANNEL = {"int8": 32.0, "part float": 32.0}
"""Scale and zero point of a channel's weights and of its bias, 28 bytes in TFLite, and the bias."""

_MARGIN = 0.1
_OVERHEAD_BYTES = 32_768
_OVERHEAD_BYTES_PER_LAYER = 2_048

_ROUNDING = 1e-6
"""Predictions closer than this differ by float rounding only."""

_WORST_DIFFERENCE = {"float32": 1e-4, "float16": 2e-2}
"""Largest difference of a prediction, from the rounding of the deepest network."""

_MEAN_DIFFERENCE = {"dynamic": 0.15, "int8": 0.3}
"""Largest mean difference. Loose: the golden images are drawings, unlike a model's photographs."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Properties of the reference model that every exported file must match.

    Attributes:
        weights: Number of weights that inference needs.
        foldable: Number of those that are a vector, as a bias is: a converter may fold them into
            others or leave out zeros.
        layers: Number of layers; of an unrolled one, of its steps.
        channels: Number of output channels of all layers of the network that is converted.
        pixels: The golden images, (N, H, W, C) uint8.
        predictions: The raw outputs of the reference model for them, (N, outputs) float32.
        layer_names: Names of all layers, for messages.
        loops: Names of those that are loops.
        is_foreign: Whether the model is of somebody else, so that an engine may crash with a file.
    """

    weights: int
    foldable: int
    layers: int
    channels: int
    pixels: NDArray[np.uint8]
    predictions: NDArray[np.float32]
    layer_names: frozenset[str] = frozenset()
    loops: tuple[str, ...] = ()
    is_foreign: bool = False

    @property
    def warning(self) -> str:
        """Return a warning about the reference model, or ""."""
        if float(np.ptp(self.predictions, axis=0).max()) > _ROUNDING:
            return ""
        return "the model gives every golden image the same prediction: it may have learnt nothing"


def expect(
    model: Any, spec: ModelSpec, *, network: Any = None, is_foreign: bool = False
) -> Expectation:
    """Measure the reference model.

    Args:
        model: A `keras.Model`, as of `edgeemo.model.keras.load_reference_model`.
        spec: Spec of the model.
        network: The network that is converted, as of `edgeemo.export.graph.build_deployed`, which
            has a channel-wise convolution where the model has a batch normalisation; by default
            the model.
        is_foreign: Whether the model is of somebody else.
    """
    network = model if network is None else network
    needed = [weight for weight in model.weights if _is_needed(weight)]
    whole = replace(spec, faces=None)  # a drawn face need not be one to a detector
    pixels = np.stack([preprocess(image, whole) for image in draw_golden_images()])
    return Expectation(
        weights=sum(int(np.prod(weight.shape)) for weight in needed),
        foldable=sum(weight.shape[0] for weight in needed if len(weight.shape) == 1),
        layers=sum(map(_count_copies, network._flatten_layers())),
        channels=sum(weight.shape[-1] for weight in network.weights if len(weight.shape)),
        pixels=pixels,
        predictions=predict(model, pixels * np.float32(spec.scale)),
        layer_names=frozenset(list_layers(network)),
        loops=tuple(list_loops(network)),
        is_foreign=is_foreign,
    )


def _count_copies(layer: Any) -> int:
    """Return the number of times that a layer stands in the file: once for each unrolled step."""
    return int(layer.input.shape[1]) if getattr(layer, "unroll", False) else 1


def _is_needed(weight: Any) -> bool:
    """Return whether inference needs a weight: the moving averages are folded into others."""
    statistic = weight.path.endswith(("/moving_mean", "/moving_variance"))
    return not statistic and "float" in str(weight.dtype)


def check(
    candidate: SealedModel, kind: Kind, expected: Expectation, *, allow_float: bool = False
) -> int | None:
    """Check one file in the engine that ships.

    Args:
        candidate: The file, perhaps under a temporary name.
        kind: Kind of the file.
        expected: As of `expect`.
        allow_float: Whether an int8 file may be float in part.

    Returns:
        The number of XNNPACK partitions; None for ONNX.

    Raises:
        ExportError: If a check fails.
    """
    name = f"{kind}.{candidate.format}"
    size_kind = "part float" if allow_float else kind
    _check_size(name, candidate.size_bytes, kind=size_kind, expected=expected)
    try:
        if expected.is_foreign:
            try_model(candidate)
        engine = load_engine(candidate)
        found = np.array([engine.run(pixels) for pixels in expected.pixels], np.float32)
    except EngineError as error:
        reason = str(error).removeprefix(f"{candidate.path}: ")
        causes = (join_names(expected.loops), expected.warning)
        hint = "".join(f" ({each})" for each in causes if each)
        raise ExportError(f"{name} cannot be made: {reason}{hint}") from None
    _check_predictions(name, found, expected=expected.predictions, kind=kind)
    if not isinstance(engine, LiteRTEngine):
        return None
    refuse_float = kind == "int8" and not allow_float
    return _check_tflite(name, engine, expected, refuse_float=refuse_float)


def compute_size_limits(
    kind: str, *, weights: int, layers: int, foldable: int = 0, channels: int = 0
) -> tuple[float, float]:
    """Return the smallest and the largest plausible size of a file, in bytes."""
    least, most = _BYTES_PER_WEIGHT[kind]
    scales = _BYTES_PER_CHANNEL.get(kind, 0) * channels
    overhead = _OVERHEAD_BYTES + _OVERHEAD_BYTES_PER_LAYER * layers + scales
    smallest = (1 - _MARGIN) * least * (weights - foldable)
    return smallest, (1 + 2 * _MARGIN) * most * weights + overhead


def _check_size(name: str, size_bytes: int, *, kind: str, expected: Expectation) -> None:
    least, most = compute_size_limits(
        kind,
        weights=expected.weights,
        layers=expected.layers,
        foldable=expected.foldable,
        channels=expected.channels,
    )
    if not least <= size_bytes <= most:
        raise ExportError(
            f"{name} cannot be made: the converter wrote {size_bytes:,} bytes where "
            f"{expected.weights:,} weights need {least:,.0f} to {most:,.0f}"
        )


def _check_predictions(
    name: str, found: NDArray[np.float32], *, expected: NDArray[np.float32], kind: Kind
) -> None:
    difference = np.abs(found - expected)
    limits = (
        ("at most", float(difference.max()), _WORST_DIFFERENCE.get(kind)),
        ("on average", float(difference.mean()), _MEAN_DIFFERENCE.get(kind)),
    )
    for word, value, limit in limits:
        if limit is not None and not value <= limit:  # also refuses NaN
            raise ExportError(
                f"{name} cannot be made: its predictions for the golden images differ from the "
                f"reference model's by {value:.2g} {word}, where {limit:.2g} is allowed"
            )


def _check_tflite(
    name: str, engine: LiteRTEngine, expected: Expectation, *, refuse_float: bool
) -> int:
    signatures = list(engine.signature.values())
    if signatures != [{"inputs": [INPUT], "outputs": [OUTPUT]}]:
        raise ExportError(f"{name} cannot be made: its signature is {signatures}")
    if refuse_float:
        _refuse_float(name, engine.tensors, expected.layer_names)
    return engine.operations.count("DELEGATE")


def _refuse_float(
    name: str, tensors: Sequence[dict[str, Any]], layer_names: Collection[str]
) -> None:
    floats = [entry["name"] for entry in tensors if np.issubdtype(entry["dtype"], np.floating)]
    if not floats:
        return
    scopes = [scope for each in floats for scope in each.split(";")]
    layers = join_names(find_layers(layer_names, scopes))
    raise ExportError(
        f"{name} cannot be made: {len(floats)} of its tensors are not integers, such as "
        f"{floats[0].partition(';')[0]!r}; leave out --int8 or replace {layers or 'that layer'}"
    )
