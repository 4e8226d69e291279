"""Calibration images, which set the ranges of an int8 model: from the training split only.

Besides being typical they make the range of the input exactly [0, 1], so that a raw pixel is the
quantised input.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.dataset import locate_files, open_data
from edgeemo.dataset.model_images import find_model_images
from edgeemo.errors import DatasetError, ImageError
from edgeemo.imaging.faces import build_crop_detector
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.detector_file import find_detector_file
from edgeemo.utils.csv_text import write_rows
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.export.options import ExportOptions
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import Sample
    from edgeemo.utils.progress import Progress

MUCH = 0.7
"""Share of the training set's mean or spread below which the calibration's causes a warning."""

FEW = 16
"""Number of calibration images below which there is a warning."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Calibration images, ready to use.

    Attributes:
        samples: The samples, in the order of `images`.
        images: (N, H, W, C) float32 that span [0, 1], see `complete_range`.
        facts: Count, images per label, seed; mean and spread of the pixels in [0, 1], and those of
            the training set.
        warnings: Warnings for the user, as sentences.
    """

    samples: tuple[Sample, ...]
    images: NDArray[np.float32]
    facts: dict[str, Any]
    warnings: tuple[str, ...]

    def to_csv(self) -> str:
        """Return the content of ``calibration.csv``: path, label and sha256 of each image."""
        text = io.StringIO()
        write_rows(text, [["path", "label", "sha256"]])
        write_rows(text, ([each.path, each.label, each.sha256] for each in self.samples))
        return text.getvalue()


def calibrate(
    folder: ModelFolder, *, options: ExportOptions, data: Path | None, progress: Progress
) -> Calibration:
    """Choose, find and read the calibration images of a model.

    Args:
        folder: The model folder, whose ``split.csv`` lists the training split.
        options: Seed and number of the images.
        data: Folder or ZIP archive of the images; by default the one recorded in the model folder.
        progress: Receiver of the progress.

    Raises:
        DatasetError: If images are missing, or none can be read. One that cannot be is left out.
        FaceModelError: If the face detector's own file is missing or cannot be used.
        MissingExtraError: If the face detector is not installed.
        ModelFolderError: If ``split.csv`` is missing or malformed.
    """
    spec = folder.read_spec()
    file = find_detector_file(spec.faces, folder.path)
    detector = build_crop_detector(spec, file=file)
    training = [sample for sample in folder.read_samples() if sample.split == "train"]
    chosen = choose_samples(
        training, spec.labels, count=options.calibration_count, seed=options.seed
    )
    if not chosen:
        raise DatasetError(f"{folder.path}: its training split is empty; int8 cannot be calibrated")
    others = [sample for sample in training if sample not in set(chosen)]
    compared = choose_samples(
        others, spec.labels, count=options.calibration_count, seed=options.seed
    )
    with open_data(find_model_images(folder, data)) as root:
        chosen, pixels, rest = _read_both(
            root, chosen, compared, spec=spec, detector=detector, progress=progress
        )
    facts = {
        "count": len(chosen),
        "per_label": {label: sum(s.label == label for s in chosen) for label in spec.labels},
        "seed": options.seed,
        **_compare(pixels, rest),
    }
    return Calibration(
        samples=tuple(chosen),
        images=complete_range(pixels) * np.float32(spec.scale),
        facts=facts,
        warnings=tuple(_list_warnings(facts)),
    )


def choose_samples(
    training: Sequence[Sample], labels: Sequence[str], *, count: int, seed: int
) -> list[Sample]:
    """Draw samples, the same number of each class as far as there are enough.

    The choice depends on the bytes of the images and the seed, not on paths or order.

    Args:
        training: The training split.
        labels: Class labels.
        count: Number of samples to draw.
        seed: Seed of the choice.
    """
    chosen = []
    found = {sample.label for sample in training}
    labels = [label for label in labels if label in found]
    for number, label in enumerate(labels):
        share = count // len(labels) + (number < count % len(labels))
        ordered = sorted((s for s in training if s.label == label), key=lambda s: s.sha256)
        rng = random.Random(f"{seed}/{label}")
        chosen += rng.sample(ordered, min(share, len(ordered)))
    return chosen


def complete_range(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return calibration images that span 0 to 255.

    Args:
        pixels: (N, H, W, C) uint8.

    Returns:
        `pixels` itself if they do, else a copy whose first image has 0 as its first and 255 as its
        last value: enough to make the range of the quantised input exactly [0, 1].
    """
    if pixels.min() == 0 and pixels.max() == 255:
        return pixels
    completed = pixels.copy()
    first = completed[0].reshape(-1)
    first[0], first[-1] = 0, 255
    return completed


