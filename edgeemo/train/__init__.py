"""Train a network on a folder of pictures, or take in one trained elsewhere; write a model folder.

Needs the `train` extra.
"""

from edgeemo.train.adoption import adopt
from edgeemo.train.architectures import ARCHITECTURES, build
from edgeemo.train.options import TrainOptions
from edgeemo.train.recipes import RECIPES
from edgeemo.train.trainer import resume, train

__all__ = ["ARCHITECTURES", "RECIPES", "TrainOptions", "adopt", "build", "resume", "train"]
