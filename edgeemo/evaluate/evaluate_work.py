"""The prediction of labelled images as work of `edgeemo.bulk`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from edgeemo.bulk.work import Work
from edgeemo.evaluate.labelled import LabelledImage
from edgeemo.evaluate.outcome import Outcome
from edgeemo.runtime.predict_work import PredictWork
from edgeemo.runtime.prediction import NO_FACE
from edgeemo.utils.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.prediction import ImageResult

_TEXTS = ("path", "folder", "label", "predicted", "guess", "error")
_BOX = ("left", "top", "width", "height")


class EvaluateWork(Work[LabelledImage, Outcome]):
    """Predicts labelled images as ``edgeemo predict`` does; of several faces the largest counts.

    Args:
        classifier: The model; for a cluster, of an exported file.
        root: The data folder, or its address.
        name: Name of the data in messages.
        detector_file: The face detector's own file, where it has one.
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

    def to_table(self, results: Sequence[Outcome]) -> Any:
        """Return a row per image, with a column p(LABEL) for each class of the model."""
        import pyarrow

        schema = pyarrow.schema(
            [
                *((name, pyarrow.string()) for name in _TEXTS),
                ("score", pyarrow.float64()),
                *((name, pyarrow.float64()) for name in self._name_scores()),
                *((name, pyarrow.int64()) for name in _BOX),
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
        """Return a row; names that are no text, which Parquet refuses, are escaped."""
        image = each.image
        texts = (
            escape_controls(image.path),
            escape_controls(image.folder),
            image.label,
            each.predicted or None,
            each.guess or None,
            escape_controls(each.error) or None,
        )
        scored = (each.score, *each.scores) if each.scores else ()
        names = ("score", *self._name_scores()) if each.scores else ()
        return {
            **dict(zip(_TEXTS, texts, strict=True)),
            **dict(zip(names, scored, strict=True)),
            **(dict(zip(_BOX, each.box, strict=True)) if each.box else {}),
        }

    def _read_row(self, row: Mapping[str, Any]) -> Outcome:
        has_scores, has_box = row["score"] is not None, row["left"] is not None
        return Outcome(
            LabelledImage(row["path"], row["folder"], row["label"], within=""),
            row["predicted"] or "",
            row["guess"] or "",
            row["score"] or 0.0,
            tuple(row[name] for name in self._name_scores()) if has_scores else (),
            error=row["error"] or "",
            box=tuple(row[name] for name in _BOX) if has_box else None,
        )
