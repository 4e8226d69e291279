"""Classifier: load an exported file, answer images."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgeemo.engines.load import load_engine
from edgeemo.errors import NoFaceError
from edgeemo.imaging.decode import source_name
from edgeemo.imaging.preprocess import preprocess, preprocess_faces
from edgeemo.model.container import unseal
from edgeemo.model.verified import is_verified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.engines.base import Engine
    from edgeemo.imaging.decode import Source
    from edgeemo.imaging.faces import Face, FaceDetector
    from edgeemo.model.container import SealedModel
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceRequest, FaceSettings
    from edgeemo.model.spec import ModelSpec


@dataclass(frozen=True)
class Prediction:
    """The answer to one image.

    Attributes:
        label: The class answered, or `edgeemo.model.spec.NOT_SURE`, which is no class, where the
            model has a least confidence and `score` is below it.
        score: The probability of `guess`, 0 to 1.
        scores: The probability of every label, in the model's order.
        guess: The class that would be answered without a least confidence; `label` where sure.
        face: Where the face is that was answered, in pixels of the whole upright image; None
            where the image was answered as a whole.
    """

    label: str
    score: float
    scores: dict[str, float]
    guess: str
    face: Face | None = None

    @property
    def sure(self) -> bool:
        """Whether a class is answered."""
        return self.label == self.guess


class Classifier:
    """A model ready to answer.

    With `ModelSpec.faces` it takes every image for a photo: it finds the faces and answers them.

    Args:
        spec: How to feed it and read its answer.
        engine: The inference engine.
        detector: The face detector; required where `spec` has face settings.
        verified: Whether these bytes passed the verification against the original.
        path: The file it came from.
        threads: Threads that one answer may use.

    Example:
        >>> classifier = Classifier.load("models/happy-sad/int8.tflite")  # doctest: +SKIP
        >>> classifier.predict("face.jpg").label  # doctest: +SKIP
        'happy'
    """

    def __init__(
        self,
        spec: ModelSpec,
        engine: Engine,
        *,
        detector: FaceDetector | None = None,
        verified: bool = False,
        path: str = "",
        threads: int = 1,
    ) -> None:
        if spec.faces is not None and detector is None:
            raise ValueError("a specification with face settings requires a face detector")
        self.spec = spec
        self.engine = engine
        self.detector = detector
        self.verified = verified
        self.path = path
        self.threads = threads

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        threads: int | None = None,
        faces: FaceRequest | None = None,
    ) -> Classifier:
        """Load an exported file, or a model folder's default file.

        Args:
            path: A ``.tflite`` or ``.onnx`` file that edgeemo exported, or a model folder.
            threads: Threads that one answer may use; at least 1. By default those recorded with
                the folder's default file, else 1.
            faces: Requested changes to the model's face settings; None for none.

        Raises:
            EngineError: If the file cannot be read, is damaged, or its engine refuses it.
            FaceModelError: If its face detector's own file is missing or cannot be used.
            SpecError: If the file carries no spec.
            MissingExtraError: If the engine is not installed.
            ModelFolderError: If the folder holds no exported file, or its default cannot be used.
        """
        recorded = 1
        if os.path.isdir(path):  # noqa: PTH112
            path, recorded = _default(path)
        model = unseal(path)
        settings = faces.apply(model.spec.faces) if faces else model.spec.faces
        file = faces.file if faces else None
        if settings is not None and file is None:
            from edgeemo.model.detector_file import find_detector_file

            file = find_detector_file(settings, os.path.dirname(model.path))  # noqa: PTH120
        return cls.from_model(
            model,
            faces=settings,
            detector_file=file,
            verified=is_verified(model.path, sha256=model.sha256),
            threads=threads or recorded,
        )

    @classmethod
    def from_model(
        cls,
        model: SealedModel,
        *,
        faces: FaceSettings | None,
        detector_file: DetectorFile | None = None,
        verified: bool = False,
        threads: int = 1,
    ) -> Classifier:
        """Build a classifier from a checked file.

        Args:
            model: The file.
            faces: Face settings that replace the model's; None takes every image whole.
            detector_file: The face detector's own file, where it has one.
            verified: See `Classifier`.
            threads: See `Classifier`.

        Raises:
            EngineError: If the engine refuses the file.
            FaceModelError: As `load`.
            MissingExtraError: If the engine or the face detector is not installed.
        """
        detector = None
        if faces is not None:
            from edgeemo.imaging.faces import build_detector

            detector = build_detector(faces, file=detector_file)
        return cls(
            replace(model.spec, faces=faces),
            load_engine(model, threads=threads),
            detector=detector,
            verified=verified,
            path=model.path,
            threads=threads,
        )

    def predict(self, source: Source) -> Prediction:
        """Answer one image, or the largest face in it.

        Args:
            source: A path, the bytes of an image file, a Pillow image, or an (H, W, 3) uint8
                RGB array.

        Raises:
            ImageError: If it is not an image, is damaged or too large.
            NoFaceError: If faces are to be answered and it has none.
        """
        if self.detector is None:
            return self.predict_pixels(preprocess(source, self.spec))
        found = self.predict_all(source)
        if not found:
            raise NoFaceError(f"{source_name(source)}: no face")
        return found[0]

    def predict_all(self, source: Source) -> tuple[Prediction, ...]:
        """Answer every face in an image, the largest first; or the whole image, which is one.

        Args:
            source: As in `predict`.

        Returns:
            The answers; none where faces are to be answered and there is none.

        Raises:
            ImageError: As `predict`.
        """
        if self.detector is None:
            return (self.predict(source),)
        return tuple(
            replace(self.predict_pixels(pixels), face=face)
            for face, pixels in preprocess_faces(source, self.spec, detector=self.detector)
        )

    def predict_pixels(self, pixels: NDArray[np.uint8]) -> Prediction:
        """Answer what `edgeemo.imaging.preprocess.preprocess` gave: (H, W, C) uint8."""
        spec = self.spec
        scores = spec.scores(self.engine.run(pixels))
        decided = spec.decide(scores)
        return Prediction(
            label=spec.answer(scores),
            score=scores[decided],
            scores=dict(zip(spec.labels, scores, strict=True)),
            guess=spec.labels[decided],
        )

    def twin(self) -> Classifier:
        """A classifier that answers the same in another thread: one may be used by one at a time.

        Raises:
            EngineError: If the model's file is gone.
        """
        return Classifier(
            self.spec,
            self.engine.twin(),
            detector=self.detector,
            verified=self.verified,
            path=self.path,
            threads=self.threads,
        )

    def predict_many(self, sources: Iterable[Source]) -> Iterator[Prediction]:
        """Answer images one after the other as they are asked for, in constant memory.

        Raises:
            ImageError: At the first image that cannot be read, or has no face to answer.
        """
        return map(self.predict, sources)


def _default(folder: str | os.PathLike[str]) -> tuple[os.PathLike[str], int]:
    """The file and the threads that a model folder answers with."""
    from pathlib import Path  # slow to import, and not needed where a file was named

    from edgeemo.model.folder import ModelFolder

    default = ModelFolder(Path(folder)).default()
    return default.file, default.threads
