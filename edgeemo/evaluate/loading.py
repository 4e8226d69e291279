"""Load a model by whatever names it: an exported file, a folder, a Keras file, a shipped model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import EngineError, ModelFolderError
from edgeemo.model.file_kind import describe_foreign
from edgeemo.model.folder import SPEC, ModelFolder, is_shipped_name, shipped_folder
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.files import sha256_file

if TYPE_CHECKING:
    from edgeemo.model.face_request import FaceRequest


def load_classifier(
    model: str | os.PathLike[str], *, threads: int | None = None, faces: FaceRequest | None = None
) -> Classifier:
    """Load an exported file, a model folder's default file, a shipped model or a reference model.

    Args:
        model: A ``.tflite`` or ``.onnx`` file, a model folder, the name of a shipped model, or the
            Keras file of a model folder, which requires TensorFlow.
        threads: As of `Classifier.load`; a reference model takes all cores.
        faces: Requested changes to the model's face settings; None for none.

    Raises:
        ModelFolderError: If there is no such file or folder, or the folder holds no exported file.
        EngineError: As `Classifier.load`, or if the Keras file is not that of a model folder.
        EdgeEmoError: As `Classifier.load`.
    """
    path = Path(model)
    if is_shipped_name(path):
        path = shipped_folder(str(path)).path
    if not path.exists():
        raise ModelFolderError(f"{path}: no such file or folder")
    if is_keras_name(path) and path.is_file():
        return _load_keras(path, faces)
    return Classifier.load(path, threads=threads, faces=faces)


def is_keras_name(path: Path) -> bool:
    """Return whether a path has the suffix of a Keras file."""
    return path.suffix.lower() in (".keras", ".h5", ".hdf5")


def find_folder(classifier: Classifier) -> ModelFolder | None:
    """Return the model folder that a classifier's file is in; None where it is in none."""
    folder = ModelFolder(Path(classifier.path).parent)
    return folder if folder.file(SPEC).is_file() else None


def hash_model(classifier: Classifier) -> str:
    """Return the SHA-256 of a classifier's exported file, hexadecimal; "" of a Keras file."""
    path = Path(classifier.path)
    return sha256_file(path) if path.suffix in (".tflite", ".onnx") else ""


def _load_keras(path: Path, faces: FaceRequest | None) -> Classifier:
    """Load a reference model with the spec.json beside it."""
    from edgeemo.imaging.faces import build_detector
    from edgeemo.model.detector_file import find_detector_file
    from edgeemo.model.keras import find_reference_model
    from edgeemo.model.keras_engine import KerasEngine

    folder = ModelFolder(path.parent)
    if not folder.file(SPEC).exists() or find_reference_model(folder) != path:
        foreign = describe_foreign(path) or "not a Keras model, or a damaged one; save it again"
        raise EngineError(f"{path}: {foreign}")
    cores = os.cpu_count() or 1  # TensorFlow takes them all for one image
    spec = folder.read_spec()
    spec = spec.with_faces(faces) if faces else spec
    detector = None
    if spec.faces is not None:
        file = (faces.file if faces else None) or find_detector_file(spec.faces, folder.path)
        detector = build_detector(spec.faces, file=file)
    return Classifier(
        spec, KerasEngine(folder), detector=detector, verified=True, path=str(path), threads=cores
    )
