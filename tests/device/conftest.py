"""The three Pis, emulated, and bundles to run on them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgeemo.bundle import make_bundle
from edgeemo.model.container import seal
from edgeemo.model.spec import ModelSpec
from emulation.processors import PROCESSORS
from emulation.root import EmulationError, Root, make_root
from emulation.user_mode import run_python

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import CompletedProcess

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder: emulation is slow."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker("slow")


@pytest.fixture(scope="session")
def root() -> Callable[[str], Root]:
    """Function (release): the arm64 Debian, made where it is not there yet.

    Where there is nothing to emulate with, the tests are skipped; in CI that is a failure.
    """

    @cache
    def made(release: str) -> Root:
        try:
            return make_root(release)
        except EmulationError as error:
            reason = str(error)
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)

    return made


@pytest.fixture(scope="session")
def pi(root) -> Callable[..., CompletedProcess[str]]:
    """Function (processor, *words, release, **options): what Python does there, finished."""

    def ran(processor, *words, release="bookworm", **options):
        done = run_python(root(release), processor, words, **options)
        assert "Traceback" not in (done.stderr or "")
        return done

    return ran


@pytest.fixture(scope="session")
def pis(pi) -> Callable[..., dict[Any, CompletedProcess[str]]]:
    """Function (*words, **options): the same on all three processors, side by side."""

    def ran(*words, **options):
        with ThreadPoolExecutor(len(PROCESSORS)) as threads:
            done = threads.map(lambda processor: pi(processor, *words, **options), PROCESSORS)
            return dict(zip(PROCESSORS, done, strict=True))

    return ran


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Callable[[str], Path]:
    """Function (name): a tiny exported file, of the golden ones or made with the converter."""
    folder = tmp_path_factory.mktemp("models")

    @cache
    def path(name: str) -> Path:
        if name.startswith("made-"):
            return _converted(folder / name)
        return GOLDEN / name

    return path


@pytest.fixture(scope="session")
def bundle(root, model, tmp_path_factory) -> Callable[..., Path]:
    """Function (name): the bundle of a tiny exported file."""
    root("bookworm")  # skips where no bundle is needed
    folder = tmp_path_factory.mktemp("bundles")

    @cache
    def path(name: str) -> Path:
        return make_bundle(model(name), folder / f"{name}.pyz").path

    return path


def _converted(path: Path) -> Path:
    """A network whose weights are many enough for the converter to quantise them."""
    from edgeemo.export.graph import build_deployed
    from edgeemo.export.tflite import convert_to_tflite

    spec = ModelSpec(labels=("happy", "sad"), height=24, width=24, channels=1)
    network = build_deployed(_network(spec), spec)
    kind = path.stem.removeprefix("made-")
    path.write_bytes(seal(convert_to_tflite(network, kind), spec, format="tflite"))
    return path


def _network(spec: ModelSpec) -> Any:
    from edgeemo.model.keras import import_keras

    keras = import_keras()
    keras.utils.set_random_seed(1)
    convolution = partial(keras.layers.Conv2D, kernel_size=3, activation="relu")
    return keras.Sequential(
        [
            keras.Input(spec.input_shape),
            convolution(16),
            keras.layers.MaxPooling2D(),
            convolution(16),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


@pytest.fixture(scope="session")
def noise() -> np.ndarray:
    """(1200, 1600, 3) uint8: large enough to be decoded at a smaller scale."""
    drawn = np.random.default_rng(5).integers(0, 256, (60, 80, 3), np.uint8)
    return drawn.repeat(20, axis=0).repeat(20, axis=1)
