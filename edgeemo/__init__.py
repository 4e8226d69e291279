"""edgeemo: from a folder of faces to a verified happy/sad classifier on a Raspberry Pi.

The names here are the light ones, loaded when first used:

    >>> from edgeemo import Classifier
    >>> classifier = Classifier.load("models/mine/int8.tflite")  # doctest: +SKIP
    >>> prediction = classifier.predict("face.jpg")  # doctest: +SKIP
    >>> prediction.label, prediction.score  # doctest: +SKIP
    ('happy', 0.97265625)

Training, exporting and verifying are sub-packages: `edgeemo.train`, `edgeemo.export`,
`edgeemo.verify`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # without the import of typing, which would be the slowest thing here
if TYPE_CHECKING:
    from edgeemo.errors import EdgeEmoError
    from edgeemo.model.face_request import FaceRequest
    from edgeemo.model.spec import ModelSpec
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.prediction import Prediction

__version__ = "0.1.0"
__all__ = ["Classifier", "EdgeEmoError", "FaceRequest", "ModelSpec", "Prediction", "__version__"]

_HOMES = {
    "Classifier": "edgeemo.runtime.classifier",
    "Prediction": "edgeemo.runtime.prediction",
    "EdgeEmoError": "edgeemo.errors",
    "FaceRequest": "edgeemo.model.face_request",
    "ModelSpec": "edgeemo.model.spec",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'edgeemo' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
