"""From pixels to batches: gathered by number, changed and mixed at random, in a seeded order.

A batch is bytes of the pixels as float32, times float32(1/255).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.model.keras import import_keras
from edgeemo.train.data.augment import augment
from edgeemo.train.data.mixup import mix_batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.data.augmentations import Augmentation
    from edgeemo.train.data.mixup import Mixup
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.distributed.shard import Shard


def make_dataset(
    pixels: Pixels, *, spec: ModelSpec, batch_size: int, shard: Shard | None = None
) -> Any:
    """Return a `tf.data.Dataset` of a split's batches in order, for `keras.Model.evaluate`.

    Args:
        pixels: What `decode` gave.
        spec: Gives the scaling and the form of the answer.
        batch_size: Images per batch; the last may hold fewer.
        shard: Which part of every batch to give; None for the whole.

    Returns:
        Dataset of (images, truth): images (B, H, W, C) float32 in [0, 1]; truth (B, 1) float32
        for a sigmoid, (B,) int64 for a softmax.
    """
    import_keras()
    import tensorflow as tf

    numbers = tf.data.Dataset.range(len(pixels)).batch(batch_size)
    if shard is not None:
        numbers = numbers.map(lambda rows: shard.take(rows, images=len(pixels)))
    return numbers.map(lambda rows: _load_batch(pixels, rows, spec)).prefetch(2)


def make_training_dataset(
    pixels: Pixels,
    *,
    spec: ModelSpec,
    batch_size: int,
    seed: int,
    epochs: range,
    augmentation: Augmentation | None = None,
    mixup: Mixup | None = None,
    shard: Shard | None = None,
) -> Any:
    """Return a `tf.data.Dataset` of the batches of every epoch, one epoch after the other.

    An epoch's order, augmentation and mixing follow from the seed and the epoch's number alone, so
    a training that goes on from epoch 7 sees what it would have seen had it never stopped.

    Args:
        pixels: The training split.
        spec: Gives the scaling and the form of the answer.
        batch_size: Images per batch; an epoch's last may hold fewer.
        seed: Fixes order, augmentation and mixing.
        epochs: Numbers of the epochs, from 0.
        augmentation: How images are changed, or None.
        mixup: How they are mixed after that, or None; only without a shard.
        shard: Which part of every batch to give; None for the whole.

    Returns:
        Dataset of ``len(epochs) * ceil(N / batch_size)`` batches as of `make_dataset`, or, with
        `mixup`, as `edgeemo.train.data.mixup.mix_batch` gives them.
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
        return rows if shard is None else shard.take(rows, images=len(pixels))

    def changed(epoch: Any, step: Any, rows: Any) -> tuple[Any, Any]:
        if augmentation is None:
            return _load_batch(pixels, part(rows), spec)
        images, truth = _load_batch(pixels, rows, spec)
        # Below 2 ** 20 steps an epoch no two batches of a training share a seed.
        images = augment(
            images, augmentation=augmentation, seed=tf.stack([seed, epoch * 2**20 + step])
        )
        return part(images), part(truth)

    def batch(epoch: Any, step: Any, rows: Any) -> tuple[Any, ...]:
        images, truth = changed(epoch, step, rows)
        if mixup is None:
            return images, truth
        return mix_batch(images, truth, mixup=mixup, seed=tf.stack([seed, epoch, step]))

    every = tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(numbered)
    parallel = tf.data.AUTOTUNE if augmentation is not None or mixup is not None else None
    return every.map(batch, num_parallel_calls=parallel).prefetch(2)


def _load_batch(pixels: Pixels, rows: Any, spec: ModelSpec) -> tuple[Any, Any]:
    """Return the network's input for these rows, and their class indices."""
    import tensorflow as tf

    def gather(numbers: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        return pixels.rows[numbers], pixels.truth[numbers]

    images, truth = tf.numpy_function(gather, [rows], (tf.uint8, tf.int64))
    images = tf.ensure_shape(images, (None, *spec.input_shape))
    truth = tf.ensure_shape(truth, (None,))
    if spec.activation == "sigmoid":
        truth = tf.cast(truth[:, None], tf.float32)
    return tf.cast(images, tf.float32) * np.float32(spec.scale), truth
