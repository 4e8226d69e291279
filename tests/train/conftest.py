"""Tiny drawn images, and a model trained on them once for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from edgeemo.model.spec import ModelSpec
from edgeemo.train import TrainOptions, train
from edgeemo.train.data.pipeline import Pixels

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.model.folder import ModelFolder

SIDE = 32
OPTIONS = TrainOptions(mode="plain", size=SIDE, channels=1, epochs=2, batch_size=8)


def _draw(path: Path, *, brightness: int, seed: int) -> None:
    """A soft random pattern: unlike every other, with a brightness that tells the class."""
    drawn = np.random.default_rng(seed)
    coarse = np.clip(drawn.normal(brightness, 45, (6, 6, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(coarse).resize((40, 36), Image.Resampling.BICUBIC).save(path, quality=95)


@pytest.fixture(scope="session")
def draw_classes():
    """Function (folder, labels, count): a class folder per label with drawn images."""

    def draw(folder: Path, labels: tuple[str, ...], count: int = 20) -> Path:
        for number, label in enumerate(labels):
            (folder / label).mkdir(parents=True)
            for index in range(count):
                ending = "png" if index % 2 else "jpg"
                _draw(
                    folder / label / f"{index:03}.{ending}",
                    brightness=60 + 130 * number // max(1, len(labels) - 1),
                    seed=1000 * number + index,
                )
        return folder

    return draw


@pytest.fixture(scope="session")
def images(draw_classes, tmp_path_factory) -> Path:
    """Two classes of 20 images."""
    return draw_classes(tmp_path_factory.mktemp("images"), ("happy", "sad"))


@pytest.fixture(scope="session")
def trained(images, tmp_path_factory) -> ModelFolder:
    """A model folder; not to be changed."""
    return train(images, tmp_path_factory.mktemp("models") / "tiny", options=OPTIONS).folder


@pytest.fixture(scope="session")
def options() -> TrainOptions:
    """What `trained` was trained with."""
    return OPTIONS


@pytest.fixture(scope="session")
def spec32() -> ModelSpec:
    """A 32x32 grey happy/sad spec."""
    return ModelSpec(labels=("happy", "sad"), height=SIDE, width=SIDE, channels=1)


@pytest.fixture(scope="session")
def noise(spec32):
    """Function (count, seed): a split of drawn noise whose brightness tells the class."""

    def make(count: int, seed: int = 0) -> Pixels:
        drawn = np.random.default_rng(seed)
        truth = drawn.integers(0, 2, count)
        level = (70 + 90 * truth)[:, None, None, None]
        rows = np.clip(drawn.normal(level, 60, (count, *spec32.input_shape)), 0, 255)
        return Pixels(rows.astype(np.uint8), truth)

    return make


class Stopper:
    """A `Progress` that raises an error at one step of one stage, and remembers notes."""

    class KilledError(Exception):
        """An error that edgeemo handles nowhere: the training ends as if it was killed."""

    def __init__(
        self, stage: str, step: int, error: type[BaseException] = KeyboardInterrupt
    ) -> None:
        self.at, self.error = (stage, step), error
        self.now = ("", 0)
        self.notes: list[str] = []

    def stage(self, name: str, *, total: int | None = None) -> None:
        self.now = (name, 0)

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        self.now = (self.now[0], self.now[1] + steps)
        if self.now[0] == self.at[0] and self.now[1] >= self.at[1]:
            raise self.error

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def stopper():
    """Function (stage, step): a `Progress` that presses Ctrl-C there, or raises another error."""
    return Stopper
