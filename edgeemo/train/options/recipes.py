"""The five published happy/sad projects, each as the options that repeat it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgeemo.errors import TrainingError
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A project to repeat.

    Attributes:
        summary: What it is, in one sentence.
        options: What it sets of `edgeemo.train.TrainOptions`; everything else is as usual.
    """

    summary: str
    options: Mapping[str, Any] = field(default_factory=dict)


_PLAIN = {
    "arch": "cnn-16-32-16",
    "size": 256,
    "channels": 3,
    "epochs": 20,
    "batch_size": 32,
    "optimizer": "adam",
    "loss": "bce",
    "ratios": (0.7, 0.2, 0.1),
    "threshold": 0.5,
}

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "filters-16-32-16": Recipe(
            summary="The common tutorial: three convolutions, 20 epochs of Adam, happy 0, sad 1.",
            options=_PLAIN,
        ),
        "focal": Recipe(
            summary="The same network with focal loss, a TensorBoard log, and precision and "
            "recall kept during training.",
            options={
                **_PLAIN,
                "loss": "focal",
                "tensorboard": Path("logs"),
                "metrics": ("precision", "recall", "binary_accuracy"),
            },
        ),
        "filters-16-32-64": Recipe(
            summary="64 filters in the last convolution, and the labels the other way round: "
            "sad 0, happy 1.",
            options={**_PLAIN, "arch": "cnn-16-32-64", "labels": ("sad", "happy")},
        ),
        "same-padding": Recipe(
            summary="The first convolution padded, and images split 192 : 32 : 32.",
            options={**_PLAIN, "arch": "cnn-16-32-16-same", "ratios": (0.75, 0.125, 0.125)},
        ),
        "augmented-bn-64": Recipe(
            summary="64x64, batch normalisation, augmentation; a fifth of the images is both "
            "validation and test.",
            options={
                **_PLAIN,
                "arch": "cnn-bn-64",
                "size": 64,
                "augment": "light",
                "ratios": (0.8, 0.0, 0.2),
                "save_keras": "happy_sad_model.keras",
            },
        ),
    }
)
"""Name to recipe; iterating gives the names."""


def get_recipe(name: str) -> Recipe:
    """Return the recipe of a name.

    Raises:
        TrainingError: If there is none; the text names the nearest.
    """
    if name not in RECIPES:
        raise TrainingError(describe_unknown("recipe", name, RECIPES))
    return RECIPES[name]
