"""Names to choose from, of the options of a training. Standard library only."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """Who chooses the options that are not given."""

    AUTO = "auto"
    """The training, from the images; see `edgeemo.train.auto`."""
    PLAIN = "plain"
    """Nobody: they keep their defaults."""


class Split(StrEnum):
    """How images are split into training, validation and test."""

    GROUPED = "grouped"
    """Duplicates are left out, and near-duplicates stay within one split."""
    RANDOM = "random"
    """By chance, duplicates and near-duplicates included."""


class Augment(StrEnum):
    """Augmentation of the training images; `edgeemo.train.data.augmentations` has the ranges."""

    NONE = "none"
    LIGHT = "light"
    STRONG = "strong"
    CAMERA = "camera"


class Loss(StrEnum):
    """Loss function; see `edgeemo.train.loop.losses.loss`."""

    BCE = "bce"
    FOCAL = "focal"


class Optimizer(StrEnum):
    """Optimiser; see `edgeemo.train.loop.losses.optimizer`."""

    ADAM = "adam"
    ADAMW = "adamw"
    SGD = "sgd"
    RMSPROP = "rmsprop"


class Schedule(StrEnum):
    """Course of the learning rate; see `edgeemo.train.loop.losses.optimizer`."""

    CONSTANT = "constant"
    COSINE = "cosine"
    STEP = "step"


class Metric(StrEnum):
    """Metric recorded after every epoch; see `edgeemo.train.loop.tracking.metrics`."""

    PRECISION = "precision"
    RECALL = "recall"
    BINARY_ACCURACY = "binary_accuracy"
    AUC = "auc"


class Weights(StrEnum):
    """Initial weights, besides those of a folder or file."""

    NONE = "none"
    """Random weights."""
    IMAGENET = "imagenet"
    """Those of a backbone that Keras publishes."""
    HAPPY_SAD = "happy-sad"
    """Those of the shipped model of that name."""


class WorkerRange(str):
    """Smallest and largest number of workers, as in "2..8".

    Raises:
        ValueError: If the text is no such range.
    """

    def __init__(self, text: str) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError(text)

    @property
    def low(self) -> int:
        """Return the smallest number."""
        return int(self.partition("..")[0])

    @property
    def high(self) -> int:
        """Return the largest number."""
        return int(self.partition("..")[2])
