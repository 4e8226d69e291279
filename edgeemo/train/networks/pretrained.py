"""Pretrained weights: those of ImageNet that Keras publishes, or of a file."""

from __future__ import annotations

import math
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import TrainingError
from edgeemo.model.folder import SHIPPED, SHIPPED_MODELS
from edgeemo.model.keras import import_keras
from edgeemo.train.networks.backbones import Backbone
from edgeemo.train.networks.start import KERAS_SUFFIX, Start, find_start
from edgeemo.utils.redirect import drop_output
from edgeemo.utils.text import first_line, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

NONE, IMAGENET = "none", "imagenet"
_BACKBONE_SUFFIXES = (".h5", ".hdf5")


def find_weights(
    name: str, network: object, *, input_shape: Sequence[int], weights: Path | str | None
) -> Path | Start | None:
    """Return the initial weights: a backbone's file, a whole model, or None for random ones.

    Args:
        name: Name of the architecture.
        network: The architecture; only a backbone has weights without a last layer.
        input_shape: (H, W, C) of the network's images.
        weights: As `edgeemo.train.networks.architectures.build` takes them.

    Raises:
        ModelFolderError: If a model folder is damaged or has no reference model.
        TrainingError: If the architecture has none, the file does not exist or is of another kind,
            or ImageNet's are neither cached nor can be downloaded.
    """
    if weights is None or weights == NONE:
        return None
    if weights == IMAGENET:
        check_imagenet(name, network)
        return _download_published(name, network, input_shape)  # type: ignore[arg-type]
    path = Path(weights)
    takes_backbone = isinstance(network, Backbone)
    if takes_backbone and path.suffix in _BACKBONE_SUFFIXES and not path.is_dir():
        if not path.is_file():
            raise TrainingError(f"{path}: no such weights file")
        return path
    if path.suffix != KERAS_SUFFIX and str(weights) not in SHIPPED_MODELS and not path.is_dir():
        suffixes = (KERAS_SUFFIX, *_BACKBONE_SUFFIXES) if takes_backbone else (KERAS_SUFFIX,)
        raise TrainingError(
            f"{path}: {name} starts from a model folder, a file that ends in "
            f"{' or '.join(suffixes)}, {SHIPPED}, {IMAGENET} or {NONE}"
        )
    return find_start(weights)


def check_imagenet(name: str, network: object) -> None:
    """Refuse ImageNet's weights where there are none.

    Raises:
        TrainingError: If the architecture is no backbone.
    """
    if not isinstance(network, Backbone):
        raise TrainingError(
            f"{name} has no ImageNet weights; leave out --from or choose a backbone with --arch, "
            "such as mobilenet-v2"
        )


def _download_published(name: str, backbone: Backbone, input_shape: Sequence[int]) -> Path:
    """Return the file of ImageNet weights in Keras' cache, downloading it where it is missing."""
    keras = import_keras()
    file = backbone.weights_filename(input_shape)
    cache = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    url = f"{backbone.folder}{file}"
    try:
        cache.mkdir(parents=True, exist_ok=True)  # or it goes to /tmp
        with drop_output():
            found = keras.utils.get_file(
                file,
                url,
                cache_dir=str(cache),
                cache_subdir="models",
                file_hash=backbone.md5,
            )
    except Exception as error:  # no network, a full disk, a file that was cut short
        reason = one_line(error)
        raise TrainingError(
            f"{name}: its ImageNet weights cannot be downloaded; on a machine with internet fetch "
            f"{url} and put it into {cache / 'models'}, or name the file with --from FILE "
            f"({reason})"
        ) from None
    return Path(found)


def load_backbone_weights(name: str, source: Any, path: Path) -> None:
    """Load the weights of a file, as keras.applications publishes them, into a backbone.

    Args:
        name: Name of the architecture.
        source: The network of `Backbone.build_application`.
        path: A ``.h5`` or ``.weights.h5`` file.

    Raises:
        TrainingError: If the file is damaged, or of another architecture or shape.
    """
    expected = Counter(tuple(weight.shape) for weight in source.weights)
    found = _count_shapes(path)
    if found != expected:
        raise TrainingError(
            f"{path}: not the weights of {name} without its head: expected "
            f"{_describe_shapes(expected)}, found {_describe_shapes(found)}"
            f"{_describe_difference(expected, found)}"
        )
    try:
        with drop_output():
            source.load_weights(path)
    except Exception as error:  # Keras raises almost anything on a file that it did not write
        raise TrainingError(
            f"{path}: not the weights of {name} without its head: {first_line(error)}"
        ) from None


def _count_shapes(path: Path) -> Counter[tuple[int, ...]]:
    """Count the tensors of each shape in an HDF5 file of weights."""
    import h5py

    shapes: Counter[tuple[int, ...]] = Counter()

    def count(entry: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and "optimizer" not in entry:
            shapes[tuple(item.shape)] += 1

    try:
        with h5py.File(path) as file:
            file.visititems(count)
    except OSError as error:
        reason = one_line(error)
        raise TrainingError(f"{path}: not a file of Keras weights ({reason})") from None
    return shapes


def _describe_shapes(shapes: Counter[tuple[int, ...]]) -> str:
    numbers = sum(math.prod(shape) * times for shape, times in shapes.items())
    return f"{shapes.total():,} tensors of {numbers:,} numbers"


def _describe_difference(
    expected: Counter[tuple[int, ...]], found: Counter[tuple[int, ...]]
) -> str:
    """Describe the largest shape that one side lacks, which tells the other architecture."""
    extra = max(found - expected, key=math.prod, default=None)
    missing = max(expected - found, key=math.prod, default=None)
    texts = [
        f"{shape} {word}" for shape, word in ((extra, "too many"), (missing, "missing")) if shape
    ]
    return f" ({', '.join(texts)})" if texts else ""
