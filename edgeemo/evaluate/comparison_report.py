"""The result of a comparison, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.evaluate.report import Quality
    from edgeemo.metrics import Interval, PairedAccuracy

SIGNIFICANT = 0.05
"""Probability of a difference by chance alone, below which it counts as shown."""

MOST_DISAGREEMENTS = 24
"""Largest number of disagreements in a report."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """The time of a prediction, as ``edgeemo bench`` measured it.

    Attributes:
        median_ms: Median of a warm prediction, from an image's bytes to the label.
        threads: Threads per prediction.
        machine: The processor or board.
    """

    median_ms: float
    threads: int
    machine: str


@dataclass(frozen=True, kw_only=True)
class ComparedModel:
    """A model of a comparison.

    Attributes:
        name: What the tables call it, which no other model of the comparison is called.
        path: The exported file, or the Keras file.
        sha256: SHA-256 of the file, hexadecimal; "" of a Keras file.
        size_bytes: Size of the file.
        verified: Whether it is verified.
        detects_faces: Whether faces were detected; False took every image whole.
        quality: Coverage and accuracy.
        balanced_accuracy: Mean of the accuracy over the classes.
        latency: The time of a prediction; None where it was not benched.
        trained_on: Number of the images that it was trained on; None where its folder does not
            tell.
    """

    name: str
    path: str
    sha256: str
    size_bytes: int
    verified: bool
    detects_faces: bool
    quality: Quality
    balanced_accuracy: Interval
    latency: Latency | None
    trained_on: int | None


@dataclass(frozen=True, kw_only=True)
class PairedComparison:
    """The first model against another, on the images for which both predict a class.

    Attributes:
        reference: Name of the first model.
        candidate: Name of the other.
        n: Number of those images.
        paired: Accuracy of both on them.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("verdict",)

    reference: str
    candidate: str
    n: int
    paired: PairedAccuracy

    @property
    def p_text(self) -> str:
        """Return McNemar's p-value as text: "= 0.032" or "< 0.001"."""
        p = self.paired.mcnemar_p
        return "< 0.001" if p < 0.001 else f"= {p:.2g}"

    @property
    def verdict(self) -> str:
        """Return the outcome as a sentence without its full stop."""
        extra, p = -self.paired.net_extra_errors, self.paired.mcnemar_p
        chance = f"(p {self.p_text})"
        if not self.n:
            return f"no image gets a class from both {self.candidate} and {self.reference}"
        if p >= SIGNIFICANT:
            return (
                f"{self.n:,} images do not show which of {self.candidate} and {self.reference} is "
                f"better {chance}"
            )
        word = "more" if extra > 0 else "fewer"
        return (
            f"{self.candidate} is {'better' if extra > 0 else 'worse'} than {self.reference}: "
            f"{abs(extra):,} {word} of {self.n:,} images right {chance}"
        )


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """An image that some of the models predict rightly.

    Attributes:
        path: Path of the image relative to the data folder.
        truth: Label of the image.
        predictions: Name of each model to its prediction.
        box: Left, top, width and height of the face that a model predicted, in pixels of the
            upright image; None where every model took the image whole.
    """

    path: str
    truth: str
    predictions: Mapping[str, str]
    box: tuple[int, int, int, int] | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Several models on the same images.

    Attributes:
        data: The folder or .zip of the images.
        shared_test: Whether the images are the test images that the models share.
        labels: The classes that every model has.
        n: Number of images that can be read.
        models: The models, in the given order.
        pairs: The first model against each other one.
        differences: Option of the training to its value for each model, for the options that
            differ; "" where a model's folder does not tell.
        disagreements: The images that some models predict rightly and others not.
        disagreement_count: Number of those images.
        notes: What else there is to know, in sentences.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("version",)
    version: ClassVar[int] = 1

    data: str
    shared_test: bool
    labels: tuple[str, ...]
    n: int
    models: tuple[ComparedModel, ...]
    pairs: tuple[PairedComparison, ...]
    differences: Mapping[str, tuple[str, ...]]
    disagreements: tuple[Disagreement, ...]
    disagreement_count: int
    notes: tuple[str, ...]
