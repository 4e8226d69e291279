"""From picture files to batches: decoded once, kept on disk as bytes, gathered by number.

Each split becomes one file of raw uint8 pixels, written by `edgeemo.preprocess.preprocess` and
mapped into memory, so a set larger than memory trains too and no epoch decodes anything. A batch is
those bytes as float32, times float32(1/255), in an order that the seed fixes.
"""

from __future__ import annotations

import errno
import math
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import TrainingError
from edgeemo.keras_model import import_keras
from edgeemo.preprocess import preprocess
from edgeemo.progress import Silent
from edgeemo.records import SPLITS
from edgeemo.train.augment import augment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from edgeemo.progress import Progress
    from edgeemo.records import Sample, Split
    from edgeemo.spec import ModelSpec
    from edgeemo.train.augment import Augmentation
    from edgeemo.train.distributed.shard import Shard

_CHUNK = 256
"""Pictures between two reports of progress."""


@dataclass(frozen=True)
class Pixels:
    """The decoded pictures of one split.

    Attributes:
        rows: (N, H, W, C) uint8, as `edgeemo.preprocess.preprocess` gives them; on disk.
        truth: (N,) int64, index of each picture's class in the spec's labels.
        file: Where the rows are on disk, for other processes to map; None if only in memory.
    """

    rows: NDArray[np.uint8]
    truth: NDArray[np.int64]
    file: Path | None = None

    def __len__(self) -> int:
        return len(self.truth)

    def first(self, count: int) -> Pixels:
        """The first `count` pictures, or as many as there are."""
        return Pixels(self.rows[:count], self.truth[:count])

    def batches(self, spec: ModelSpec, *, size: int) -> Iterator[NDArray[np.float32]]:
        """The network's input in order: (at most `size`, H, W, C) float32 in [0, 1]."""
        for start in range(0, len(self), size):
            yield self.rows[start : start + size] * np.float32(spec.scale)


@contextmanager
def decoded(
    root: Path,
    samples: Sequence[Sample],
    *,
    spec: ModelSpec,
    folder: Path,
    progress: Progress | None = None,
) -> Iterator[Mapping[Split, Pixels]]:
    """The three splits' pixels, in a hidden folder inside `folder` that goes when the block ends.

    Args:
        root: The data folder that the samples' paths are relative to.
        samples: The pictures of all splits.
        spec: Gives size, channels and labels.
        folder: A folder with room for N x H x W x C bytes.
        progress: Gets a stage with one step per picture.

    Raises:
        ImageError: If a picture cannot be read any more.
        TrainingError: If the disk cannot hold the pixels.
    """
    progress = progress or Silent()
    progress.stage("Decoding the pictures", total=len(samples))
    with tempfile.TemporaryDirectory(prefix=".pixels-", dir=folder) as cache:
        yield {
            split: decode(
                root,
                [sample for sample in samples if sample.split == split],
                spec=spec,
                path=Path(cache) / split,
                progress=progress,
            )
            for split in SPLITS
        }


def decode(
    root: Path,
    samples: Sequence[Sample],
    *,
    spec: ModelSpec,
    path: Path,
    progress: Progress | None = None,
) -> Pixels:
    """Decode every picture once, on all cores, into one file.

    Args:
        root: The data folder that the samples' paths are relative to.
        samples: What to decode, in the order of the rows.
        spec: Gives size, channels and labels.
        path: The file to write; N x H x W x C bytes.
        progress: Advances by one per picture, within the caller's stage.

    Raises:
        ImageError: If a picture cannot be read any more.
        TrainingError: If the disk cannot hold the file.
    """
    truth = np.array([spec.labels.index(sample.label) for sample in samples], np.int64)
    shape = (len(samples), *spec.input_shape)
    size_bytes = math.prod(shape)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        with _full_disk_explained(path, size_bytes):
            if size_bytes:  # a full disk is told before the slow work, and never by SIGBUS
                os.posix_fallocate(descriptor, 0, size_bytes)
            sources = [root / sample.path for sample in samples]
            _decode_all(descriptor, sources, spec, progress or Silent())
    finally:
        os.close(descriptor)
    if not samples:  # an empty file cannot be mapped
        return Pixels(np.zeros(shape, np.uint8), truth)
    return Pixels(np.asarray(np.memmap(path, np.uint8, mode="r", shape=shape)), truth, path)


