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
        label: The class answered.
        score: Its probability, 0 to 1.
        scores: The probability of every label, in the model's order.
    """

    label: str
    score: float
    scores: dict[str, float]


class Classifier:
    """A model ready to answer.

    Args:
        spec: How to feed it and read its answer.
        engine: What runs it.
        verified: Whether these bytes passed the verification against the original.
        path: The file it came from.

    Example:
        >>> classifier = Classifier.load("models/happy-sad/int8.tflite")  # doctest: +SKIP
        >>> classifier.predict("face.jpg").label  # doctest: +SKIP
        'happy'
    """

    def __init__(
        self, spec: ModelSpec, engine: Engine, *, verified: bool = False, path: str = ""
    ) -> None:
        self.spec = spec
        self.engine = engine
        self.verified = verified
        self.path = path

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int = 1) -> Classifier:
        """Load an exported file, or a model folder's default file.

        Args:
            path: A ``.tflite`` or ``.onnx`` file that edgeemo exported, or a model folder.
            threads: Threads that one answer may use; at least 1.

        Raises:
            EngineError: If the file cannot be read, is damaged, or its engine refuses it.
            SpecError: If the file carries no spec.
            MissingExtraError: If the engine is not installed.
            ModelFolderError: If the folder holds no exported file.
        """
        model = unseal(_default_file(path) if os.path.isdir(path) else path)  # noqa: PTH112
        return cls(
            model.spec,
            load_engine(model, threads=threads),
            verified=is_verified(model.path, sha256=model.sha256),
            path=model.path,
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
        scores = self.spec.scores(self.engine.run(pixels))
        answer = self.spec.decide(scores)
        return Prediction(
            self.spec.labels[answer],
            scores[answer],
            dict(zip(self.spec.labels, scores, strict=True)),
        )

    def predict_many(self, sources: Iterable[Source]) -> Iterator[Prediction]:
        """Answer pictures one after the other as they are asked for, in constant memory.

        Raises:
            ImageError: At the first picture that cannot be read.
        """
        return map(self.predict, sources)


def _default_file(folder: str | os.PathLike[str]) -> os.PathLike[str]:
    from pathlib import Path  # slow to import, and not needed where a file was named

    from edgeemo.folder import ModelFolder

    return ModelFolder(Path(folder)).default_file()
