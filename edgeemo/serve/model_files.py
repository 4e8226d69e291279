"""The model that predicts, and the verified files that can take its place."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import EdgeEmoError
from edgeemo.model.folder import SHIPPED_MODELS, ModelFolder, shipped_folder
from edgeemo.model.verified import is_verified
from edgeemo.runtime.classifier import Classifier
from edgeemo.serve.models import Models, make_unknown_error, name_file
from edgeemo.serve.problems import ProblemError
from edgeemo.utils.files import sha256_file
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from edgeemo.model.face_request import FaceRequest


class FileModels(Models):
    """The model that predicts, of a file.

    No path comes from a request: a model is chosen by a name of `list_names`.

    Args:
        classifier: The first one.
        folder: Folder of model folders, beside the shipped ones.
        faces: Requested changes to the face settings of every model.
        threads: Threads per prediction; None for the recorded ones.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        folder: Path,
        faces: FaceRequest | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(classifier)
        self._folder, self._faces, self._threads = folder, faces, threads
        self._first = Path(classifier.path).parent

    def list_names(self) -> list[str]:
        """Return the names of the verified models; it reads their files."""
        return sorted(self._find_files())

    def switch(self, name: str) -> Classifier:
        """Load another verified model; see `Models.switch`."""
        path = self._find_files(verified=False).get(name)
        if path is None:
            raise make_unknown_error()
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
        return {name_file(file): file for file in files if not verified or _is_verified(file)}


def _is_verified(path: Path) -> bool:
    try:
        return is_verified(path, sha256=sha256_file(path))
    except OSError:
        return False