def dataset(pixels: Pixels, *, spec: ModelSpec, batch_size: int, shard: Shard | None = None) -> Any:
    """A `tf.data.Dataset` of a split's batches in order, for `keras.Model.evaluate`.

    Args:
        pixels: What `decode` gave.
        spec: Gives the scaling and the form of the answer.
        batch_size: Pictures per batch; the last may hold fewer.
        shard: Which part of every batch to give; None for the whole.

    Returns:
        Dataset of (images, truth): images (B, H, W, C) float32 in [0, 1]; truth (B, 1) float32
        for a sigmoid, (B,) int64 for a softmax.
    """
    import_keras()
    import tensorflow as tf

    numbers = tf.data.Dataset.range(len(pixels)).batch(batch_size)
    if shard is not None:
        numbers = numbers.map(lambda rows: shard.take(rows, pictures=len(pixels)))
    return numbers.map(lambda rows: _batch(pixels, rows, spec)).prefetch(2)


def training_dataset(
    pixels: Pixels,
    *,
    spec: ModelSpec,
    batch_size: int,
    seed: int,
    epochs: range,
    augmentation: Augmentation | None = None,
    shard: Shard | None = None,
) -> Any:
    """A `tf.data.Dataset` of every epoch's batches, one epoch after the other.

    An epoch's order and augmentation follow from the seed and the epoch's number alone, so a
    training that goes on from epoch 7 sees what it would have seen had it never stopped.

    Args:
        pixels: The training split.
        spec: Gives the scaling and the form of the answer.
        batch_size: Pictures per batch; an epoch's last may hold fewer.
        seed: Fixes order and augmentation.
        epochs: Numbers of the epochs, from 0.
        augmentation: How pictures are changed, or None.
        shard: Which part of every batch to give; None for the whole.

    Returns:
        Dataset as of `dataset`, of ``len(epochs) * ceil(N / batch_size)`` batches.
    """
    import_keras()
    import tensorflow as tf

    def order(epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng([seed, int(epoch)]).permutation(len(pixels))

    def numbered(epoch: Any) -> Any:
        rows = tf.ensure_shape(tf.numpy_function(order, [epoch], tf.int64), (len(pixels),))
        batches = tf.data.Dataset.from_tensor_slices(rows).batch(batch_size)
        return batches.enumerate().map(lambda step, rows: (epoch, step, rows))

    def part(rows: Any) -> Any:
        return rows if shard is None else shard.take(rows, pictures=len(pixels))

    def batch(epoch: Any, step: Any, rows: Any) -> tuple[Any, Any]:
        if augmentation is None:
            return _batch(pixels, part(rows), spec)
        images, truth = _batch(pixels, rows, spec)
        # Below 2 ** 20 steps an epoch no two batches of a training share a seed.
        images = augment(
            images, augmentation=augmentation, seed=tf.stack([seed, epoch * 2**20 + step])
        )
        return part(images), part(truth)

    every = tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(numbered)
    parallel = tf.data.AUTOTUNE if augmentation is not None else None
    return every.map(batch, num_parallel_calls=parallel).prefetch(2)


def _batch(pixels: Pixels, rows: Any, spec: ModelSpec) -> tuple[Any, Any]:
    """The pictures of these row numbers as the network takes them, and what is true of them."""
    import tensorflow as tf

    def gather(numbers: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        return pixels.rows[numbers], pixels.truth[numbers]

    images, truth = tf.numpy_function(gather, [rows], (tf.uint8, tf.int64))
    images = tf.ensure_shape(images, (None, *spec.input_shape))
    truth = tf.ensure_shape(truth, (None,))
    if spec.activation == "sigmoid":
        truth = tf.cast(truth[:, None], tf.float32)
    return tf.cast(images, tf.float32) * np.float32(spec.scale), truth


@contextmanager
def _full_disk_explained(path: Path, size_bytes: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise
        visible = next(folder for folder in path.parents if not folder.name.startswith("."))
        raise TrainingError(
            f"{visible}: the disk is too full: the decoded pictures need "
            f"{size_bytes / 1e6:,.1f} MB; free some space, or choose a smaller size"
        ) from None


def _decode_all(
    descriptor: int, sources: Sequence[Path], spec: ModelSpec, progress: Progress
) -> None:
    row_bytes = math.prod(spec.input_shape)

    def decode_one(number: int) -> None:
        row = preprocess(sources[number], spec).tobytes()
        if os.pwrite(descriptor, row, number * row_bytes) != row_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow decodes outside Python's lock
        for start in range(0, len(sources), _CHUNK):
            numbers = range(start, min(start + _CHUNK, len(sources)))
            for _ in pool.map(decode_one, numbers):
                progress.advance()
