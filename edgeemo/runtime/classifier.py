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
    from collections.abc import Generator, Iterable, Iterator
    from typing import NoReturn

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.engines.base import Engine
    from edgeemo.imaging.decode import Color, Source
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.container import SealedModel
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_request import FaceRequest
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.model.spec import ModelSpec


class Classifier:
    """A model ready to predict. Threads may share one, and processes that are forked, too.

    With face settings it takes every image for a photo: it detects the faces and predicts each.

    Args:
        spec: The model's specification.
        engine: The inference engine.
        detector: The face detector, where `spec` has face settings.
        verified: Whether these bytes passed the verification against the reference model.
        path: The file it came from.
        threads: Number of threads per prediction.

    Example:
        >>> classifier = Classifier.load("happy-sad")
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
        """Load an exported file, or the default file of a model folder or of a shipped model.

        Args:
            path: A ``.tflite`` or ``.onnx`` file that edgeemo exported; a model folder; or
                "happy-sad" or "emotions".
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
        if not os.path.isfile(path):  # noqa: PTH113
            path, recorded = _find_default(path)
            threads = recorded if threads is None else threads
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
            threads=1 if threads is None else threads,
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
        engine: Engine | None = None,
    ) -> Classifier:
        """Build a classifier from a checked file.

        Args:
            model: The file.
            faces: Face settings that replace the model's; None takes every image whole.
            detector_file: The face detector's own file, where it has one.
            verified: See `Classifier`.
            threads: See `Classifier`.
            engine: The engine to use instead of the file's own.

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
            engine or load_engine(model, threads=threads),
            detector=detector,
            verified=verified,
            path=model.path,
            threads=threads,
        )

    def predict(self, source: Source, *, color: Color | None = None) -> Prediction:
        """Predict one image, or the largest face in it.

        Args:
            source: A path, the bytes of an image file, a file opened with "rb" (read from where it
                stands, and not closed), a Pillow image, or an array of uint8 pixels: (H, W),
                (H, W, 1), (H, W, 3) or (H, W, 4), whose fourth channel is opacity.
            color: Order of an array's channels, "rgb" or "bgr"; required where it has 3 or 4,
                because OpenCV's frames are BGR and most others are RGB. "gray" may be given for 1.

        Raises:
            ImageError: If it is not an image, is damaged or too large.
            ImageTypeError: If it is of another type, an array of another shape, type or range, or
                `color` does not fit it. It is a TypeError, too.
            NoFaceError: If faces are detected and it has none.
        """
        if self.detector is None:
            return self.predict_pixels(preprocess(source, self.spec, color=color))
        found = self.predict_all(source, color=color)
        if not found:
            raise NoFaceError(f"{source_name(source)}: no face")
        return found[0]

    def predict_all(self, source: Source, *, color: Color | None = None) -> tuple[Prediction, ...]:
        """Predict every face in an image, the largest first; or the image taken whole.

        Args:
            source: As in `predict`.
            color: As in `predict`.

        Returns:
            The predictions; none where faces are detected and there is none.

        Raises:
            ImageError: As `predict`.
        """
        if self.detector is None:
            return (self.predict(source, color=color),)
        found = preprocess_faces(source, self.spec, detector=self.detector, color=color)
        return tuple(replace(self.predict_pixels(pixels), face=face) for face, pixels in found)

    def predict_result(self, source: Source, *, color: Color | None = None) -> ImageResult:
        """Predict every face in an image, or record why it cannot be predicted, whatever it is.

        Args:
            source: As in `predict`.
            color: As in `predict`.
        """
        name = STDIN if type(source) is bytes else source_name(source)
        start = time.perf_counter()
        predictions: tuple[Prediction, ...] = ()
        error = None
        try:
            predictions = self.predict_all(source, color=color)
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
        guess = spec.guess(scores)
        return Prediction(
            label=spec.choose_label(scores),
            score=scores[guess],
            scores=dict(zip(spec.labels, scores, strict=True)),
            guess=spec.labels[guess],
        )

    def predict_batch(
        self, sources: Iterable[Source], *, color: Color | None = None, workers: int | None = None
    ) -> list[Prediction]:
        """Predict images, or the largest face in each, in several threads.

        Args:
            sources: Images as in `predict`; an (N, H, W, C) array is N of them.
            color: As in `predict`, for all arrays.
            workers: Number of threads; by default they occupy the cores of this process.

        Returns:
            The predictions, in the order of the images.

        Raises:
            ImageError: As `predict`, of the first image that cannot be predicted.
        """
        from edgeemo.runtime.many import predict_batch

        return predict_batch(self, sources, color=color, workers=workers)

    def predict_many(
        self, sources: Iterable[Source], *, color: Color | None = None
    ) -> Iterator[Prediction]:
        """Predict images one after the other, lazily and in constant memory.

        Args:
            sources: Images as in `predict`.
            color: As in `predict`, for all arrays.

        Raises:
            ImageError: At the first image that cannot be predicted, as `predict`.
        """
        from edgeemo.runtime.many import require_several

        return (self.predict(source, color=color) for source in require_several(sources))

    def predict_results(
        self, sources: Iterable[Source], *, color: Color | None = None, workers: int | None = None
    ) -> Generator[ImageResult]:
        """Predict images in their order; one that cannot be predicted does not stop the rest.

        Lazily, in constant memory, and in several threads. Close the generator to end them early.

        Args:
            sources: Images as in `predict`; they are taken a few ahead of the results.
            color: As in `predict`, for all arrays.
            workers: As in `predict_batch`.

        Yields:
            Per image its predictions, one per face, or the reason why there are none.
        """
        from edgeemo.runtime.many import predict_results

        return predict_results(self, sources, color=color, workers=workers)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Classifier cannot be pickled or copied: threads and forked processes may share it, "
            "other processes call Classifier.load"
        )


def _find_default(path: str | os.PathLike[str]) -> tuple[str | os.PathLike[str], int | None]:
    """Return the default file of a model folder or of a shipped model, and its threads."""
    from pathlib import Path  # slow to import, and not needed for a single file

    from edgeemo.model.folder import SHIPPED_MODELS, ModelFolder, is_shipped_name, shipped_folder
    from edgeemo.utils.text import join_and

    folder = Path(path)
    if is_shipped_name(folder):
        default = shipped_folder(str(folder)).choose_default()
    elif folder.is_dir():
        default = ModelFolder(folder).choose_default()
    elif folder.exists() or folder.suffix:
        return path, None
    else:
        raise EngineError(
            f"{folder}: no such file or folder; the shipped models are {join_and(SHIPPED_MODELS)}"
        )
    return default.file, default.threads
