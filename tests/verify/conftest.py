"""A model folder with the golden models, its test split drawn on the spot. No TensorFlow."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeemo import Classifier
from edgeemo.model.folder import REFERENCE, SPEC, SPLIT, TRAINING, ModelFolder
from edgeemo.model.tables import ReferencePrediction, Sample, write_references, write_samples
from edgeemo.utils.files import sha256_file

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FILES = ("float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx")
COUNT = 40


@dataclass(frozen=True)
class Place:
    """Where a test's things are."""

    folder: ModelFolder
    data: Path


@pytest.fixture
def place(tmp_path):
    """A model folder whose `float32.tflite` gave the reference predictions, and its images."""
    data, folder = tmp_path / "faces", ModelFolder(tmp_path / "models" / "tiny")
    folder.path.mkdir(parents=True)
    for name in FILES:
        shutil.copy(GOLDEN / name, folder.path)
    classifier = Classifier.load(GOLDEN / "float32.tflite")
    folder.file(SPEC).write_text(classifier.spec.to_json())
    folder.write_json(TRAINING, {"data": str(data)})
    samples = list(_draw(data))
    write_samples(folder.file(SPLIT), samples)
    references = [
        ReferencePrediction(
            sha256=sample.sha256,
            path=sample.path,
            label=sample.label,
            scores=tuple(classifier.predict(data / sample.path).scores.values()),
        )
        for sample in samples
        if sample.split == "test"
    ]
    write_references(folder.file(REFERENCE), references, labels=classifier.spec.labels)
    return Place(folder, data)


def _draw(data):
    """COUNT test images, bright above ("happy") or below ("sad"), and one of the train split."""
    random = np.random.default_rng(0)
    for number in range(COUNT + 1):
        label = ("happy", "sad")[number % 2]
        pixels = random.integers(0, 160, (12, 12))
        pixels[6 * (number % 2) :][:6] += random.integers(0, 95)
        path = data / label / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(path)
        yield Sample(
            path=path.relative_to(data).as_posix(),
            label=label,
            split="test" if number < COUNT else "train",
            sha256=sha256_file(path),
        )
