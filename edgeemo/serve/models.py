"""The model that predicts; `edgeemo.serve.model_files` lets files take its place."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.serve.problems import ProblemError

if TYPE_CHECKING:
    from edgeemo.runtime.classifier import Classifier


class Models:
    """The model that predicts, and no other.

    Args:
        classifier: The model.

    Attributes:
        classifier: The present one.
        name: Its name.
    """

    def __init__(self, classifier: Classifier) -> None:
        self.classifier, self.name = classifier, name_file(Path(classifier.path))

    def describe(self) -> dict[str, Any]:
        """Return the present model as the value of JSON."""
        classifier = self.classifier
        spec = classifier.spec
        return {
            "name": self.name,
            "labels": list(spec.labels),
            "classes": list(spec.classes),
            "background": spec.background,
            "min_confidence": spec.min_confidence,
            "faces": spec.faces is not None,
            "size": [spec.width, spec.height],
            "channels": spec.channels,
            "engine": classifier.engine.name,
            "verified": classifier.verified,
        }

    def list_names(self) -> list[str]:
        """Return the names of the models that can be chosen; it may read their files."""
        return [self.name]

    def switch(self, name: str) -> Classifier:
        """Load another model; the present one stays until the other is ready.

        Raises:
            ProblemError: 404 if there is none of this name, 422 if it cannot be used or is not
                verified.
        """
        if name != self.name:
            raise make_unknown_error()
        return self.classifier


def name_file(path: Path) -> str:
    """Return the name of the model in an exported file: its folder's and its own."""
    return f"{path.parent.resolve().name}/{path.name}"


def make_unknown_error() -> ProblemError:
    """Return the error about a name that no model has."""
    return ProblemError(HTTPStatus.NOT_FOUND, "there is no model of this name; /v1/info lists all")