def _read_both(
    root: Path,
    chosen: Sequence[Sample],
    compared: Sequence[Sample],
    *,
    spec: ModelSpec,
    detector: FaceDetector | None,
    progress: Progress,
) -> tuple[list[Sample], NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the chosen samples that can be read, their pixels, and those of the others."""
    hint = {sample.sha256: sample.path for sample in (*chosen, *compared)}
    found = locate_files(root, hint.keys(), hint=hint, progress=progress)
    missing = [sample for sample in chosen if sample.sha256 not in found]
    if missing:
        raise DatasetError(
            f"{root}: {len(missing)} of {len(chosen)} calibration images are missing (such as "
            f"{missing[0].path}); name the folder of the training images with --data"
        )
    compared = [sample for sample in compared if sample.sha256 in found]
    progress.stage("Reading calibration images", total=len(chosen) + len(compared))
    pixels, errors = read_images(chosen, found, spec=spec, detector=detector, progress=progress)
    for error in errors.values():
        progress.note(f"warning: {error}; int8 is calibrated without it")
    if len(errors) == len(chosen):
        raise DatasetError(f"{root}: none of the {len(chosen)} calibration images can be read")
    rest, _ = read_images(compared, found, spec=spec, detector=detector, progress=progress)
    return [sample for sample in chosen if sample not in errors], pixels, rest


def read_images(
    samples: Sequence[Sample],
    found: dict[str, Path],
    *,
    spec: ModelSpec,
    detector: FaceDetector | None,
    progress: Progress,
) -> tuple[NDArray[np.uint8], dict[Sample, ImageError]]:
    """Return the pixels of the samples that can be read, and the errors of the others."""
    pixels = np.empty((len(samples), *spec.input_shape), np.uint8)
    errors: dict[Sample, ImageError] = {}
    for number, sample in enumerate(samples):
        try:
            row = preprocess(found[sample.sha256], spec, detector=detector)
            pixels[number - len(errors)] = row
        except ImageError as error:
            errors[sample] = error
        progress.advance()
    return pixels[: len(samples) - len(errors)], errors


def _compare(pixels: NDArray[np.uint8], rest: NDArray[np.uint8]) -> dict[str, float]:
    """Return mean and spread (standard deviation) of calibration and training set, in [0, 1].

    The training set is represented by the calibration images and as many others.
    """
    everything = np.concatenate([pixels, rest])
    return {
        "mean": round(float(pixels.mean()) / 255, 4),
        "spread": round(float(pixels.std()) / 255, 4),
        "training_mean": round(float(everything.mean()) / 255, 4),
        "training_spread": round(float(everything.std()) / 255, 4),
    }


def _list_warnings(facts: dict[str, Any]) -> list[str]:
    found = []
    if facts["count"] < FEW:
        found.append(
            f"int8 was calibrated on only {plural(facts['count'], 'image')}; with fewer than {FEW} "
            "its ranges are guesses"
        )
    for measure, word in (("mean", "darker"), ("spread", "flatter")):
        value, training = facts[measure], facts[f"training_{measure}"]
        if value < MUCH * training:
            found.append(
                f"the int8 calibration images are much {word} than the training set ({measure} "
                f"{value:.2f} against {training:.2f}); try another --seed"
            )
    return found
