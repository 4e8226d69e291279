"""The table of differences on real faces, with edgeemo's own default network."""

from __future__ import annotations

import numpy as np
import pytest

from edgeemo.export import ExportOptions, export
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.folder import ModelFolder
from edgeemo.model.keras_engine import predict
from edgeemo.model.tables import Sample, write_samples
from edgeemo.runtime.classifier import Classifier
from edgeemo.train import build
from edgeemo.utils.files import sha256_file, write_file

pytestmark = pytest.mark.tensorflow

BOUNDS = {
    "float32.tflite": 1e-5,
    "float16.tflite": 2e-3,
    "dynamic.tflite": 0.04,
    "int8.tflite": 0.06,
    "float32.onnx": 1e-5,
    "int8.onnx": 0.06,
}
COUNTS = {"train": 300, "test": 32}  # of each class


@pytest.fixture(scope="module")
def faces(data_dir, spec48) -> list[Sample]:
    root = data_dir / "fer2013_original"
    return [
        Sample(
            path=path.relative_to(root).as_posix(),
            label=label,
            split=split,
            sha256=sha256_file(path),
        )
        for split, count in COUNTS.items()
        for label in spec48.labels
        for path in sorted((root / split / label).iterdir())[:count]
    ]


@pytest.fixture(scope="module")
def read(data_dir, faces, spec48):
    """Function (split): (N, 48, 48, 1) uint8."""

    def pixels(split):
        paths = [data_dir / "fer2013_original" / face.path for face in faces if face.split == split]
        return np.stack([preprocess(path, spec48) for path in paths])

    return pixels


@pytest.fixture(scope="module")
def model(keras, read):
    """Trained a little, so that its predictions are neither all alike nor all certain."""
    keras.utils.set_random_seed(0)
    model = build("cnn-16-32-16", input_shape=(48, 48, 1), classes=2)
    model.compile(keras.optimizers.Adam(2e-3), "binary_crossentropy")
    truth = np.repeat([0.0, 1.0], COUNTS["train"])
    model.fit(read("train") * np.float32(1 / 255), truth, epochs=15, batch_size=16, verbose=0)
    return model


@pytest.fixture(scope="module")
def table(model, read, data_dir, faces, spec48, tmp_path_factory):
    """For each file: its predictions beside the reference model's, both (64,)."""
    folder = ModelFolder(tmp_path_factory.mktemp("parity"))
    write_file(folder.file("spec.json"), spec48.to_json())
    write_samples(folder.file("split.csv"), faces)
    model.save(folder.file("model.keras"))
    options = ExportOptions(int8=True, float16=True, dynamic=True, calibration_count=48)
    files = export(folder, options=options, data=data_dir / "fer2013_original")
    pixels = read("test")
    wanted = predict(model, pixels * np.float32(1 / 255))[:, 0]
    return {file.path.name: (_ask(file.path, pixels), wanted) for file in files}


def _ask(path, pixels):
    engine = Classifier.load(path).engine
    return np.array([engine.run(image)[0] for image in pixels])


@pytest.mark.parametrize("name", BOUNDS)
def test_predictions_on_real_faces(table, name):
    given, wanted = table[name]
    worst = float(np.abs(given - wanted).max())
    agreement = float(np.mean((given >= 0.5) == (wanted >= 0.5)))
    assert np.std(wanted) > 0.05
    assert worst <= BOUNDS[name]
    assert agreement >= (1.0 if "float" in name else 62 / 64)
