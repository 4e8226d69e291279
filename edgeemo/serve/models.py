"""The model that predicts, and the verified ones that can take its place."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import EdgeEmoError
from edgeemo.model.folder import SHIPPED_MODELS, ModelFolder, shipped_folder
from edgeemo.model.verified import is_verified
from edgeemo.runtime.classifier import Classifier
from edgeemo.serve.problems import ProblemError
from edgeemo.utils.files import sha256_file
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from edgeemo.model.face_request import FaceRequest


class Models:
    """The model that predicts.

    No path comes from a request: a model is chosen by a name of `list_names`.

    Args:
        classifier: The first one.
        folder: Folder of model folders, beside the shipped ones.
        faces: Requested changes to the face settings of every model.
        threads: Threads per prediction; None for the recorded ones.

    Attributes:
        classifier: The present one.
        name: Its name.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        folder: Path,
        faces: FaceRequest | None = None,
        threads: int | None = None,
    ) -> None:
        self.classifier, self.name = classifier, _name(Path(classifier.path))
        self._folder, self._faces, self._threads = folder, faces, threads
        self._first = Path(classifier.path).parent

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
        """Return the names of the models that can be chosen; it reads their files."""
        return sorted(self._find_files())

    def switch(self, name: str) -> Classifier:
        """Load another model; the present one stays until the other is ready.

        Raises:
            ProblemError: 404 if there is none of this name, 422 if it cannot be used or is not
                verified.
        """
        path = self._find_files(verified=False).get(name)
        if path is None:
            raise ProblemError(
                HTTPStatus.NOT_FOUND, "there is no model of this name; /v1/info lists all"
            )
        try:
            classifier = Classifier.load(path, threads=self._threads, faces=self._faces)
        except (EdgeEmoError, OSError) as error:
            text = one_line(error).replace(str(path), name)
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, text) from None
        if not classifier.verified:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"{name} is not verified, or was changed since: run 'edgeemo verify'",
            )
        self.classifier, self.name = classifier, name
        return classifier

    def _find_files(self, *, verified: bool = True) -> dict[str, Path]:
        """Return exported files by name, perhaps the verified ones alone."""
        folders = [shipped_folder(name) for name in SHIPPED_MODELS]
        folders += [ModelFolder(path) for path in sorted(self._folder.glob("[!.]*/"))]
        folders.append(ModelFolder(self._first))
        files = [file for folder in folders for file in folder.list_exported()]
        return {_name(file): file for file in files if not verified or _is_verified(file)}


def _name(path: Path) -> str:
    return f"{path.parent.resolve().name}/{path.name}"


def _is_verified(path: Path) -> bool:
    try:
        return is_verified(path, sha256=sha256_file(path))
    except OSError:
        return False
