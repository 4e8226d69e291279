"""Train a network on a folder of pictures, or take in one trained elsewhere; write a model folder.

Needs the `train` extra.
"""

from edgeemo.train.adoption import adopt
from edgeemo.train.architectures import ARCHITECTURES, build
from edgeemo.train.trainer import TrainOptions, train

__all__ = ["ARCHITECTURES", "TrainOptions", "adopt", "build", "train"]
