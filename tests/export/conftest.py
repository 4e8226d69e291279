"""Small networks with random weights, their model folders, and drawn images to calibrate on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from edgeemo.model.folder import ModelFolder
from edgeemo.model.keras import import_keras
from edgeemo.model.keras_engine import predict
from edgeemo.model.spec import ModelSpec, Provenance
from edgeemo.model.tables import Sample, write_samples
from edgeemo.utils.files import sha256_file, write_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIDE = 24
LABELS = ("happy", "sad")


def _draw(path: Path, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    coarse = drawn.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((30, 28), Image.Resampling.BICUBIC).save(path)


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> Path:
    """Thirty images of each of three classes; the first twenty of each are for training."""
    folder = tmp_path_factory.mktemp("images")
    for number, label in enumerate((*LABELS, "calm")):
        (folder / label).mkdir()
        for index in range(30):
            _draw(folder / label / f"{index:02}.png", seed=100 * number + index)
    return folder


@pytest.fixture(scope="session")
def samples(images) -> Callable[[tuple[str, ...]], list[Sample]]:
    """Function (labels): the images of these classes as a model folder lists them."""

    def listed(labels: tuple[str, ...]) -> list[Sample]:
        return [
            Sample(
                path=f"{label}/{path.name}",
                label=label,
                split="train" if path.stem < "20" else "test",
                sha256=sha256_file(path),
            )
            for label in labels
            for path in sorted((images / label).iterdir())
        ]

    return listed


@pytest.fixture(scope="session")
def make_folder(images, samples) -> Callable[..., ModelFolder]:
    """Function (path, spec, save, **training): a model folder; `save` writes its Keras model."""

    def make(
        path: Path, spec: ModelSpec, save: Callable[[Path], object], **training: object
    ) -> ModelFolder:
        path.mkdir(parents=True)
        folder = ModelFolder(path)
        write_file(folder.file("spec.json"), spec.to_json())
        write_samples(folder.file("split.csv"), samples(spec.labels))
        folder.write_json("training.json", {"data": str(images), **training})
        save(path)
        return folder

    return make


@pytest.fixture(scope="session")
def keras() -> Any:
    return import_keras()


@pytest.fixture(scope="session")
def spec() -> ModelSpec:
    """A 24x24 grey happy/sad network."""
    return ModelSpec(
        labels=LABELS,
        height=SIDE,
        width=SIDE,
        channels=1,
        provenance=Provenance(edgeemo_version="0.1.0", date="2026-01-02T03:04:05Z"),
    )


@pytest.fixture(scope="session")
def shaken(keras) -> Callable[[Any], Any]:
    """Function (model): its weights made random, batch statistics included, the same every time."""

    def shake(model: Any) -> Any:
        drawn = np.random.default_rng(7)
        for weight in model.weights:
            shape, positive = weight.shape, weight.path.endswith("variance")
            low, high = (0.3, 2.0) if positive else (-0.35, 0.35)
            if weight.path.endswith("gamma"):
                low, high = -1.5, 1.5  # a negative one must not be mistaken for its absolute
            weight.assign(drawn.uniform(low, high, shape).astype(np.float32))
        return model

    return shake


@pytest.fixture(scope="session")
def plain(keras, shaken) -> Any:
    """Convolution, pool, two dense layers: edgeemo's own kind."""
    layers = keras.layers
    return shaken(
        keras.Sequential(
            [
                keras.Input((SIDE, SIDE, 1)),
                layers.Conv2D(4, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(6, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(8, activation="relu"),
                layers.Dense(1, activation="sigmoid"),
            ],
            name="plain",
        )
    )


@pytest.fixture(scope="session")
def normalised(keras, shaken) -> Any:
    """The same with batch normalisation after the ReLU, as `cnn-bn-64` has it."""
    layers = keras.layers
    return shaken(
        keras.Sequential(
            [
                keras.Input((SIDE, SIDE, 1)),
                layers.Conv2D(4, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.MaxPooling2D(),
                layers.Conv2D(6, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(8, activation="relu"),
                layers.Dense(1, activation="sigmoid"),
            ],
            name="normalised",
        )
    )


@pytest.fixture(scope="session")
def plain_folder(make_folder, plain, spec, tmp_path_factory) -> ModelFolder:
    """A model folder with `plain`; tests that export into it copy it first."""
    path = tmp_path_factory.mktemp("models") / "plain"
    return make_folder(path, spec, lambda place: plain.save(place / "model.keras"))


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """(N, H, W, C) uint8 noise that spans 0 to 255."""
    return np.random.default_rng(3).integers(0, 256, (12, SIDE, SIDE, 1), dtype=np.uint8)


@pytest.fixture(scope="session")
def ask() -> Callable[[Any, np.ndarray], np.ndarray]:
    """Function (model, pixels): a Keras model's predictions, (N, outputs)."""

    def run(model: Any, pixels: np.ndarray) -> np.ndarray:
        images = pixels * np.float32(1 / 255)
        if model.input_shape[0] is None:
            return predict(model, images)
        return np.concatenate([np.asarray(model(image[None])["prob"]) for image in images])

    return run
