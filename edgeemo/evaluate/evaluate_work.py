"""The prediction of labelled images as work of `edgeemo.bulk`."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgeemo.bulk.work import Work, decode_name, encode_name
from edgeemo.dataset.ingest.image_list import get_listed
from edgeemo.evaluate.labelled import LabelledImage
from edgeemo.evaluate.outcome import Outcome
from edgeemo.evaluate.trained_on import hash_image
from edgeemo.imaging.suffixes import is_bucket
from edgeemo.runtime.formats import BOX_COLUMNS
from edgeemo.runtime.predict_work import PredictWork
from edgeemo.runtime.prediction import NO_FACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from edgeemo.imaging.decode import Source
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.prediction import ImageResult

_TEXTS = ("path", "folder", "label", "predicted", "guess", "error")


class EvaluateWork(Work[LabelledImage, Outcome]):
    """Predicts labelled images as ``edgeemo predict`` does; of several faces the largest counts.

    Args:
        classifier: The model; for a cluster, of an exported file.
        root: The data folder.
        name: Name of the data, which stands in messages in place of a temporary folder.
        detector_file: As of `edgeemo.runtime.predict_work.PredictWork`.
        trained_on: SHA-256 of each image that the model was trained on; None where that is not
            known.
        exclude_trained: Whether not to predict these.
    """

    def __init__(
        self,
        classifier: Classifier,
        root: Path,
        *,
        name: str,
        detector_file: DetectorFile | None = None,
        trained_on: frozenset[str] | None = None,
        exclude_trained: bool = False,
    ) -> None:
        self._predict = PredictWork(classifier, detector_file)
        self._root, self._name, self._spec = str(root), name, classifier.spec
        self._shown = self._root if get_listed(root) else name
        self._trained_on, self._excludes = trained_on, exclude_trained and trained_on is not None

    def describe(self) -> Mapping[str, object]:
        """See `edgeemo.bulk.work.Work`."""
        return {
            **self._predict.describe(),
            "work": "evaluate",
            "data": self._name,
            "trained_on": None if self._trained_on is None else len(self._trained_on),
            "exclude_trained": self._excludes,
        }

    def open(self) -> None:
        """See `edgeemo.bulk.work.Work`."""
        self._predict.open()

    def run(self, items: Iterable[LabelledImage], *, workers: int) -> Iterator[Outcome]:
        """See `edgeemo.bulk.work.Work`."""
        taken: deque[Outcome] = deque()  # without predictions yet

        def take_sources() -> Iterator[Source]:
            for begun, source in self._recognise(items):
                taken.append(begun)
                if not self._is_excluded(begun):
                    yield source

        def pass_excluded() -> Iterator[Outcome]:
            while taken and self._is_excluded(taken[0]):
                yield taken.popleft()

        for result in self._predict.run(take_sources(), workers=workers):
            yield from pass_excluded()
            yield self._add_result(taken.popleft(), result)
        yield from pass_excluded()

    def fail(self, item: LabelledImage, reason: str) -> Outcome:
        """See `edgeemo.bulk.work.Work`."""
        result = self._predict.fail(self._locate(item), reason)
        return self._add_result(Outcome(item, ""), result)

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
                ("trained_on", pyarrow.bool_()),
            ]
        )
        return pyarrow.Table.from_pylist([*map(self._make_row, results)], schema=schema)

    def from_table(self, table: Any) -> list[Outcome]:
        """See `edgeemo.bulk.work.Work`; the images lack their paths within the class folders."""
        return [*map(self._read_row, table.to_pylist())]

    def _locate(self, image: LabelledImage) -> str:
        return os.path.join(self._root, image.path)  # noqa: PTH118

    def _recognise(self, items: Iterable[LabelledImage]) -> Iterator[tuple[Outcome, Source]]:
        """Yield where to read each image, or the image if it had to be read from a bucket."""
        located = ((image, self._locate(image)) for image in items)
        sources: Iterable[tuple[LabelledImage, Any]] = located
        if self._trained_on and is_bucket(self._root):
            from edgeemo.bulk.read_ahead import read_ahead

            sources = read_ahead(located)
        for image, source in sources:
            is_known = bool(self._trained_on) and hash_image(source) in (self._trained_on or ())
            yield Outcome(image, "", is_trained_on=is_known), source

    def _is_excluded(self, outcome: Outcome) -> bool:
        return self._excludes and outcome.is_trained_on

    def _add_result(self, begun: Outcome, result: ImageResult) -> Outcome:
        if result.error is not None:
            return replace(begun, error=result.error.replace(self._root, self._shown))
        if not result.predictions:
            return replace(begun, predicted=NO_FACE)
        found, spec = result.predictions[0], self._spec
        scores = tuple(found.scores[label] for label in spec.classes)
        if spec.background is not None:
            total = sum(scores) or 1.0
            scores = tuple(score / total for score in scores)
        return replace(
            begun,
            predicted=found.label,
            guess=found.guess,
            score=found.score,
            scores=scores,
            box=found.face.box if found.face else None,
        )

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
            "trained_on": each.is_trained_on,
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
            is_trained_on=row["trained_on"],
        )
