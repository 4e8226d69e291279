"""The pretrained model that a training starts from: a shipped one, a model folder, a file."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ModelFolderError, TrainingError
from edgeemo.model.file_kind import describe_useless
from edgeemo.model.folder import KERAS, SHIPPED, SPEC, ModelFolder, is_shipped_name, shipped_weights
from edgeemo.model.keras import find_reference_model, load_keras
from edgeemo.train.networks.edge import EDGE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

KERAS_SUFFIX = ".keras"
"""Suffix of a file of a whole model."""

_IMPORTED = "imported"  # arch of a model that edgeemo did not build


@dataclass(frozen=True, kw_only=True)
class Start:
    """A pretrained model to start from.

    Attributes:
        name: Its name for the user.
        file: Its ``.keras`` file.
        labels: Its classes in the order of its outputs; None where they are not known.
        input_shape: (H, W, C) of its images; None where it is not known.
        arch: Name of its network; None where it is not known.
    """

    name: str
    file: Path
    labels: tuple[str, ...] | None = None
    input_shape: tuple[int, int, int] | None = None
    arch: str | None = None


def find_start(source: Path | str) -> Start:
    """Return the pretrained model of a name, a model folder or a ``.keras`` file.

    Raises:
        ModelFolderError: If a model folder is damaged or has no reference model.
        SpecError: If its spec is malformed.
        TrainingError: If there is no such file, or it is of another kind.
    """
    path = Path(source)
    if str(source) == SHIPPED or is_shipped_name(path) or ModelFolder(path).is_shipped:
        return _find_shipped(path)
    if path.is_dir():
        return _read_folder(path)
    if not path.is_file():
        raise TrainingError(f"{path}: no such model; name a model folder or a {KERAS_SUFFIX} file")
    if path.name == KERAS and (path.parent / SPEC).is_file():
        return _read_folder(path.parent)
    if useless := describe_useless(path):
        raise TrainingError(f"{path}: {useless}")
    return Start(name=str(path), file=path, input_shape=_read_input_shape(path))


def load_start(
    name: str, model: Any, start: Start, *, labels: Sequence[str], fixed: Collection[str]
) -> None:
    """Load the weights of a pretrained model into a network.

    Layers match by their names, else by their order. The last layer keeps its random weights,
    unless the pretrained model knows all classes: it then predicts each with the probability that
    the pretrained model gives it among them.

    Args:
        name: Name of the network's architecture.
        model: The network; its last layer is a dense one.
        start: The pretrained model.
        labels: The network's classes; empty for a new last layer in any case.
        fixed: Names of layers of both that keep their weights.

    Raises:
        TrainingError: If the file cannot be loaded, or a layer has another shape.
    """
    try:
        saved = load_keras(start.file)
    except ModelFolderError as error:
        raise TrainingError(str(error)) from None
    *body, head = (each for each in model.layers if each.weights and each.name not in fixed)
    theirs = [each for each in saved.layers if each.weights and each.name not in fixed]
    for layer, weights in _match(name, body, theirs[:-1], start):
        layer.set_weights(weights)
    if start.labels and labels and set(labels) <= set(start.labels):
        places = [start.labels.index(label) for label in labels]
        weights = [_choose_columns(each, places) for each in theirs[-1].get_weights()]
        if _format_shapes(weights) == _format_shapes(head.get_weights()):
            head.set_weights(weights)


def _find_shipped(path: Path) -> Start:
    if path.name != SHIPPED:
        raise TrainingError(
            f"{path} is shipped without its reference model; --from {SHIPPED} starts from the one "
            "that has it"
        )
    return Start(
        name=SHIPPED,
        file=shipped_weights(),
        labels=("happy", "neither", "sad"),
        input_shape=(48, 48, 1),
        arch=EDGE,
    )


def _read_folder(path: Path) -> Start:
    folder = ModelFolder(path)
    file, spec, training = find_reference_model(folder), folder.read_spec(), folder.read_training()
    if file.suffix != KERAS_SUFFIX:
        raise TrainingError(f"{file}: a training starts from a {KERAS_SUFFIX} file")
    if training.scaling is not None and not training.scaling.is_identity:
        raise TrainingError(
            f"{path}: its network takes pixels that are scaled otherwise than by 1/255, so no "
            "training can start from it"
        )
    if training.head != "probability":
        raise TrainingError(f"{path}: its network gives logits, so no training can start from it")
    return Start(
        name=str(path),
        file=file,
        labels=spec.labels,
        input_shape=spec.input_shape,
        arch=None if training.arch == _IMPORTED else training.arch,
    )


def _read_input_shape(path: Path) -> tuple[int, int, int] | None:
    """Return (H, W, C) of a ``.keras`` file without loading it; None where it does not tell."""
    try:
        with zipfile.ZipFile(path) as archive:
            content = json.loads(archive.read("config.json"))
        shape = content["config"]["layers"][0]["config"]["batch_shape"][1:]
    except (OSError, zipfile.BadZipFile):
        raise TrainingError(
            f"{path}: not a {KERAS_SUFFIX} file, which is a zip archive; it is damaged or of "
            "another kind"
        ) from None
    except (KeyError, IndexError, TypeError, ValueError):  # loading it tells more
        return None
    known = len(shape) == 3 and all(isinstance(side, int) for side in shape)
    return (shape[0], shape[1], shape[2]) if known else None


def _match(
    name: str, body: Sequence[Any], theirs: Sequence[Any], start: Start
) -> list[tuple[Any, Any]]:
    """Return each layer with the weights for it."""
    by_name = {layer.name: layer for layer in theirs}
    if len(body) == len(theirs) and not any(layer.name in by_name for layer in body):
        by_name = {layer.name: other for layer, other in zip(body, theirs, strict=True)}
    pairs = []
    for layer in body:
        other = by_name.get(layer.name)
        expected, found = _describe(layer), "no such layer" if other is None else _describe(other)
        if other is None or expected != found:
            raise TrainingError(
                f"{start.name}: not a model of {name} for this size: layer {layer.name!r} expected "
                f"{expected}, found {found}"
            )
        pairs.append((layer, other.get_weights()))
    return pairs


def _choose_columns(weights: NDArray[np.float32], places: Sequence[int]) -> NDArray[np.float32]:
    """Return the weights (..., K) of a softmax for some of its classes.

    Of two classes they are those of a sigmoid, the second class against the first; a sigmoid's
    own, (..., 1), are those of a softmax whose first class has zeros.
    """
    import numpy as np

    if weights.shape[-1] == 1:
        weights = np.concatenate([np.zeros_like(weights), weights], axis=-1)
    chosen = weights[..., places]
    return chosen[..., 1:] - chosen[..., :1] if len(places) == 2 else chosen


def _describe(layer: Any) -> str:
    return _format_shapes(layer.get_weights())


def _format_shapes(weights: Iterable[NDArray[np.float32]]) -> str:
    return " and ".join("x".join(map(str, weight.shape)) for weight in weights)
