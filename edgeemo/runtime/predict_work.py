"""Predictions as work of `edgeemo.bulk`: of images by their paths, or by addresses in buckets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.bulk.work import Work, decode_name, encode_name
from edgeemo.imaging.faces import Face
from edgeemo.model.detector_file import find_detector_file
from edgeemo.runtime.classifier import Classifier
from edgeemo.runtime.formats import BOX_COLUMNS
from edgeemo.runtime.prediction import ImageResult, Prediction
from edgeemo.runtime.stream import predict_images
from edgeemo.utils.files import sha256_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edgeemo.imaging.decode import Source
    from edgeemo.model.detector_file import DetectorFile


class PredictWork(Work[str, ImageResult]):
    """Predicts images. Its pickle holds the bytes of the model, whose file no node needs.

    Args:
        classifier: The model, of an exported file.
        detector_file: The face detector's own file, where one was requested; by default the one
            beside the model, where its detector has one.

    Attributes:
        spec: The model's spec.
        threads: Number of threads per prediction.
    """

    def __init__(self, classifier: Classifier, detector_file: DetectorFile | None = None) -> None:
        self._classifier: Classifier | None = classifier
        self._path, self._verified = classifier.path, classifier.verified
        self.threads, self.spec = classifier.threads, classifier.spec
        self._detector_file = detector_file or find_detector_file(
            classifier.spec.faces, Path(classifier.path).parent
        )
        self._content = b""

    def __getstate__(self) -> dict[str, Any]:
        content = self._content or Path(self._path).read_bytes()
        return {**vars(self), "_classifier": None, "_content": content}

    def describe(self) -> Mapping[str, object]:
        """See `edgeemo.bulk.work.Work`."""
        from edgeemo.utils.serialize import to_plain

        return {
            "work": "predict",
            "model_sha256": sha256_file(Path(self._path)),
            "faces": to_plain(self.spec.faces),
        }

    def open(self) -> None:
        """See `edgeemo.bulk.work.Work`."""
        if self._classifier is None:
            from edgeemo.model.container import unseal_bytes

            self._classifier = Classifier.from_model(
                unseal_bytes(self._content, name=self._path),
                faces=self.spec.faces,
                detector_file=self._detector_file,
                verified=self._verified,
                threads=self.threads,
            )

    def run(self, items: Iterable[Source], *, workers: int) -> Iterator[ImageResult]:
        """See `edgeemo.bulk.work.Work`; images that were read already will do, too."""
        assert self._classifier is not None
        return predict_images(self._classifier, items, workers=workers, may_fork=True)

    def fail(self, item: str, reason: str) -> ImageResult:
        """See `edgeemo.bulk.work.Work`."""
        return ImageResult(source=item, error=f"{item}: {reason}", ms=0.0)

    def to_table(self, results: Sequence[ImageResult]) -> Any:
        """Return a row per image, with the columns of CSV; with faces a list of them."""
        import pyarrow

        rows = [self._to_row(each) for each in results]
        return pyarrow.Table.from_pylist(rows, schema=self._make_schema())

    def from_table(self, table: Any) -> list[ImageResult]:
        """See `edgeemo.bulk.work.Work`."""
        return [
            ImageResult(
                source=decode_name(row["file"]),
                error=row["error"] and decode_name(row["error"]),
                ms=row["ms"],
                predictions=tuple(map(self._from_cells, self._list_cells(row))),
            )
            for row in table.to_pylist()
        ]

    def _make_schema(self) -> Any:
        """Return the columns, whose types do not depend on the results."""
        import pyarrow

        text, number = pyarrow.string(), pyarrow.float64()
        scores = [(f"p({label})", number) for label in self.spec.labels]
        cells = [("label", text), ("score", number), ("guess", text), *scores]
        if self.spec.faces:
            box = [(name, pyarrow.int32()) for name in BOX_COLUMNS]
            face = pyarrow.struct([*cells, *box])
            cells = [("faces", pyarrow.list_(face))]
        return pyarrow.schema([("file", text), *cells, ("ms", number), ("error", text)])

    def _to_row(self, result: ImageResult) -> dict[str, object]:
        cells = [_to_cells(each) for each in result.predictions]
        row: dict[str, object] = {
            "file": encode_name(result.source),
            "ms": result.ms,
            "error": result.error and encode_name(result.error),
        }
        if result.error is not None:
            return row
        return row | ({"faces": cells} if self.spec.faces else cells[0])

    def _list_cells(self, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        if row["error"] is not None:
            return []
        return row["faces"] if self.spec.faces else [row]

    def _from_cells(self, cells: Mapping[str, Any]) -> Prediction:
        box = [cells[name] for name in BOX_COLUMNS if self.spec.faces]
        return Prediction(
            label=cells["label"],
            score=cells["score"],
            guess=cells["guess"],
            scores={label: cells[f"p({label})"] for label in self.spec.labels},
            face=Face(*box[:3]) if box else None,
        )


def _to_cells(prediction: Prediction) -> dict[str, object]:
    box = prediction.face.box if prediction.face else ()
    return {
        "label": prediction.label,
        "score": prediction.score,
        "guess": prediction.guess,
        **{f"p({label})": score for label, score in prediction.scores.items()},
        **dict(zip(BOX_COLUMNS, box, strict=False)),
    }
