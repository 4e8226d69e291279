"""What an exported file must be before it takes its place.

It proves that the conversion went through, not that the file is as good as the original: that is
the verification's, on the whole test split.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.dataset import draw_golden_images
from edgeemo.engines.litert import LiteRTEngine
from edgeemo.engines.load import load_engine
from edgeemo.errors import EngineError, ExportError
from edgeemo.export.graph import INPUT, OUTPUT
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.keras_engine import predict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeemo.export.options import Kind
    from edgeemo.model.container import SealedModel
    from edgeemo.model.spec import ModelSpec

_BYTES_PER_WEIGHT = {
    "float32": (4.0, 4.0),
    "float16": (2.0, 4.0),  # small tensors stay float32
    "dynamic": (1.0, 4.0),
    "int8": (1.0, 3.0),  # biases are int32, and every channel has a scale
}
_MARGIN = 0.1
_OVERHEAD_BYTES = 32_768
_OVERHEAD_BYTES_PER_LAYER = 2_048

_ALIKE = 1e-6
"""Answers closer than this are float rounding of the same."""

_WORST_DIFFERENCE = {"float32": 1e-4, "float16": 2e-2}
"""What the rounding of the deepest network leaves."""

_MEAN_DIFFERENCE = {"dynamic": 0.15, "int8": 0.3}
"""Loose: the golden images are drawings, which a model of photographs has never seen."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What the original says of every file that stems from it.

    Attributes:
        weights: Number of its weights that inference needs.
        layers: Number of its layers.
        pixels: (N, H, W, C) uint8, the golden images.
        answers: (N, outputs) float32, the original's raw outputs for them.
    """

    weights: int
    layers: int
    pixels: NDArray[np.uint8]
    answers: NDArray[np.float32]

    @property
    def warning(self) -> str:
        """What is strange about the original, as a sentence; "" where nothing is."""
        if float(np.ptp(self.answers, axis=0).max()) > _ALIKE:
            return ""
        return "the model answers every golden image alike: it may have learnt nothing"


def expect(model: Any, spec: ModelSpec) -> Expectation:
    """Ask the original.

    Args:
        model: What `edgeemo.model.keras.load_reference_model` gave.
        spec: Its spec.
    """
    whole = replace(spec, faces=None)  # a drawn face need not be one to a detector
    pixels = np.stack([preprocess(image, whole) for image in draw_golden_images()])
    return Expectation(
        weights=sum(int(np.prod(weight.shape)) for weight in model.weights if _is_needed(weight)),
        layers=sum(1 for _ in model._flatten_layers()),
        pixels=pixels,
        answers=predict(model, pixels * np.float32(spec.scale)),
    )


def _is_needed(weight: Any) -> bool:
    """Whether inference needs it: batch normalisation's averages go into its other two."""
    statistic = weight.path.endswith(("/moving_mean", "/moving_variance"))
    return not statistic and "float" in str(weight.dtype)


def check(candidate: SealedModel, kind: Kind, expected: Expectation) -> int | None:
    """Check one file in the engine that ships.

    Args:
        candidate: The file, perhaps still under a temporary name.
        kind: What it was made as.
        expected: The original's answers.

    Returns:
        The number of XNNPACK partitions, None for ONNX.

    Raises:
        ExportError: If it is not what it must be.
    """
    name = f"{kind}.{candidate.format}"
    _check_size(name, candidate.size_bytes, kind, expected)
    try:
        engine = load_engine(candidate)
        given = np.array([engine.run(pixels) for pixels in expected.pixels], np.float32)
    except EngineError as error:
        reason = str(error).removeprefix(f"{candidate.path}: ")
        hint = f" ({expected.warning})" if expected.warning else ""
        raise ExportError(f"{name} cannot be made: {reason}{hint}") from None
    _check_answers(name, given, expected.answers, kind)
    return _check_tflite(name, engine, kind) if isinstance(engine, LiteRTEngine) else None


def size_limits(kind: Kind, *, weights: int, layers: int) -> tuple[float, float]:
    """The least and most bytes that a file can have."""
    least, most = _BYTES_PER_WEIGHT[kind]
    overhead = _OVERHEAD_BYTES + _OVERHEAD_BYTES_PER_LAYER * layers
    return (1 - _MARGIN) * least * weights, (1 + 2 * _MARGIN) * most * weights + overhead


def _check_size(name: str, size_bytes: int, kind: Kind, expected: Expectation) -> None:
    least, most = size_limits(kind, weights=expected.weights, layers=expected.layers)
    if not least <= size_bytes <= most:
        raise ExportError(
            f"{name} cannot be made: the converter gave {size_bytes:,} bytes where "
            f"{expected.weights:,} weights need {least:,.0f} to {most:,.0f}"
        )


def _check_answers(
    name: str, given: NDArray[np.float32], wanted: NDArray[np.float32], kind: Kind
) -> None:
    difference = np.abs(given - wanted)
    limits = (
        ("at most", float(difference.max()), _WORST_DIFFERENCE.get(kind)),
        ("on average", float(difference.mean()), _MEAN_DIFFERENCE.get(kind)),
    )
    for word, value, limit in limits:
        if limit is not None and not value <= limit:  # a NaN is no answer either
            raise ExportError(
                f"{name} cannot be made: its answers to the golden images differ from the "
                f"original's by {value:.2g} {word}, where {limit:.2g} is allowed"
            )


def _check_tflite(name: str, engine: LiteRTEngine, kind: Kind) -> int:
    signatures = list(engine.signature.values())
    if signatures != [{"inputs": [INPUT], "outputs": [OUTPUT]}]:
        raise ExportError(f"{name} cannot be made: its signature is {signatures}")
    if kind == "int8":
        _refuse_float(name, engine.tensors)
    return engine.operations.count("DELEGATE")


def _refuse_float(name: str, tensors: Sequence[dict[str, Any]]) -> None:
    floats = [entry["name"] for entry in tensors if np.issubdtype(entry["dtype"], np.floating)]
    if floats:
        raise ExportError(
            f"{name} cannot be made: {len(floats)} of its tensors are not integers, such as "
            f"{floats[0].partition(';')[0]!r}; leave out --int8 or replace that layer"
        )
