"""Adopt a finished .tflite or .onnx file of somebody else: check it, add spec and checksum.

There is no reference model to verify it against. No TensorFlow.

>>> from edgeemo.adopt import AdoptOptions, adopt
>>> options = AdoptOptions(labels=("happy", "sad"), scale=(1 / 255,))
>>> adopt("model.tflite", "models/theirs", options=options).file  # doctest: +SKIP
'float32.tflite'
"""

from edgeemo.adopt.adopting import AdoptedModel, adopt
from edgeemo.adopt.options import AdoptOptions
from edgeemo.utils.lazy import make_callable

__all__ = ["AdoptOptions", "AdoptedModel", "adopt"]

make_callable(__name__)
