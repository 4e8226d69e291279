"""The changes of an augmentation, as TensorFlow operations on a batch.

Images are (B, H, W, C) float32 in [0, 1]; `drawn` are random numbers in [0, 1), one row of (B,) per
parameter. Results are not clipped to [0, 1].
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeemo.train.data.augmentations import Augmentation

GENERATOR = "philox"
"""Random number generator; fixed, since TensorFlow's default depends on the device."""

_BLUR_REACH = 2.5
"""Radius of the blur's kernel, in standard deviations."""

_MIN_DEVIATION = 1e-3
"""Smallest standard deviation of a blur in pixels, which leaves an image as it is."""


def warp(tf: Any, images: Any, ranges: Augmentation, drawn: Any) -> Any:
    """Flip, rotate, shift and zoom about the centre; beyond its edges the image is mirrored."""
    height, width = images.shape[1:3]
    angle = _plane(_symmetric(drawn[0], math.radians(ranges.rotation)))
    across = _plane(_symmetric(drawn[1], ranges.shift * width))
    down = _plane(_symmetric(drawn[2], ranges.shift * height))
    scale = _plane(1.0 + _symmetric(drawn[3], ranges.zoom))
    mirror = _plane(tf.where(drawn[4] < ranges.flip, -1.0, 1.0))
    # Each pixel of the new image, relative to the centre, and the place in the old one it shows.
    x = tf.range(width, dtype=tf.float32) - (width - 1) / 2 - across
    y = tf.range(height, dtype=tf.float32)[:, None] - (height - 1) / 2 - down
    cos, sin = tf.cos(angle) / scale, tf.sin(angle) / scale
    rows = cos * y - sin * x + (height - 1) / 2
    columns = mirror * (cos * x + sin * y) + (width - 1) / 2
    return _sample_bilinear(tf, images, rows, columns)


def _sample_bilinear(tf: Any, images: Any, rows: Any, columns: Any) -> Any:
    """Return the bilinear interpolation at (B, H, W) places, which may lie outside."""
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
    """Map integers into 0 to length - 1 by reflection at the image's edges."""
    places = tf.math.floormod(places, 2 * length)
    return tf.minimum(places, 2 * length - 1 - places)


def blur(tf: Any, images: Any, ranges: Augmentation, drawn: Any) -> Any:
    """Apply a Gaussian blur, vertical then horizontal, with the image mirrored at its edges."""
    height, width = images.shape[1:3]
    most = ranges.blur * height
    reach = math.ceil(_BLUR_REACH * most)
    steps = tf.range(-reach, reach + 1, dtype=tf.float32)
    deviation = tf.maximum(drawn * most, _MIN_DEVIATION)[:, None]
    weights = tf.exp(-0.5 * tf.square(steps / deviation))
    weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
    shares = [_column(weights[:, k]) for k in range(2 * reach + 1)]
    margin = (reach, reach)
    tall = tf.pad(images, ((0, 0), margin, (0, 0), (0, 0)), mode="SYMMETRIC")
    images = sum(share * tall[:, k : k + height] for k, share in enumerate(shares))
    wide = tf.pad(images, ((0, 0), (0, 0), margin, (0, 0)), mode="SYMMETRIC")
    return sum(share * wide[:, :, k : k + width] for k, share in enumerate(shares))


def adjust_light(tf: Any, images: Any, ranges: Augmentation, drawn: Any) -> Any:
    """Change contrast about each image's mean, and brightness: a product and a sum per value."""
    factor = _column(1.0 + _symmetric(drawn[0], ranges.contrast))
    added = _column(_symmetric(drawn[1], ranges.brightness))
    if ranges.contrast:
        added += (1.0 - factor) * tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return images * factor + added


def erase_patch(tf: Any, images: Any, ranges: Augmentation, drawn: Any) -> Any:
    """Fill a random square with the image's mean value.

    After Z. Zhong et al., "Random erasing data augmentation", 2017.
    """
    height, width = images.shape[1:3]
    side = drawn[0] * ranges.erased

    def inside(length: int, at: Any) -> Any:
        """Return (B, length): whether a row or column meets the patch, which lies inside."""
        start = (at * (1.0 - side))[:, None]
        middle = (tf.range(length, dtype=tf.float32)[None] + 0.5) / length
        return (middle >= start) & (middle < start + side[:, None])

    patch = inside(height, drawn[1])[:, :, None, None] & inside(width, drawn[2])[:, None, :, None]
    return tf.where(patch, tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True), images)


def draw_noise(tf: Any, images: Any, seed: Any) -> Any:
    """Draw (B, H, W, C) random bytes, which cost a quarter of random floats."""
    values = math.prod(images.shape[1:])
    words = tf.random.stateless_uniform(
        (tf.shape(images)[0], math.ceil(values / 4)),
        tf.random.fold_in(seed, 1, alg=GENERATOR),
        minval=None,
        maxval=None,
        dtype=tf.int32,
        alg=GENERATOR,
    )
    noise = tf.reshape(tf.bitcast(words, tf.uint8), (-1, words.shape[1] * 4))[:, :values]
    return tf.reshape(noise, tf.shape(images))


def add_noise(tf: Any, images: Any, ranges: Augmentation, drawn: Any, noise: Any) -> Any:
    """Add noise of a random strength per image: bytes minus their mean, over their deviation."""
    deviation = math.sqrt((256**2 - 1) / 12)
    return images + (tf.cast(noise, tf.float32) - 127.5) * _column(drawn * ranges.noise / deviation)


def _plane(values: Any) -> Any:
    """Return (B,) as (B, 1, 1)."""
    return values[:, None, None]


def _column(values: Any) -> Any:
    """Return (B,) as (B, 1, 1, 1)."""
    return values[:, None, None, None]


def _symmetric(drawn: Any, limit: float) -> Any:
    """Scale [0, 1) to [-limit, limit)."""
    return (2.0 * drawn - 1.0) * limit
