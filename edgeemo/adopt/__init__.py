"""Adopt a finished .tflite or .onnx file of somebody else: check it, add spec and checksum.

There is no reference model to verify it against. No TensorFlow. A name is imported when it is used.

>>> from edgeemo.adopt import AdoptOptions, adopt
>>> options = AdoptOptions(labels=("happy", "sad"), scale=(1 / 255,))
>>> adopt("model.tflite", "models/theirs", options=options).file  # doctest: +SKIP
'float32.tflite'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use, make_callable

if TYPE_CHECKING:
    from edgeemo.adopt.adopting import AdoptedModel, adopt
    from edgeemo.adopt.options import AdoptOptions

__all__ = ["AdoptOptions", "AdoptedModel", "adopt"]

__getattr__ = import_on_use(
    __name__,
    {
        "AdoptOptions": "edgeemo.adopt.options",
        "AdoptedModel": "edgeemo.adopt.adopting",
        "adopt": "edgeemo.adopt.adopting",
    },
)

make_callable(__name__)
