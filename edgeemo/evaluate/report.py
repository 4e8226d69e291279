"""The result of an evaluation, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.metrics import CalibrationError, ClassMetrics, Interval, ReliabilityBin

MOST_MISTAKES = 24
"""Largest number of wrong predictions in a report."""

MOST_WITHHELD = 12
"""Largest number of images without a predicted label in a report."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Coverage and accuracy on some images.

    Attributes:
        n: Number of images that can be read, of classes that the model knows.
        coverage: Share of them for which the model predicts a label.
        accuracy: Share of the predicted labels that are right.
        right_of_all: Share of all `n` images whose predicted label is right.
    """

    n: int
    coverage: Interval
    accuracy: Interval
    right_of_all: Interval


@dataclass(frozen=True, kw_only=True)
class ShownImage:
    """An image that is worth a look, with its prediction.

    Attributes:
        path: Path of the image relative to the data folder.
        truth: Label of the image.
        prediction: The predicted label, or what is predicted instead of one.
        confidence: Probability of the most probable class, 0 to 1; 0 without a prediction.
        box: Left, top, width and height of the face, in pixels of the upright image; None where the
            image was taken whole, or has no face.
    """

    path: str
    truth: str
    prediction: str
    confidence: float
    box: tuple[int, int, int, int] | None


@dataclass(frozen=True, kw_only=True)
class UnreadableImage:
    """An image that cannot be read.

    Attributes:
        path: Path relative to the data folder.
        reason: Why.
    """

    path: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The images that have something in common.

    Attributes:
        name: What they have in common: a sub-folder, or a value of a column.
        quality: Coverage and accuracy on them.
        is_worse: Whether their accuracy, with its whole interval, is below that of all images.
    """

    name: str
    quality: Quality
    is_worse: bool


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The quality of a model on a labelled folder.

    Attributes:
        model: The exported file, or the folder's reference model.
        sha256: SHA-256 of the file, hexadecimal; "" of a reference model.
        data: The folder or .zip of the images.
        split: The split of the folder that was evaluated; "" for all images.
        labels: The classes of the model, without a background class.
        detects_faces: Whether faces were detected; False took every image whole.
        overall: Coverage and accuracy on all images.
        withheld: Number of images without a predicted label, by what is predicted instead:
            "no face", "not sure", or the model's background label.
        guesses: Accuracy of the most probable label, over all images with a prediction; the same as
            the accuracy where nothing is "not sure".
        balanced_accuracy: Mean over the classes of the share of right labels.
        per_class: Metrics of each label, over the images with a predicted label.
        auc: Area under the ROC curve over all images with a prediction; None with fewer than two
            classes.
        calibration: Mean gap between confidence and accuracy, over all images with a prediction;
            None without one. With a background class, the confidence is that of the most probable
            other class among these.
        reliability: Bins of the reliability diagram.
        confusion: Label of the image to prediction to number of images.
        unknown: Class folder that is no class of the model, or its background class, to prediction
            to number of images.
        unknown_withheld: Share of the images of those classes for which no label is predicted; None
            without such images.
        mistakes: The most confident wrong predictions.
        mistake_count: Number of wrong predictions.
        withheld_images: Some of the images without a predicted label.
        slices: The slices, the worst first; () where none were requested.
        unreadable: The images that cannot be read.
        trained_on: Number of images that the model was trained on or that chose its epoch; None
            where the model's folder does not tell.
        images_per_second: Rate of predictions of this run, without those of one that it continues.
        notes: What else there is to know, in sentences.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("version",)
    version: ClassVar[int] = 1

    model: str
    sha256: str
    data: str
    split: str
    labels: tuple[str, ...]
    detects_faces: bool
    overall: Quality
    withheld: Mapping[str, int]
    guesses: Interval
    balanced_accuracy: Interval
    per_class: Mapping[str, ClassMetrics]
    auc: Interval | None
    calibration: CalibrationError | None
    reliability: tuple[ReliabilityBin, ...]
    confusion: Mapping[str, Mapping[str, int]]
    unknown: Mapping[str, Mapping[str, int]]
    unknown_withheld: Interval | None
    mistakes: tuple[ShownImage, ...]
    mistake_count: int
    withheld_images: tuple[ShownImage, ...]
    slices: tuple[Slice, ...]
    unreadable: tuple[UnreadableImage, ...]
    trained_on: int | None
    images_per_second: float
    notes: tuple[str, ...]
