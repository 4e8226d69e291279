"""Classifier: load an exported file, answer pictures."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.container import unseal
from edgeemo.preprocess import preprocess
from edgeemo.runtime.engine import load_engine
from edgeemo.verified import is_verified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.preprocess import Source
    from edgeemo.runtime.engine import Engine
    from edgeemo.spec import ModelSpec


@dataclass(frozen=True)
class Prediction:
    """The answer to one picture.

    Attributes:
        label: The class answered, or `edgeemo.spec.NOT_SURE`, which is no class, where the model
            has a least confidence and `score` is below it.
        score: The probability of `guess`, 0 to 1.
        scores: The probability of every label, in the model's order.
        guess: The class that would be answered without a least confidence; `label` where sure.
    """

    label: str
    score: float
    scores: dict[str, float]
    guess: str

    @property
    def sure(self) -> bool:
        """Whether a class is answered."""
        return self.label == self.guess


class Classifier:
    """A model ready to answer.

    Args:
        spec: How to feed it and read its answer.
        engine: What runs it.
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
        verified: bool = False,
        path: str = "",
        threads: int = 1,
    ) -> None:
        self.spec = spec
        self.engine = engine
        self.verified = verified
        self.path = path
        self.threads = threads

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int | None = None) -> Classifier:
        """Load an exported file, or a model folder's default file.

        Args:
            path: A ``.tflite`` or ``.onnx`` file that edgeemo exported, or a model folder.
            threads: Threads that one answer may use; at least 1. By default those recorded with
                the folder's default file, else 1.

        Raises:
            EngineError: If the file cannot be read, is damaged, or its engine refuses it.
            SpecError: If the file carries no spec.
            MissingExtraError: If the engine is not installed.
            ModelFolderError: If the folder holds no exported file, or its default cannot be used.
        """
        recorded = 1
        if os.path.isdir(path):  # noqa: PTH112
            path, recorded = _default(path)
        threads = threads or recorded
        model = unseal(path)
        return cls(
            model.spec,
            load_engine(model, threads=threads),
            verified=is_verified(model.path, sha256=model.sha256),
            path=model.path,
            threads=threads,
        )

    def predict(self, source: Source) -> Prediction:
        """Answer one picture.

        Args:
            source: A path, the bytes of a picture file, a Pillow image, or an (H, W, 3) uint8
                RGB array.

        Raises:
            ImageError: If it is not a picture, is damaged or too large.
        """
        return self.predict_pixels(preprocess(source, self.spec))

    def predict_pixels(self, pixels: NDArray[np.uint8]) -> Prediction:
        """Answer what `edgeemo.preprocess.preprocess` gave: (H, W, C) uint8."""
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
            verified=self.verified,
            path=self.path,
            threads=self.threads,
        )

    def predict_many(self, sources: Iterable[Source]) -> Iterator[Prediction]:
        """Answer pictures one after the other as they are asked for, in constant memory.

        Raises:
            ImageError: At the first picture that cannot be read.
        """
        return map(self.predict, sources)


def _default(folder: str | os.PathLike[str]) -> tuple[os.PathLike[str], int]:
    """The file and the threads that a model folder answers with."""
    from pathlib import Path  # slow to import, and not needed where a file was named

    from edgeemo.folder import ModelFolder

    default = ModelFolder(Path(folder)).default()
    return default.file, default.threads
