"""Data augmentation: random changes to training images, so that a network learns the face only.

The random numbers of a batch follow from its seed alone: the same seed gives the same images, in
whatever order batches are made. Geometry is one affine transform, so that an image is interpolated
once. All but the random numbers is compiled by XLA into one loop; compiling takes a second or two
per training, once for full batches and once for the last of an epoch.

The random image layers of Keras do not do: they draw from a counter that parallel calls share, so
that neither a seed nor an epoch's number fixes their images, and cost 3.5 to 7 times the processor
time (decision 8).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.model.keras import import_keras
from edgeemo.report.contact_sheet import write_contact_sheet
from edgeemo.report.document import Tile
from edgeemo.train.data.distortion import (
    GENERATOR,
    add_noise,
    adjust_light,
    blur,
    draw_noise,
    erase_patch,
    warp,
)

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.data.augmentations import Augmentation
    from edgeemo.train.data.pipeline import Pixels

_SHEET_IMAGES = 8
_VALUES = 12  # random numbers per image, whichever changes are on


def augment(images: Any, *, augmentation: Augmentation, seed: Any) -> Any:
    """Change a batch of images at random; runs eagerly and inside a `tf.data` map.

    Args:
        images: (B, H, W, C) float32 tensor in [0, 1]; H, W and C known.
        augmentation: Ranges of the changes.
        seed: (2,) integer tensor, another one for every batch. The same seed gives the same images.

    Returns:
        (B, H, W, C) float32 tensor in [0, 1].
    """
    import tensorflow as tf

    count = tf.shape(images)[0]
    drawn = tf.random.stateless_uniform((_VALUES, count), seed, alg=GENERATOR)
    noise = draw_noise(tf, images, seed) if augmentation.noise else tf.zeros((0,), tf.uint8)
    return _compile_changes(augmentation)(images, drawn, noise)


def draw_augmented_sheet(
    path: Path, pixels: Pixels, *, spec: ModelSpec, augmentation: Augmentation, seed: int
) -> Path:
    """Draw eight training images above their augmented copies, as a PNG.

    Args:
        path: The PNG to write, whole or not at all.
        pixels: The training split; the images are taken at even intervals.
        spec: Gives scale and labels.
        augmentation: Ranges of the changes.
        seed: Seed of the changes.

    Returns:
        `path`.
    """
    import_keras()
    import tensorflow as tf

    numbers = np.linspace(0, len(pixels) - 1, min(_SHEET_IMAGES, len(pixels))).astype(int)
    rows = pixels.rows[numbers]
    images = tf.constant(rows * np.float32(spec.scale))
    drawn_from = tf.constant((seed, 0), tf.int64)
    changed = augment(images, augmentation=augmentation, seed=drawn_from).numpy()
    after = np.round(changed / spec.scale).astype(np.uint8)
    labels = [spec.labels[truth] for truth in pixels.truth[numbers]]
    tiles = [
        Tile(image=image, caption=label + suffix)
        for batch, suffix in ((rows, ""), (after, ", augmented"))
        for image, label in zip(batch, labels, strict=True)
    ]
    title = "Training images as they are, and below as the network sees them"
    return write_contact_sheet(tiles, path, columns=len(numbers), title=title)


@cache
def _compile_changes(ranges: Augmentation) -> Any:
    """Compile all but the random numbers: a function of (images, random numbers, noise)."""
    import tensorflow as tf

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
    def change(images: Any, drawn: Any, noise: Any) -> Any:
        if ranges.moves_pixels:
            images = warp(tf, images, ranges, drawn[:5])
        if ranges.blur:
            images = blur(tf, images, ranges, drawn[11])
        if ranges.brightness or ranges.contrast:
            images = adjust_light(tf, images, ranges, drawn[5:7])
        if ranges.erased:
            images = erase_patch(tf, images, ranges, drawn[7:10])
        if ranges.noise:
            images = add_noise(tf, images, ranges, drawn[10], noise)
        return tf.clip_by_value(images, 0.0, 1.0)

    return change
