"""Mix-up: training images blended in pairs, and their losses added in the same shares.

H. Zhang et al., "mixup: Beyond empirical risk minimization", 2018: of two images a and b the
network sees ``s * a + (1 - s) * b``, and its loss is ``s * loss(a's class) + (1 - s) * loss(b's
class)``, with s from a beta distribution with both parameters alpha. With cross-entropy that is the
loss of a mixed label; written as two losses it holds for focal loss, too.

Each image of a batch is the stronger one of one pair, with a share of at least a half, and the
training accuracy counts the class of the stronger one. s and 1 - s are equally likely, so that this
changes nothing but the order within a pair.

`keras.layers.MixUp` does not do: neither a seed nor an epoch's number fixes its batches, and it
mixes one-hot labels, which suits neither focal loss nor class weights (decision 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STREAM = 1  # separates these random numbers from those of an epoch's order


@dataclass(frozen=True, kw_only=True)
class Mixup:
    """The parameters of mix-up.

    Attributes:
        alpha: Both parameters of the beta distribution, above 0: small ones leave most images
            nearly unmixed, 1 draws uniformly, large ones mix nearly half and half.
        weights: Class weights; () for none.
    """

    alpha: float
    weights: tuple[float, ...] = ()


def mix_batch(images: Any, truth: Any, *, mixup: Mixup, seed: Any) -> tuple[Any, Any, Any]:
    """Mix each image of a batch with another of it; for a `tf.data` map.

    Args:
        images: (B, H, W, C) float32 tensor.
        truth: (B,) or (B, 1) tensor of class indices.
        mixup: The parameters.
        seed: (3,) integers of at least 0, others for every batch. The same seed gives the same
            images.

    Returns:
        The mixed images; the class indices of the stronger and of the weaker images, each as
        `truth`; and the sample weights of both, each (B,) float32: share times class weight.
    """
    import tensorflow as tf

    share, partner = _draw_pairs(tf, images, mixup, seed)
    truths = (truth, tf.gather(truth, partner))
    counts = tuple(
        _look_up_class_weights(tf, each, mixup) * part
        for each, part in zip(truths, (share, 1 - share), strict=True)
    )
    return _blend(tf, images, share, partner), truths, counts


def mix_soft_batch(images: Any, target: Any, *, mixup: Mixup, seed: Any) -> tuple[Any, Any]:
    """Mix each image of a batch with another of it as `mix_batch`, and their targets alike.

    Args:
        images: (B, H, W, C) float32 tensor.
        target: (B, K) float32 tensor, share of each class in the loss; class weights are in it.
        mixup: The parameters, without class weights.
        seed: As of `mix_batch`.

    Returns:
        The mixed images and targets.
    """
    import tensorflow as tf

    share, partner = _draw_pairs(tf, images, mixup, seed)
    own = share[:, None]
    mixed = own * target + (1 - own) * tf.gather(target, partner)
    return _blend(tf, images, share, partner), mixed


def _draw_pairs(tf: Any, images: Any, mixup: Mixup, seed: Any) -> tuple[Any, Any]:
    """Draw for each image its share, (B,) float32, and the number of its partner, (B,) int64."""

    def draw(batch: NDArray[np.int64], count: np.int64) -> tuple[Any, Any]:
        drawn = np.random.default_rng([*batch.tolist(), _STREAM])
        shares = drawn.beta(mixup.alpha, mixup.alpha, count)
        return np.maximum(shares, 1 - shares).astype(np.float32), drawn.permutation(count)

    count = tf.shape(images, tf.int64)[0]
    share, partner = tf.numpy_function(draw, [seed, count], (tf.float32, tf.int64))
    return tf.ensure_shape(share, (None,)), tf.ensure_shape(partner, (None,))


def _blend(tf: Any, images: Any, share: Any, partner: Any) -> Any:
    """Return each image blended with its partner."""
    own = share[:, None, None, None]
    return own * images + (1 - own) * tf.gather(images, partner)


def _look_up_class_weights(tf: Any, truth: Any, mixup: Mixup) -> Any:
    """Return the class weight of each image, (B,) float32; 1 where classes are not weighted."""
    if not mixup.weights:
        return 1.0
    weights = np.asarray(mixup.weights, np.float32)
    return tf.gather(weights, tf.cast(tf.reshape(truth, (-1,)), tf.int64))
