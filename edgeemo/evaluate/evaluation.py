"""Evaluate a model on a folder of labelled images."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bulk.bucket_path import make_path
from edgeemo.bulk.parts import open_parts
from edgeemo.bulk.run import Place
from edgeemo.errors import DatasetError
from edgeemo.evaluate.crops import FACE_CROPS, choose_whole
from edgeemo.evaluate.evaluate_work import EvaluateWork
from edgeemo.evaluate.labelled import find_labelled_images, open_labelled
from edgeemo.evaluate.loading import find_folder, hash_model, load_classifier
from edgeemo.evaluate.options import EvaluationOptions
from edgeemo.evaluate.predicting import predict_labelled
from edgeemo.evaluate.quality import (
    count_predictions,
    list_predictions,
    measure_figures,
    rank_mistakes,
    sample_withheld,
)
from edgeemo.evaluate.report import Evaluation, UnreadableImage
from edgeemo.evaluate.slices import make_slicer, measure_slices
from edgeemo.evaluate.trained_on import list_trained_on
from edgeemo.metrics import Interval, wilson_interval
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.files import write_file
from edgeemo.utils.progress import Silent
from edgeemo.utils.serialize import to_plain
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from edgeemo.bulk.parts import Parts
    from edgeemo.evaluate.outcome import Outcome
    from edgeemo.evaluate.predicting import Predicted
    from edgeemo.utils.progress import Progress


def evaluate(
    model: Classifier | str | os.PathLike[str],
    data: str | os.PathLike[str],
    *,
    options: EvaluationOptions | None = None,
    html: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate a model on a folder of labelled images.

    Args:
        model: As of `edgeemo.evaluate.load_classifier`, or a classifier, whose face settings then
            hold.
        data: As of `edgeemo.dataset.ingest.open_images`: a folder as
            `edgeemo.evaluate.labelled.find_labelled_images` describes it, a .zip, an address in a
            bucket, or a list.
        options: Options of the evaluation.
        html: Page to write, too, with the images of the worst mistakes; None writes none.
        progress: Receives the progress.

    Raises:
        DatasetError: If the folder has no labelled image of a class that the model knows, or none
            of its images can be read.
        MissingExtraError: If a page is to be written and Jinja2 is not installed.
        OptionError: As `EvaluationOptions.check`.
        OutputError: As `edgeemo.bulk.parts.Parts`.
        ClusterError: As `edgeemo.bulk.run.work_through`.
        EdgeEmoError: If the model cannot be used; see `edgeemo.evaluate.load_classifier`.
    """
    options, progress = options or EvaluationOptions(), progress or Silent()
    options.check(model, os.fspath(data))
    if html is not None:
        from edgeemo.evaluate.page import check_page

        check_page(Path(html))
    classifier = (
        model
        if isinstance(model, Classifier)
        else load_classifier(model, threads=options.threads, faces=options.faces)
    )
    with open_labelled(data) as (root, name):
        found = _Evaluator(classifier, root, name, options, progress).run()
        if html is not None:
            from edgeemo.evaluate.page import make_page

            progress.stage("Making the page")
            write_file(Path(html), make_page(found, root))
    return found


class _Evaluator:
    """One evaluation.

    Args:
        classifier: The model.
        root: The folder of the images.
        name: Name of the folder or .zip.
        options: Options of the evaluation.
        progress: Receives the progress.
    """

    def __init__(
        self,
        classifier: Classifier,
        root: Path,
        name: str,
        options: EvaluationOptions,
        progress: Progress,
    ) -> None:
        self.root, self.name, self.options, self.progress = root, name, options, progress
        self.folder = find_labelled_images(
            root, classifier.spec.classes, options.choice, background=classifier.spec.background
        )
        images, by = self.folder.images, options.slice_by
        self.slicer = make_slicer(by, images) if by else None  # refused at once, if it has to be
        self.classifier = choose_whole(classifier, root, images, options.faces)
        self.takes_crops = self.classifier is not classifier
        self.trained_on = list_trained_on(find_folder(classifier))
        self.work = EvaluateWork(
            self.classifier,
            root,
            name=name,
            detector_file=options.faces.file,
            trained_on=self.trained_on,
            exclude_trained=options.exclude_trained,
        )

    def run(self) -> Evaluation:
        """Predict the images and measure the outcomes."""
        with self._open_parts() as parts:
            place = Place(
                workers=self.options.workers,
                cluster=self.options.cluster,
                threads=self.classifier.threads,
            )
            found = predict_labelled(
                self.work, self.folder.images, place=place, parts=parts, progress=self.progress
            )
            evaluation = self._report(found)
            if parts:
                parts.complete(to_plain(evaluation))
        return evaluation

    def _open_parts(self) -> AbstractContextManager[Parts[Outcome] | None]:
        options = self.options
        if options.keep is None:
            return nullcontext()
        address = str(make_path(options.keep))
        return open_parts(address, self.work, resume=options.resume, again=options.again)

    def _select_outcomes(self, found: Predicted) -> list[Outcome]:
        """Return the outcomes that count; where images are excluded, slice the others alone."""
        if not self.options.exclude_trained:
            return found.outcomes
        kept = [each for each in found.outcomes if not each.is_trained_on]
        if not any(each.image.label for each in kept):
            raise DatasetError(f"{self.name}: the model was trained on every image")
        if self.slicer and self.options.slice_by and len(kept) < len(found.outcomes):
            self.slicer = make_slicer(self.options.slice_by, [each.image for each in kept])
        return kept

    def _list_notes(self, excluded: int) -> Iterator[str]:
        yield from self.folder.notes
        if excluded:
            yield (f"{plural(excluded, 'image', 'images')} left out: the model was trained on them")
        if self.takes_crops:
            yield f"{FACE_CROPS} (--faces detects faces)"

    def _report(self, found: Predicted) -> Evaluation:
        outcomes = self._select_outcomes(found)
        readable = [each for each in outcomes if not each.error]
        known = [each for each in readable if each.image.label is not None]
        if not known:
            raise DatasetError(
                f"{self.name}: no usable image: {outcomes[0].error or 'none of a known class'}"
            )
        labels = self.classifier.spec.classes
        others = [each for each in readable if each.image.label is None]
        columns = list_predictions(readable, labels)
        wrong = sum(each.has_label and not each.is_right for each in known)
        return Evaluation(
            model=self.classifier.path,
            sha256=hash_model(self.classifier),
            data=self.name,
            split=self.folder.split,
            labels=labels,
            detects_faces=self.classifier.detector is not None,
            **vars(measure_figures(known, labels, seed=self.options.seed)),
            withheld={
                name: sum(each.predicted == name for each in known)
                for name in columns[len(labels) :]
            },
            confusion=count_predictions(known, labels, columns),
            unknown=count_predictions(others, self.folder.unknown, columns),
            unknown_withheld=_share(others, lambda each: not each.has_label),
            mistakes=tuple(rank_mistakes(known)),
            mistake_count=wrong,
            withheld_images=tuple(sample_withheld(known)),
            slices=measure_slices(known, self.slicer) if self.slicer else (),
            unreadable=tuple(
                UnreadableImage(path=each.image.path, reason=each.error)
                for each in outcomes
                if each.error
            ),
            trained_on=None
            if self.trained_on is None
            else sum(each.is_trained_on for each in outcomes),
            images_per_second=found.per_second,
            notes=tuple(self._list_notes(len(found.outcomes) - len(outcomes))),
        )


def _share(outcomes: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> Interval | None:
    return wilson_interval(sum(map(holds, outcomes)), len(outcomes)) if outcomes else None
