"""The result of a diagnosis, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Cause(StrEnum):
    """Likely cause of an error of int8."""

    SATURATED = "saturated calibration"
    OUTLIER = "outlier channel"
    STRAY = "stray values"
    LAST_STEPS = "steps of the output"
    HARD_SWISH = "hard-swish"
    COARSE = "coarse steps"
    ACCUMULATED = "accumulated rounding"


@dataclass(frozen=True, kw_only=True)
class LayerDiagnosis:
    """One layer of the network in int8.

    SQNR is the ratio of signal to quantisation noise in dB; None without noise.

    Attributes:
        layer: Name of the layer in Keras.
        low: Smallest value of its output in float.
        high: Largest value of its output in float.
        grid_low: Smallest value that its output can have in int8.
        grid_high: Largest value that its output can have in int8.
        clipped: Share of its values in float that int8 cannot hold; of several tensors the largest.
        own_sqnr_db: SQNR of its own rounding alone; of several tensors the smallest.
        sqnr_db: SQNR of its output with everything before it in int8, too.
        weights_sqnr_db: SQNR of its weights; None also where it has none.
        outlier: Range of its largest channel over that of its median channel.
        channel: Number of that channel.
        alone: Error of the probabilities with this layer alone in int8, as a share of that of
            the whole network in int8. Errors are mean squares of Δp.
        saved: Share of the whole error that goes away with this layer alone in float.
        weights_alone: As `alone`, with its weights alone in int8; None for a small error.
        flips_alone: Number of labels that change with this layer alone in int8.
        flips_without: Number of labels that change with every layer but this one in int8.
        cause: Likely cause of a large error; None for none in particular.
    """

    layer: str
    low: float | None
    high: float | None
    grid_low: float | None
    grid_high: float | None
    clipped: float
    own_sqnr_db: float | None
    sqnr_db: float | None
    weights_sqnr_db: float | None
    outlier: float
    channel: int
    alone: float
    saved: float
    weights_alone: float | None
    flips_alone: int
    flips_without: int
    cause: Cause | None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A likely cause of the error, and its remedy.

    Attributes:
        cause: The cause.
        layers: Layers that it is in, the largest error first; () for all of them.
        share: Their part of the sum of all layers' errors.
        text: The cause in a sentence.
        remedy: What helps, in a sentence.
        command: The command for that.
    """

    cause: Cause
    layers: tuple[str, ...]
    share: float
    text: str
    remedy: str
    command: str


@dataclass(frozen=True, kw_only=True)
class WorstImage:
    """An image with a large difference in probability.

    Attributes:
        path: Path relative to the data folder.
        label: Its class; "" where it is not known.
        float_label: Label predicted by the float32 file.
        float_score: Probability that it gives to that label.
        int8_label: Label predicted by the int8 file.
        int8_score: Probability that it gives to that label.
        difference: Largest `|Δp|` over the labels.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("is_flip",)

    path: str
    label: str
    float_label: str
    float_score: float
    int8_label: str
    int8_score: float
    difference: float

    @property
    def is_flip(self) -> bool:
        """Return whether the label differs."""
        return self.int8_label != self.float_label


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """Where an int8 file departs from the float32 file of the same model.

    Attributes:
        model: The model, as it was named.
        file: Path of the int8 file.
        sha256: SHA-256 of the int8 file, hexadecimal.
        reference: Path of the float32 file.
        n: Number of test images.
        training_n: Number of training images that ranges were measured on; 0 where they were not
            at hand, and the test images took their place.
        flips: Number of test images whose label differs.
        max_difference: Largest `|Δp|` over all images and labels.
        mean_difference: Mean `|Δp|` over all images and labels.
        replay_difference: Largest `|Δp|` between the int8 file and the float network with the same
            roundings, from which the shares of the layers are taken.
        replay_flips: Number of labels that differ between the two.
        layers: The layers, in the order of the network.
        findings: Likely causes, the largest share first.
        worst: Images with the largest differences, flips first.
        notes: What else there is to know, in sentences.
        seconds: Duration of the diagnosis.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("version",)
    version: ClassVar[int] = 1

    model: str
    file: str
    sha256: str
    reference: str
    n: int
    training_n: int
    flips: int
    max_difference: float
    mean_difference: float
    replay_difference: float
    replay_flips: int
    layers: tuple[LayerDiagnosis, ...]
    findings: tuple[Finding, ...]
    worst: tuple[WorstImage, ...]
    notes: tuple[str, ...]
    seconds: float = 0.0
