"""Classifier: load an exported file, predict images."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

from edgeemo.engines.load import load_engine
from edgeemo.errors import EngineError, ImageError, NoFaceError
from edgeemo.imaging.decode import source_name
from edgeemo.imaging.preprocess import preprocess, preprocess_faces
from edgeemo.model.container import unseal
from edgeemo.model.verified import is_verified
from edgeemo.runtime.prediction import STDIN, ImageResult, Prediction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.engines.base import Engine
    from edgeemo.imaging.decode import Source
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.container import SealedModel
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_request import FaceRequest
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.model.spec import ModelSpec


class Classifier:
    """A model ready to predict.

    With face settings it takes every image for a photo: it detects the faces and predicts each.

    Args:
        spec: The model's specification.
        engine: The inference engine.
        detector: The face detector, where `spec` has face settings.
        verified: Whether these bytes passed the verification against the reference model.
        path: The file it came from.
        threads: Number of threads per prediction.

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
        if (spec.faces is None) != (detector is None):
            raise ValueError("a face detector is required with face settings, and only then")
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
            threads: Number of threads per prediction; at least 1. By default that recorded with
                the folder's default file, else 1.
            faces: Requested changes to the model's face settings; None for none.

        Raises:
            EngineError: If the file cannot be read, is damaged, or its engine refuses it; if it is
                not verified and a trial in another process crashes.
            FaceModelError: If its face detector's own file is missing or cannot be used.
            SpecError: If the file carries no spec.
            MissingExtraError: If the engine is not installed.
            ModelFolderError: If the folder holds no exported file, or its default cannot be used.
        """
        recorded = 1
        if os.path.isdir(path):  # noqa: PTH112
            path, recorded = _find_default(path)
        model = unseal(path)
        settings = faces.apply(model.spec.faces) if faces else model.spec.faces
        file = faces.file if faces else None
        if settings is not None and settings.file_sha256 and file is None:
            from edgeemo.model.detector_file import find_detector_file

            file = find_detector_file(settings, os.path.dirname(model.path))  # noqa: PTH120
        verified = is_verified(model.path, sha256=model.sha256)
        if not verified:
            from edgeemo.engines.trial import try_model

            try_model(model)
        return cls.from_model(
            model,
            faces=settings,
            detector_file=file,
            verified=verified,
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
        """Predict one image, or the largest face in it.

        Args:
            source: A path, the bytes of an image file, a Pillow image, or an (H, W, 3) uint8
                RGB array.

        Raises:
            ImageError: If it is not an image, is damaged or too large.
            NoFaceError: If faces are detected and it has none.
        """
        if self.detector is None:
            return self.predict_pixels(preprocess(source, self.spec))
        found = self.predict_all(source)
        if not found:
            raise NoFaceError(f"{source_name(source)}: no face")
        return found[0]

    def predict_all(self, source: Source) -> tuple[Prediction, ...]:
        """Predict every face in an image, the largest first; or the image taken whole.

        Args:
            source: As in `predict`.

        Returns:
            The predictions; none where faces are detected and there is none.

        Raises:
            ImageError: As `predict`.
        """
        if self.detector is None:
            return (self.predict(source),)
        return tuple(
            replace(self.predict_pixels(pixels), face=face)
            for face, pixels in preprocess_faces(source, self.spec, detector=self.detector)
        )

    def predict_result(self, source: Source) -> ImageResult:
        """Predict every face in an image, or record why it cannot be predicted, whatever it is.

        Args:
            source: As in `predict`.
        """
        name = STDIN if isinstance(source, bytes) else source_name(source)
        start = time.perf_counter()
        predictions: tuple[Prediction, ...] = ()
        error = None
        try:
            predictions = self.predict_all(source)
        except ImageError as failure:
            error = str(failure)
        except MemoryError:
            error = f"{name}: there is not enough memory to predict it"
        except Exception as failure:  # one image never ends a run
            from edgeemo.utils.text import one_line

            error = f"{name}: {one_line(failure)}"
        ms = (time.perf_counter() - start) * 1000
        return ImageResult(source=name, predictions=predictions, error=error, ms=ms)

    def predict_pixels(self, pixels: NDArray[np.uint8]) -> Prediction:
        """Predict from preprocessed pixels.

        Args:
            pixels: (H, W, C) uint8, as `edgeemo.imaging.preprocess.preprocess` returns them.

        Raises:
            EngineError: If the engine fails, or an output is not a finite number.
        """
        spec = self.spec
        scores = spec.scores(self.engine.run(pixels))
        if not all(map(isfinite, scores)):
            raise EngineError(f"{self.path}: predicts NaN or infinity")
        decided = spec.decide(scores)
        return Prediction(
            label=spec.choose_label(scores),
            score=scores[decided],
            scores=dict(zip(spec.labels, scores, strict=True)),
            guess=spec.labels[decided],
        )

    def predict_many(self, sources: Iterable[Source]) -> Iterator[Prediction]:
        """Predict images one after the other, lazily and in constant memory.

        Raises:
            ImageError: At the first image that cannot be read, or has no face.
        """
        return map(self.predict, sources)


def _find_default(folder: str | os.PathLike[str]) -> tuple[os.PathLike[str], int]:
    """Return a model folder's default file and its number of threads."""
    from pathlib import Path  # slow to import, and not needed for a single file

    from edgeemo.model.folder import ModelFolder

    default = ModelFolder(Path(folder)).choose_default()
    return default.file, default.threads
