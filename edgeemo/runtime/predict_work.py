"""Predictions as work of `edgeemo.bulk`: of images by their paths, or by addresses in buckets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.bulk.work import Work
from edgeemo.imaging.faces import Face
from edgeemo.runtime.classifier import Classifier
from edgeemo.runtime.prediction import ImageResult, Prediction
from edgeemo.runtime.stream import predict_images
from edgeemo.utils.files import sha256_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edgeemo.model.detector_file import DetectorFile


class PredictWork(Work[str, ImageResult]):
    """Predicts images. Its pickle holds the bytes of the model, whose file no node needs.

    Args:
        classifier: The model, of an exported file.
        detector_file: The face detector's own file, where it has one.
    """

    def __init__(self, classifier: Classifier, detector_file: DetectorFile | None = None) -> None:
        self._classifier: Classifier | None = classifier
        self._path, self._verified = classifier.path, classifier.verified
        self._threads, self._spec = classifier.threads, classifier.spec
        self._detector_file = detector_file
        self._content = b""
        self._folder = os.getcwd()  # noqa: PTH109

    def __getstate__(self) -> dict[str, Any]:
        content = self._content or Path(self._path).read_bytes()
        return {**vars(self), "_classifier": None, "_content": content}

    def describe(self) -> Mapping[str, object]:
        """See `edgeemo.bulk.work.Work`."""
        from edgeemo.utils.serialize import to_plain

        return {
            "work": "predict",
            "model_sha256": sha256_file(Path(self._path)),
            "faces": to_plain(self._spec.faces),
        }

    def open(self) -> None:
        """See `edgeemo.bulk.work.Work`."""
        if self._classifier is None:
            from edgeemo.model.container import unseal_bytes

            self._classifier = Classifier.from_model(
                unseal_bytes(self._content, name=self._path),
                faces=self._spec.faces,
                detector_file=self._detector_file,
                verified=self._verified,
                threads=self._threads,
            )

    def run(self, items: Iterable[str], *, workers: int) -> Iterator[ImageResult]:
        """See `edgeemo.bulk.work.Work`; the items are paths, or addresses in buckets."""
        assert self._classifier is not None
        return predict_images(self._classifier, items, workers=workers, may_fork=True)

    def fail(self, item: str, reason: str) -> ImageResult:
        """See `edgeemo.bulk.work.Work`."""
        return ImageResult(source=item, error=f"{item}: {reason}", ms=0.0)

    def to_table(self, results: Sequence[ImageResult]) -> Any:
        """Return a row per image, with a list of predictions."""
        import pyarrow

        rows = [
            {
                "file": each.source,
                "error": each.error,
                "ms": each.ms,
                "predictions": [
                    {
                        "label": one.label,
                        "score": one.score,
                        "guess": one.guess,
                        "scores": [*one.scores.values()],
                        "box": list(one.face) if one.face else None,
                    }
                    for one in each.predictions
                ],
            }
            for each in results
        ]
        return pyarrow.Table.from_pylist(rows)

    def from_table(self, table: Any) -> list[ImageResult]:
        """See `edgeemo.bulk.work.Work`."""
        return [
            ImageResult(
                source=row["file"],
                error=row["error"],
                ms=row["ms"],
                predictions=tuple(
                    Prediction(
                        label=one["label"],
                        score=one["score"],
                        guess=one["guess"],
                        scores=dict(zip(self._spec.labels, one["scores"], strict=True)),
                        face=Face(*one["box"]) if one["box"] else None,
                    )
                    for one in row["predictions"]
                ),
            )
            for row in table.to_pylist()
        ]
