"""Train a network on a folder of images, or take in one trained elsewhere; write a model folder.

Needs the `train` extra.
"""

from edgeemo.train.import_model import adopt
from edgeemo.train.networks.architectures import ARCHITECTURES, build
from edgeemo.train.options.options import TrainOptions
from edgeemo.train.options.recipes import RECIPES
from edgeemo.train.training import resume, train

__all__ = ["ARCHITECTURES", "RECIPES", "TrainOptions", "adopt", "build", "resume", "train"]
