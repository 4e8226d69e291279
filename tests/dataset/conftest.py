"""Small drawn images, all different from each other, in whatever folders a test needs."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def contents(folder: Path) -> dict[str, bytes]:
    """All files in a folder, path to bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def rows(table: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with table.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def paint() -> Callable[..., Image.Image]:
    """Paint smooth random blotches: images of different numbers are not near-duplicates.

    They are upscaled, which `edgeemo data check` finds; with noise as of a camera it doesn't.
    """

    def _paint(number: int, *, size: tuple[int, int] = (60, 48), noise: float = 0) -> Image.Image:
        rng = np.random.default_rng(number)
        blotches = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
        painted = Image.fromarray(blotches).resize(size, Image.Resampling.BICUBIC)
        if not noise:
            return painted
        noisy = np.asarray(painted, float) + rng.normal(0, noise, (*size[::-1], 3))
        return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))

    return _paint


@pytest.fixture
def fill(paint: Callable[..., Image.Image]) -> Callable[..., Path]:
    """Fill ``folder/NAME`` with so many images each; numbered on from `first`."""

    def _fill(
        folder: Path,
        counts: dict[str, int],
        *,
        first: int = 0,
        suffix: str = "png",
        noise: float = 0,
    ) -> Path:
        for name, count in counts.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            for number in range(first, first + count):
                paint(number, noise=noise).save(folder / name / f"{number:03}.{suffix}")
            first += count
        return folder

    return _fill
