"""Tiny drawn images, and one search of them for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from edgeemo.train import TrainOptions
from edgeemo.tune import Goal, Space, TuneJob, tune

if TYPE_CHECKING:
    from pathlib import Path

SPACE = Space(arch=("cnn-4-4-4-d16", "cnn"), sizes=(24,), filters=(2, 4), augment=("none",))
BASE = TrainOptions(mode="plain", channels=1, epochs=1, batch_size=16)


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> Path:
    """Two classes of 20 soft patterns, of which one is brighter."""
    root = tmp_path_factory.mktemp("images") / "faces"
    for number, label in enumerate(("happy", "sad")):
        (root / label).mkdir(parents=True)
        for index in range(20):
            drawn = np.random.default_rng(1000 * number + index)
            coarse = np.clip(drawn.normal(70 + 110 * number, 45, (6, 6, 3)), 0, 255)
            image = Image.fromarray(coarse.astype(np.uint8))
            image.resize((40, 36), Image.Resampling.BICUBIC).save(root / label / f"{index}.png")
    return root


@pytest.fixture(scope="session")
def search(images):
    """Function (storage, trials, ...): one search; what it found."""

    def run(storage: Path, trials: int, *, out: Path | None = None, space: Space = SPACE, **more):
        goal = more.pop("goal", Goal(trials=trials))
        job = TuneJob(
            data=more.pop("data", images),
            out=out,
            storage=str(storage),
            name="study",
            beside=storage.parent / "near",
        )
        return tune(job, space=space, base=more.pop("base", BASE), goal=goal, **more)

    return run


@pytest.fixture(scope="session")
def found(search, tmp_path_factory):
    """What a search of three trials came to, with its model folder; not to be changed."""
    place = tmp_path_factory.mktemp("models")
    return search(place / "study.db", 3, out=place / "best")
