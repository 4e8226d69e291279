"""edgeemo: from a folder of faces to a verified happy/sad classifier on a Raspberry Pi.

    >>> import edgeemo
    >>> classifier = edgeemo.Classifier.load("happy-sad")
    >>> prediction = classifier.predict("face.jpg")  # doctest: +SKIP
    >>> prediction.label, prediction.score  # doctest: +SKIP
    ('happy', 0.97265625)

Functions do what the commands of the same names do: `train`, `export`, `adopt`, `verify`,
`diagnose`, `evaluate`, `compare` and `bundle`. All but `compare` are packages, too, which hold
their options:
``edgeemo.train("faces", "models/mine", options=edgeemo.train.TrainOptions(epochs=9))``.

A name is imported when it is used: a device loads none of the training.
"""

from __future__ import annotations

TYPE_CHECKING = False  # without the import of typing, which would be the slowest thing here
if TYPE_CHECKING:
    from edgeemo.adopt import adopt
    from edgeemo.bundle import make_bundle as bundle
    from edgeemo.diagnose import diagnose
    from edgeemo.errors import EdgeEmoError
    from edgeemo.evaluate import compare, evaluate
    from edgeemo.export import export
    from edgeemo.model.face_request import FaceRequest
    from edgeemo.model.spec import ModelSpec
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.prediction import ImageResult, Prediction
    from edgeemo.serve.client import Client
    from edgeemo.train import train
    from edgeemo.verify import verify

__version__ = "0.1.0"
__all__ = [
    "Classifier",
    "Client",
    "EdgeEmoError",
    "FaceRequest",
    "ImageResult",
    "ModelSpec",
    "Prediction",
    "__version__",
    "adopt",
    "bundle",
    "compare",
    "diagnose",
    "evaluate",
    "export",
    "train",
    "verify",
]

_HOMES = {
    "Classifier": "edgeemo.runtime.classifier",
    "Client": "edgeemo.serve.client",
    "EdgeEmoError": "edgeemo.errors",
    "FaceRequest": "edgeemo.model.face_request",
    "ImageResult": "edgeemo.runtime.prediction",
    "ModelSpec": "edgeemo.model.spec",
    "Prediction": "edgeemo.runtime.prediction",
    "compare": "edgeemo.evaluate",
}
_CALLABLE_PACKAGES = ("adopt", "bundle", "diagnose", "evaluate", "export", "train", "verify")


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _CALLABLE_PACKAGES:
        return import_module(f"edgeemo.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'edgeemo' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
