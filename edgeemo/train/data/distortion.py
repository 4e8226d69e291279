"""The changes that `edgeemo.train.data.augment` makes, as TensorFlow operations on a batch.

Images are (B, H, W, C) float32 in [0, 1]; `drawn` are (B,) values in [0, 1), a row for each thing
that is drawn. Nothing clips what it gives to [0, 1].
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeemo.train.data.augmentations import Augmentation

GENERATOR = "philox"
"""Named, or TensorFlow would choose one by the device."""

_BLUR_REACH = 2.5
"""How many standard deviations away a pixel still counts."""

_SHARP = 1e-3
"""Pixels; a standard deviation below it leaves an image as it is."""


def warp(tf: Any, images: Any, ranges: Augmentation, drawn: Any) -> Any:
    """Flip, turn, shift and zoom about the centre; what comes into view is the image mirrored."""
    height, width = images.shape[1:3]
    angle = _plane(_symmetric(drawn[0], math.radians(ranges.rotation)))
    across = _plane(_symmetric(drawn[1], ranges.shift * width))
    down = _plane(_symmetric(drawn[2], ranges.shift * height))
    scale = _plane(1.0 + _symmetric(drawn[3], ranges.zoom))
    mirror = _plane(tf.where(drawn[4] < ranges.flip, -1.0, 1.0))
    # For every place of the new image, seen from the centre, the place in the old that it shows.
    x = tf.range(width, dtype=tf.float32) - (width - 1) / 2 - across
    y = tf.range(height, dtype=tf.float32)[:, None] - (height - 1) / 2 - down
    cos, sin = tf.cos(angle) / scale, tf.sin(angle) / scale
    rows = cos * y - sin * x + (height - 1) / 2
    columns = mirror * (cos * x + sin * y) + (width - 1) / 2
    return _sample_bilinear(tf, images, rows, columns)


def _sample_bilinear(tf: Any, images: Any, rows: Any, columns: Any) -> Any:
    """Bilinear values at (B, H, W) places, which may lie outside."""
    _, height, width, channels = images.shape
    flat = tf.reshape(images, (-1, height * width, channels))
    top, left = tf.floor(rows), tf.floor(columns)
    down, right = (rows - top)[..., None], (columns - left)[..., None]

    def pixels(below: int, beside: int) -> Any:
        row = _reflect(tf, tf.cast(top, tf.int32) + below, height)
        column = _reflect(tf, tf.cast(left, tf.int32) + beside, width)
        places = tf.reshape(row * width + column, (-1, height * width))
        return tf.reshape(tf.gather(flat, places, batch_dims=1), (-1, height, width, channels))

    upper = pixels(0, 0) * (1.0 - right) + pixels(0, 1) * right
    lower = pixels(1, 0) * (1.0 - right) + pixels(1, 1) * right
    return upper * (1.0 - down) + lower * down


def _reflect(tf: Any, places: Any, length: int) -> Any:
    """Any integers into 0 to length - 1, as between two mirrors at the image's edges."""
    places = tf.math.floormod(places, 2 * length)
    return tf.minimum(places, 2 * length - 1 - places)


def blur(tf: Any, images: Any, ranges: Augmentation, drawn: Any) -> Any:
    """Apply a Gaussian blur, vertical then horizontal, with the image mirrored at its edges."""
    height, width = images.shape[1:3]
    most = ranges.blur * height
    reach = math.ceil(_BLUR_REACH * most)
    steps = tf.range(-reach, reach + 1, dtype=tf.float32)
    deviation = tf.maximum(drawn * most, _SHARP)[:, None]
    weights = tf.exp(-0.5 * tf.square(steps / deviation))
    weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
    shares = [_column(weights[:, k]) for k in range(2 * reach + 1)]
    margin = (reach, reach)
    tall = tf.pad(images, ((0, 0), margin, (0, 0), (0, 0)), mode="SYMMETRIC")
    images = sum(share * tall[:, k : k + height] for k, share in enumerate(shares))
    wide = tf.pad(images, ((0, 0), (0, 0), margin, (0, 0)), mode="SYMMETRIC")
    return sum(share * wide[:, :, k : k + width] for k, share in enumerate(shares))


def adjust_light(tf: Any, images: Any, ranges: Augmentation, drawn: Any) -> Any:
    """Contrast about each image's mean, then brightness: one product and one sum per value."""
    factor = _column(1.0 + _symmetric(drawn[0], ranges.contrast))
    added = _column(_symmetric(drawn[1], ranges.brightness))
    if ranges.contrast:
        added += (1.0 - factor) * tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return images * factor + added


def erase_patch(tf: Any, images: Any, ranges: Augmentation, drawn: Any) -> Any:
    """Fill a random square with the image's mean value (random erasing, Zhong et al. 2017)."""
    height, width = images.shape[1:3]
    side = drawn[0] * ranges.erased

    def inside(length: int, at: Any) -> Any:
        """(B, length): whether a line of pixels meets the patch, which lies wholly inside."""
        start = (at * (1.0 - side))[:, None]
        middle = (tf.range(length, dtype=tf.float32)[None] + 0.5) / length
        return (middle >= start) & (middle < start + side[:, None])

    patch = inside(height, drawn[1])[:, :, None, None] & inside(width, drawn[2])[:, None, :, None]
    return tf.where(patch, tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True), images)


def draw_noise(tf: Any, images: Any, seed: Any) -> Any:
    """(B, H, W, C) random bytes: as fine as the pixels were, at a quarter of the cost of floats."""
    values = math.prod(images.shape[1:])
    words = tf.random.stateless_uniform(
        (tf.shape(images)[0], math.ceil(values / 4)),
        tf.random.fold_in(seed, 1, alg=GENERATOR),
        minval=None,
        maxval=None,
        dtype=tf.int32,
        alg=GENERATOR,
    )
    grain = tf.reshape(tf.bitcast(words, tf.uint8), (-1, words.shape[1] * 4))[:, :values]
    return tf.reshape(grain, tf.shape(images))


def add_noise(tf: Any, images: Any, ranges: Augmentation, drawn: Any, grain: Any) -> Any:
    """Noise of a strength drawn for each image: bytes less their mean, over their deviation."""
    deviation = math.sqrt((256**2 - 1) / 12)
    return images + (tf.cast(grain, tf.float32) - 127.5) * _column(drawn * ranges.noise / deviation)


def _plane(values: Any) -> Any:
    """(B,) to (B, 1, 1)."""
    return values[:, None, None]


def _column(values: Any) -> Any:
    """(B,) to (B, 1, 1, 1)."""
    return values[:, None, None, None]


def _symmetric(drawn: Any, most: float) -> Any:
    """From [0, 1) to [-most, most)."""
    return (2.0 * drawn - 1.0) * most
