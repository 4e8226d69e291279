"""The exported files in the engines that ship."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.engines.load import load_engine
from edgeemo.engines.trial import try_model
from edgeemo.errors import EdgeEmoError, EngineError, MissingExtraError, SpecError
from edgeemo.model.container import unseal
from edgeemo.model.spec import Provenance
from edgeemo.utils.redirect import drop_output
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.engines.base import Engine
    from edgeemo.model.container import SealedModel
    from edgeemo.model.spec import ModelSpec


class Candidate:
    """An exported file under verification. A file that cannot be run keeps the error.

    Args:
        path: The exported file.
        spec: Spec of the model folder; that of the file must equal it, except for provenance.
        n: Number of images.

    Attributes:
        path: The exported file.
        model: The opened file, or None if it cannot be read.
        engine: The engine that runs it, or None.
        error: Why it cannot be run, or None.
        scores: (n, K) float64 probabilities; a row is NaN before its prediction.
    """

    def __init__(self, path: Path, spec: ModelSpec, *, n: int) -> None:
        self.path = path
        self.model: SealedModel | None = None
        self.engine: Engine | None = None
        self.error: EdgeEmoError | None = None
        self.scores: NDArray[np.float64] = np.full((n, len(spec.labels)), np.nan)
        try:
            self.model = unseal(path)
            _require_same(self.model.spec, spec, path)
            try_model(self.model)
            with drop_output():
                self.engine = load_engine(self.model)
        except (EngineError, SpecError, MissingExtraError) as error:
            self.error = error

    def predict(self, row: int, pixels: NDArray[np.uint8]) -> None:
        """Predict one image into `scores`; do nothing once the file has failed.

        Args:
            row: Number of the image, 0 to n - 1.
            pixels: Output of `edgeemo.imaging.preprocess.preprocess`: (H, W, C) uint8.
        """
        if self.engine is None or self.model is None or self.error is not None:
            return
        try:
            self.scores[row] = self.model.spec.scores(self.engine.run(pixels))
        except EngineError as error:
            self.error = error
            return
        except Exception as error:  # memory above all
            reason = one_line(error)
            self.error = EngineError(f"{self.path}: the engine fails to predict: {reason}")
            return
        if not np.isfinite(self.scores[row]).all():
            self.error = EngineError(f"{self.path}: predicts NaN or infinity")


def _require_same(spec: ModelSpec, expected: ModelSpec, path: Path) -> None:
    if replace(spec, provenance=Provenance()) != replace(expected, provenance=Provenance()):
        names = [
            name
            for name in spec.__dataclass_fields__
            if name != "provenance" and getattr(spec, name) != getattr(expected, name)
        ]
        raise SpecError(
            f"{path}: its spec differs from that of the model folder in {', '.join(names)}; "
            "export it again"
        )
