"""Random changes to a batch of faces, in JAX: what cameras, poses and files do to an image."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_REACH = 4  # pixels of the blur on each side
_BLOCK = 8
_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
"""Quantization table of JPEG's annex K for luminance, which quality 50 uses as it is."""


class _Random:
    """Random numbers, one per image of a batch."""

    def __init__(self, key: Any, count: int) -> None:
        self._keys = iter(jax.random.split(key, 40))
        self._count = count

    def draw(self, low: float, high: float) -> Any:
        """Return (B,) numbers between two bounds."""
        return jax.random.uniform(next(self._keys), (self._count,), minval=low, maxval=high)

    def draw_sometimes(self, share: float, low: float, high: float, *, other: float) -> Any:
        """Return (B,) numbers between two bounds for a share of the images, else `other`."""
        return jnp.where(self.choose(share), self.draw(low, high), other)

    def choose(self, share: float) -> Any:
        """Return (B,) booleans that are true for a share of the images."""
        return self.draw(0, 1) < share

    def draw_noise(self, shape: tuple[int, ...]) -> Any:
        """Return normal noise of deviation 1."""
        return jax.random.normal(next(self._keys), shape)


def augment(key: Any, images: Any) -> Any:
    """Return a batch changed at random: geometry, light, sharpness, noise, JPEG, a covered part.

    Args:
        key: A JAX random key.
        images: (B, H, H) float32 in [0, 1]; H a multiple of 8.
    """
    random = _Random(key, images.shape[0])
    images = _warp(random, images)
    images = _relight(random, images)
    images = jnp.where(_column(random.choose(0.15)), _halve(images), images)
    images = _blur(random, images)
    noise = random.draw_noise(images.shape)
    images = images + noise * _column(random.draw_sometimes(0.35, 0, 0.09, other=0.0))
    images = jnp.where(_column(random.choose(0.3)), _compress(random, images), images)
    return jnp.clip(_cover(random, images), 0, 1)


def _column(values: Any) -> Any:
    return values[:, None, None]


def _warp(random: _Random, images: Any) -> Any:
    """Mirror, rotate by 20 degrees at most, scale, stretch, shear and shift: one interpolation."""
    size = images.shape[1]
    middle = (size - 1) / 2
    angle = random.draw(-20, 20) * jnp.pi / 180
    zoom, stretch = jnp.exp(random.draw(-0.22, 0.22)), jnp.exp(random.draw(-0.08, 0.08))
    right, down = random.draw(-0.1, 0.1) * size, random.draw(-0.1, 0.1) * size
    shear = random.draw(-0.08, 0.08)
    mirror = jnp.where(random.choose(0.5), -1.0, 1.0)
    axis = jnp.arange(size, dtype=jnp.float32) - middle
    y, x = jnp.meshgrid(axis, axis, indexing="ij")
    cosine, sine = _column(jnp.cos(angle)), _column(jnp.sin(angle))
    across = _column(zoom * stretch * mirror) * (cosine * x + (sine + _column(shear)) * y)
    along = _column(zoom / stretch) * (-sine * x + cosine * y)

    def sample(image: Any, rows: Any, columns: Any) -> Any:
        where = [rows, columns]
        return jax.scipy.ndimage.map_coordinates(image, where, order=1, mode="nearest")

    return jax.vmap(sample)(
        images, along + _column(down) + middle, across + _column(right) + middle
    )


def _relight(random: _Random, images: Any) -> Any:
    """Change gamma, the contrast about the mean, and brightness."""
    gamma = jnp.exp(random.draw_sometimes(0.5, -0.6, 0.6, other=0.0))
    images = jnp.power(jnp.clip(images, 1e-4, 1), _column(gamma))
    mean = images.mean((1, 2), keepdims=True)
    contrast = jnp.exp(random.draw_sometimes(0.6, -0.5, 0.4, other=0.0))
    added = random.draw_sometimes(0.5, -0.18, 0.18, other=0.0)
    return jnp.clip((images - mean) * _column(contrast) + mean + _column(added), 0, 1)


def _halve(images: Any) -> Any:
    """Halve width and height, and enlarge again."""
    count, size, _ = images.shape
    small = images.reshape(count, size // 2, 2, size // 2, 2).mean((2, 4))
    return jax.image.resize(small, images.shape, "bilinear")


def _blur(random: _Random, images: Any) -> Any:
    """Blur with a Gaussian of up to 1.4 pixels, mirrored at the edges."""
    size = images.shape[1]
    deviation = random.draw_sometimes(0.35, 0.2, 1.4, other=1e-3)[:, None]
    steps = jnp.arange(-_REACH, _REACH + 1)[None]
    weights = jnp.exp(-0.5 * (steps / deviation) ** 2)
    weights /= weights.sum(1, keepdims=True)
    shares = [_column(weights[:, k]) for k in range(2 * _REACH + 1)]
    margin = (_REACH, _REACH)
    tall = jnp.pad(images, ((0, 0), margin, (0, 0)), mode="symmetric")
    images = sum(share * tall[:, k : k + size] for k, share in enumerate(shares))
    wide = jnp.pad(images, ((0, 0), (0, 0), margin), mode="symmetric")
    return sum(share * wide[:, :, k : k + size] for k, share in enumerate(shares))


def _compress(random: _Random, images: Any) -> Any:
    """Quantise the cosine transform of 8x8 blocks as JPEG of quality 15 to 85 does."""
    count, size, _ = images.shape
    quality = random.draw(15, 85)
    factor = jnp.where(quality < 50, 50 / quality, 2 - quality / 50)
    blocks = (images * 255 - 128).reshape(count, size // _BLOCK, _BLOCK, size // _BLOCK, _BLOCK)
    blocks = blocks.transpose(0, 1, 3, 2, 4)
    transform = jnp.asarray(_cosines())
    product = {"precision": "highest"}
    frequencies = jnp.einsum("ij,bxyjk,lk->bxyil", transform, blocks, transform, **product)
    steps = jnp.maximum(1.0, jnp.round(_LUMINANCE[None] * _column(factor)))[:, None, None]
    frequencies = jnp.round(frequencies / steps) * steps
    blocks = jnp.einsum("ji,bxyjk,kl->bxyil", transform, frequencies, transform, **product)
    return (blocks.transpose(0, 1, 3, 2, 4).reshape(images.shape) + 128) / 255


def _cosines() -> Any:
    """Return the (8, 8) orthonormal matrix of the discrete cosine transform (DCT-II)."""
    k = np.arange(_BLOCK)
    matrix = np.sqrt(2 / _BLOCK) * np.cos((2 * k[None] + 1) * k[:, None] * np.pi / (2 * _BLOCK))
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


def _cover(random: _Random, images: Any) -> Any:
    """Cover a rectangle of up to 45 % of each side with one grey value, in 30 % of the images."""
    size = images.shape[1]
    height, width = random.draw(0.1, 0.45) * size, random.draw(0.1, 0.45) * size
    row, column = random.draw(0, size), random.draw(0, size)
    places = jnp.arange(size)[None]
    rows = jnp.abs(places - row[:, None]) < height[:, None] / 2
    columns = jnp.abs(places - column[:, None]) < width[:, None] / 2
    inside = rows[:, :, None] & columns[:, None, :] & _column(random.choose(0.3))
    return jnp.where(inside, _column(random.draw(0, 1)), images)
