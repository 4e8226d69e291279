"""Measure a model of small face crops on degraded images, a table row per kind.

    python benchmarks/conditions.py happy-sad $EDGEEMO_DATA/fer2013_original
    python benchmarks/conditions.py FILE $EDGEEMO_DATA/fer2013_original --split validation

The images are those of the test or validation split of a training on the folder; of its classes
those of the model are taken. The whole runtime predicts each, one at a time: its file as it is, and
with every kind of damage, done to the decoded image at its own size (48x48 in FER2013). The mean is
that of the kinds; of a kind with two directions, each counts half. Calibration is over 15 bins of
equally many images.
"""

from __future__ import annotations

import argparse
import io
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from accuracy_row import HEAD, accuracy_row
from PIL import Image, ImageEnhance, ImageFilter

from edgeemo.cli.default_model import choose_model
from edgeemo.dataset import IngestOptions, ingest_folder
from edgeemo.metrics import expected_calibration_error
from edgeemo.model.face_request import FaceRequest
from edgeemo.runtime.classifier import Classifier

Damage = Callable[[Image.Image, np.random.Generator], Image.Image | bytes]

_BINS = 15


def blur(face: Image.Image, _: np.random.Generator) -> Image.Image:
    """Blur with a Gaussian, standard deviation 1 pixel."""
    return face.filter(ImageFilter.GaussianBlur(1))


def add_noise(face: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Add Gaussian noise, standard deviation 15 of 255."""
    values = np.asarray(face) + rng.normal(0, 15, (face.height, face.width))
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def save_jpeg(face: Image.Image, _: np.random.Generator) -> bytes:
    """Save as a JPEG of quality 30."""
    stream = io.BytesIO()
    face.save(stream, "JPEG", quality=30)
    return stream.getvalue()


def scale_brightness(factor: float) -> Damage:
    """Return a damage that multiplies every value by a factor."""
    return lambda face, _: ImageEnhance.Brightness(face).enhance(factor)


def rotate_by(degrees: float) -> Damage:
    """Return a damage that rotates about the centre; the corners are filled by reflection."""

    def rotate(face: Image.Image, _: np.random.Generator) -> Image.Image:
        border = face.width // 2
        wide = Image.fromarray(np.pad(np.asarray(face), border, mode="reflect"))
        wide = wide.rotate(degrees, Image.Resampling.BILINEAR)
        return wide.crop((border, border, border + face.width, border + face.height))

    return rotate


def halve(face: Image.Image, _: np.random.Generator) -> Image.Image:
    """Halve width and height; the runtime enlarges the image again."""
    return face.resize((face.width // 2, face.height // 2), Image.Resampling.BOX)


KINDS: dict[str, dict[str, Damage]] = {
    "blur, σ 1 px": {"": blur},
    "noise, σ 15/255": {"": add_noise},
    "JPEG, quality 30": {"": save_jpeg},
    "brightness ±30 %": {"darker": scale_brightness(0.7), "brighter": scale_brightness(1.3)},
    "turned by 15°": {"left": rotate_by(15), "right": rotate_by(-15)},
    "half scale": {"": halve},
}


def predict(classifier: Classifier, sources: list) -> tuple[np.ndarray, np.ndarray]:
    """Return the (N,) indices of the predicted classes and the (N,) probabilities of these.

    Of a model with a background, such as neither, the classes are the others, and the probability
    is that among these.
    """
    predictions = [classifier.predict(source) for source in sources]
    labels = classifier.spec.classes
    indices = np.array([labels.index(each.guess) for each in predictions])
    shares = [each.score / sum(each.scores[label] for label in labels) for each in predictions]
    return indices, np.array(shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="an exported file, a model folder, or happy-sad")
    parser.add_argument("data", type=Path, help="a folder of face crops, one folder per class")
    parser.add_argument("--split", default="test", choices=("validation", "test"))
    options = parser.parse_args()
    classifier = Classifier.load(choose_model(options.model), faces=FaceRequest(enabled=False))
    labels = classifier.spec.classes
    dataset = ingest_folder(options.data, options=IngestOptions(labels=labels, classes=labels))
    samples = dataset.in_split(options.split)
    truth = np.array([labels.index(sample.label) for sample in samples])
    files = [(options.data / sample.path).read_bytes() for sample in samples]
    faces = [Image.open(io.BytesIO(file)).convert("L") for file in files]
    plain, confidence = predict(classifier, files)
    print(f"{Path(classifier.path).name}, {len(samples):,} {options.split} images\n")
    print(HEAD)
    print(accuracy_row("as they are", plain, truth))
    accuracies = defaultdict(list)
    for kind, ways in KINDS.items():
        for way, damage in ways.items():
            rng = np.random.default_rng(0)
            damaged = [damage(face, rng) for face in faces]
            predicted, _ = predict(classifier, damaged)
            print(accuracy_row(f"{kind}, {way}" if way else kind, predicted, truth))
            accuracies[kind].append(np.mean(predicted == truth))
    mean = np.mean([np.mean(values) for values in accuracies.values()])
    print(f"| **mean of the {len(KINDS)} kinds** | | **{mean:.3f}** | |")
    error = expected_calibration_error(confidence, plain == truth, bins=_BINS)
    print(f"\ncalibration error {error:.4f}, mean confidence {confidence.mean():.3f}")


if __name__ == "__main__":
    main()
