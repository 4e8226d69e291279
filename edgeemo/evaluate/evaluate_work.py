"""The prediction of labelled images as work of `edgeemo.bulk`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from edgeemo.bulk.work import Work, decode_name, encode_name
from edgeemo.evaluate.labelled import LabelledImage
from edgeemo.evaluate.outcome import Outcome
from edgeemo.runtime.formats import BOX_COLUMNS
from edgeemo.runtime.predict_work import PredictWork
from edgeemo.runtime.prediction import NO_FACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.prediction import ImageResult

_TEXTS = ("path", "folder", "label", "predicted", "guess", "error")


class EvaluateWork(Work[LabelledImage, Outcome]):
    """Predicts labelled images as ``edgeemo predict`` does; of several faces the largest counts.

    Args:
        classifier: The model; for a cluster, of an exported file.
        root: The data folder, or its address.
        name: Name of the data in messages.
        detector_file: As of `edgeemo.runtime.predict_work.PredictWork`.
    """

    def __init__(
        self,
        classifier: Classifier,
        root: str,
        *,
        name: str,
        detector_file: DetectorFile | None = None,
    ) -> None:
        self._predict = PredictWork(classifier, detector_file)
        self._root, self._name, self._spec = root, name, classifier.spec

    def describe(self) -> Mapping[str, object]:
        """See `edgeemo.bulk.work.Work`."""
        return {**self._predict.describe(), "work": "evaluate", "data": self._name}

    def open(self) -> None:
        """See `edgeemo.bulk.work.Work`."""
        self._predict.open()

    def run(self, items: Iterable[LabelledImage], *, workers: int) -> Iterator[Outcome]:
        """See `edgeemo.bulk.work.Work`."""
        taken: deque[LabelledImage] = deque()

        def take_sources() -> Iterator[str]:
            for image in items:
                taken.append(image)
                yield self._locate(image)

        for result in self._predict.run(take_sources(), workers=workers):
            yield self._make_outcome(taken.popleft(), result)

    def fail(self, item: LabelledImage, reason: str) -> Outcome:
        """See `edgeemo.bulk.work.Work`."""
        return self._make_outcome(item, self._predict.fail(self._locate(item), reason))

    def find_path(self, item: LabelledImage) -> str:
        """See `edgeemo.bulk.work.Work`."""
        return self._predict.find_path(self._locate(item))

    def to_table(self, results: Sequence[Outcome]) -> Any:
        """Return a row per image, with a column p(LABEL) for each class of the model."""
        import pyarrow

        schema = pyarrow.schema(
            [
                *((name, pyarrow.string()) for name in _TEXTS),
                ("score", pyarrow.float64()),
                *((name, pyarrow.float64()) for name in self._name_scores()),
                *((name, pyarrow.int32()) for name in BOX_COLUMNS),
            ]
        )
        return pyarrow.Table.from_pylist([*map(self._make_row, results)], schema=schema)

    def from_table(self, table: Any) -> list[Outcome]:
        """See `edgeemo.bulk.work.Work`; the images lack their paths within the class folders."""
        return [*map(self._read_row, table.to_pylist())]

    def _locate(self, image: LabelledImage) -> str:
        return f"{self._root}/{image.path}"

    def _make_outcome(self, image: LabelledImage, result: ImageResult) -> Outcome:
        if result.error is not None:
            return Outcome(image, "", error=result.error.replace(self._root, self._name))
        if not result.predictions:
            return Outcome(image, NO_FACE)
        found, spec = result.predictions[0], self._spec
        scores = tuple(found.scores[label] for label in spec.classes)
        if spec.background is not None:
            total = sum(scores) or 1.0
            scores = tuple(score / total for score in scores)
        box = found.face.box if found.face else None
        return Outcome(image, found.label, found.guess, found.score, scores, box=box)

    def _name_scores(self) -> list[str]:
        return [f"p({label})" for label in self._spec.classes]

    def _make_row(self, each: Outcome) -> dict[str, object]:
        image = each.image
        texts = (image.path, image.folder, image.label, each.predicted, each.guess, each.error)
        scored = (each.score, *each.scores) if each.scores else ()
        names = ("score", *self._name_scores()) if each.scores else ()
        return {
            **{name: encode_name(text) for name, text in zip(_TEXTS, texts, strict=True) if text},
            **dict(zip(names, scored, strict=True)),
            **(dict(zip(BOX_COLUMNS, each.box, strict=True)) if each.box else {}),
        }

    def _read_row(self, row: Mapping[str, Any]) -> Outcome:
        has_scores, has_box = row["score"] is not None, row["left"] is not None
        path, folder, label, predicted, guess, error = (
            decode_name(row[name] or "") for name in _TEXTS
        )
        return Outcome(
            LabelledImage(path, folder, label or None, within=""),
            predicted,
            guess,
            row["score"] or 0.0,
            tuple(row[name] for name in self._name_scores()) if has_scores else (),
            error=error,
            box=tuple(row[name] for name in BOX_COLUMNS) if has_box else None,
        )
