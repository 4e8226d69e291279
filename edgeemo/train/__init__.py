"""Train a network on a folder of images, or import a Keras model; write a model folder.

Needs the `train` extra. A name is imported when it is used: the options of a training cost no more
than the standard library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use, make_callable

if TYPE_CHECKING:
    from edgeemo.train.import_model import ImportOptions, import_keras_model
    from edgeemo.train.job import TrainedModel
    from edgeemo.train.networks.architectures import ARCHITECTURES, build
    from edgeemo.train.options.choices import (
        Augment,
        Loss,
        Metric,
        Optimizer,
        Schedule,
        Split,
        Weights,
    )
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.train.options.recipes import RECIPES
    from edgeemo.train.training import resume, train

__all__ = [
    "ARCHITECTURES",
    "RECIPES",
    "Augment",
    "ImportOptions",
    "Loss",
    "Metric",
    "Optimizer",
    "Schedule",
    "Split",
    "TrainOptions",
    "TrainedModel",
    "Weights",
    "build",
    "import_keras_model",
    "resume",
    "train",
]

__getattr__ = import_on_use(
    __name__,
    {
        "ARCHITECTURES": "edgeemo.train.networks.architectures",
        "RECIPES": "edgeemo.train.options.recipes",
        "Augment": "edgeemo.train.options.choices",
        "Loss": "edgeemo.train.options.choices",
        "Metric": "edgeemo.train.options.choices",
        "Optimizer": "edgeemo.train.options.choices",
        "Schedule": "edgeemo.train.options.choices",
        "Split": "edgeemo.train.options.choices",
        "Weights": "edgeemo.train.options.choices",
        "TrainOptions": "edgeemo.train.options.options",
        "TrainedModel": "edgeemo.train.job",
        "build": "edgeemo.train.networks.architectures",
        "ImportOptions": "edgeemo.train.import_model",
        "import_keras_model": "edgeemo.train.import_model",
        "resume": "edgeemo.train.training",
        "train": "edgeemo.train.training",
    },
)

make_callable(__name__)
