"""Model folders with exported files, and drawn images. TensorFlow only where a network is made."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeemo import Classifier
from edgeemo.model.container import seal
from edgeemo.model.folder import SPEC, SPLIT, TRAINING, ModelFolder
from edgeemo.model.spec import ModelSpec, Provenance
from edgeemo.model.tables import Sample, write_samples
from edgeemo.utils.files import sha256_file

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SIDE, LABELS, COUNT = 12, ("happy", "sad", "calm"), 24


@pytest.fixture(scope="session")
def faces(tmp_path_factory):
    """Drawn images: COUNT of the test split, as many of the train split."""
    data = tmp_path_factory.mktemp("faces")
    drawn = np.random.default_rng(0)
    for number in range(2 * COUNT):
        path = data / LABELS[number % 2] / f"{number:03}.png"
        path.parent.mkdir(exist_ok=True)
        coarse = drawn.integers(0, 256, (5, 5), dtype=np.uint8)
        Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path)
    return data


@pytest.fixture(scope="session")
def images(faces):
    """The images of the train split, (N, H, W, C) float32 in [0, 1]."""
    paths = [path for path in sorted(faces.rglob("*.png")) if int(path.stem) >= COUNT]
    pixels = np.stack([np.asarray(Image.open(path)) for path in paths])
    return pixels[..., None] / np.float32(255)


@pytest.fixture(scope="session")
def make_folder(faces):
    """Function (path, spec): a model folder that lists the images."""

    def make(path: Path, spec: ModelSpec) -> ModelFolder:
        folder = ModelFolder(path)
        folder.path.mkdir(parents=True)
        folder.file(SPEC).write_text(spec.to_json())
        folder.write_json(TRAINING, {"data": str(faces)})
        samples = [
            Sample(
                path=image.relative_to(faces).as_posix(),
                label=image.parent.name,
                split="test" if int(image.stem) < COUNT else "train",
                sha256=sha256_file(image),
            )
            for image in sorted(faces.rglob("*.png"))
        ]
        write_samples(folder.file(SPLIT), samples)
        return folder

    return make


@pytest.fixture
def golden(tmp_path, make_folder):
    """A model folder with the golden files."""
    spec = Classifier.load(GOLDEN / "float32.tflite").spec
    folder = make_folder(tmp_path / "golden", spec)
    for name in ("float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx"):
        shutil.copy(GOLDEN / name, folder.path)
    folder.file("model.keras").touch()
    return folder


@pytest.fixture(scope="session")
def keras():
    from edgeemo.model.keras import import_keras

    return import_keras()


@pytest.fixture(scope="session")
def shake(keras):
    """Function (model): its weights made random, the same every time."""

    def run(model):
        drawn = np.random.default_rng(5)
        for weight in model.weights:
            size = 1.5 / np.sqrt(max(1, np.prod(weight.shape[:-1])))
            weight.assign(drawn.normal(0, size, weight.shape).astype(np.float32))
        return model

    return run


@pytest.fixture(scope="session")
def export_to(make_folder):
    """Function (path, model, calibration, formats, ...): a folder with the exported files."""
    from edgeemo.export.convert import Converter
    from edgeemo.export.graph import build_deployed
    from edgeemo.export.kept_layers import list_layers
    from edgeemo.model.quantisation import Quantisation

    def run(path, model, calibration, formats=("tflite",), **quantisation):
        spec = ModelSpec(
            labels=LABELS[: max(2, model.output_shape[1])],
            height=SIDE,
            width=SIDE,
            channels=1,
            activation="sigmoid" if model.output_shape[1] == 1 else "softmax",
            provenance=Provenance(edgeemo_version="0.1.0", date="2026-01-02T03:04:05Z"),
        )
        folder = make_folder(path, spec)
        model.save(folder.file("model.keras"))
        network = build_deployed(model, spec)
        converter = Converter(network, spec, calibration, list_layers(model))
        chosen = Quantisation(**quantisation)
        for format in ("tflite", *(each for each in formats if each != "tflite")):
            for kind in ("float32", "int8"):
                content = converter.convert(kind, format, quantisation=chosen)
                content = seal(content, spec, format=format)
                folder.file(f"{kind}.{format}").write_bytes(content)
        return folder

    return run
