"""From pixels to batches: in a seeded order, augmented and mixed.

A batch is the bytes of the pixels as float32, times float32(1/255).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.model.keras import import_keras
from edgeemo.train.data.augment import augment
from edgeemo.train.data.mixup import mix_batch, mix_soft_batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.data.augmentations import Augmentation
    from edgeemo.train.data.mixup import Mixup
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.data.shard import Shard


def make_dataset(
    pixels: Pixels, *, spec: ModelSpec, batch_size: int, shard: Shard | None = None
) -> Any:
    """Return a `tf.data.Dataset` of a split's batches in order, for `keras.Model.evaluate`.

    Args:
        pixels: The split.
        spec: Gives the scaling and the activation.
        batch_size: Images per batch; the last may hold fewer.
        shard: This worker's part of every batch; None for the whole.

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
    that a training resumed at epoch 7 sees the same batches as one that was never interrupted.

    Args:
        pixels: The training split.
        spec: Gives the scaling and the activation.
        batch_size: Images per batch; an epoch's last may hold fewer.
        seed: Seed of order, augmentation and mixing.
        epochs: Numbers of the epochs, from 0.
        augmentation: Ranges of the random changes; None for none.
        mixup: Parameters of the mix-up that follows; None for none.
        shard: This worker's part of every batch; None for the whole.

    Returns:
        Dataset of ``len(epochs) * ceil(N / batch_size)`` batches as of `make_dataset`, or, with
        `mixup`, as `edgeemo.train.data.mixup.mix_batch` gives them. Where the split has targets,
        the truth is a dictionary: "label" as of `make_dataset`, "target" (B, K) float32.
    """
    import_keras()
    import tensorflow as tf

    def draw_order(epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng([seed, int(epoch)]).permutation(len(pixels))

    def list_steps(epoch: Any) -> Any:
        rows = tf.ensure_shape(tf.numpy_function(draw_order, [epoch], tf.int64), (len(pixels),))
        batches = tf.data.Dataset.from_tensor_slices(rows).batch(batch_size)
        return batches.enumerate().map(lambda step, rows: (epoch, step, rows))

    def load_and_mix(epoch: Any, step: Any, rows: Any) -> tuple[Any, ...]:
        images, truth = _load_batch(pixels, rows, spec)
        if augmentation is not None:
            # Up to 2 ** 20 steps an epoch no two batches of a training share a seed.
            images = augment(
                images, augmentation=augmentation, seed=tf.stack([seed, epoch * 2**20 + step])
            )
        mix_seed = tf.stack([seed, epoch, step])
        if pixels.targets is not None:
            target = _load_targets(pixels.targets, rows)
            if mixup is not None:
                images, target = mix_soft_batch(images, target, mixup=mixup, seed=mix_seed)
            return images, {"label": truth, "target": target}
        if mixup is None:
            return images, truth
        return mix_batch(images, truth, mixup=mixup, seed=mix_seed)

    def load_own(epoch: Any, step: Any, rows: Any) -> Any:
        if shard is None:
            return load_and_mix(epoch, step, rows)
        if augmentation is None and mixup is None:  # else the random numbers are the whole batch's
            return load_and_mix(epoch, step, shard.take(rows, images=len(pixels)))
        return shard.take(load_and_mix(epoch, step, rows), images=len(pixels))

    steps = tf.data.Dataset.range(epochs.start, epochs.stop).flat_map(list_steps)
    parallel = tf.data.AUTOTUNE if augmentation is not None or mixup is not None else None
    return steps.map(load_own, num_parallel_calls=parallel).prefetch(2)


def _load_targets(targets: NDArray[np.float32], rows: Any) -> Any:
    """Return the targets of these rows, (B, K)."""
    import tensorflow as tf

    loaded = tf.numpy_function(lambda numbers: targets[numbers], [rows], tf.float32)
    return tf.ensure_shape(loaded, (None, targets.shape[1]))


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
