"""Evaluate a model on a folder of labelled images."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import DatasetError
from edgeemo.evaluate.crops import FACE_CROPS, choose_whole
from edgeemo.evaluate.labelled import ClassChoice, find_labelled_images, open_labelled
from edgeemo.evaluate.loading import find_folder, hash_model, load_classifier
from edgeemo.evaluate.outcome import predict_outcomes
from edgeemo.evaluate.quality import (
    count_predictions,
    list_predictions,
    measure_figures,
    rank_mistakes,
    sample_withheld,
)
from edgeemo.evaluate.report import Evaluation, UnreadableImage
from edgeemo.evaluate.slices import SliceBy, make_slicer, measure_slices
from edgeemo.evaluate.trained_on import find_trained_on
from edgeemo.metrics import Interval, wilson_interval
from edgeemo.model.face_request import FaceRequest
from edgeemo.runtime.classifier import Classifier
from edgeemo.runtime.stream import choose_worker_count
from edgeemo.utils.files import write_file
from edgeemo.utils.progress import Silent
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from edgeemo.evaluate.labelled import LabelledImage
    from edgeemo.evaluate.outcome import Outcome
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """Options of an evaluation.

    Attributes:
        choice: The images to take, and the label that each class folder is.
        faces: Requested changes to the model's face settings. Without any, a model for faces takes
            face crops whole and detects the faces in photos.
        slice_by: What to slice the images by; None for nothing.
        exclude_trained: Whether to leave out the images that the model was trained on.
        threads: Threads per prediction; by default that of the model folder, else 1.
        workers: Images predicted at the same time; by default cores / threads.
        seed: Seed of the bootstrap of the mean over the classes.
    """

    choice: ClassChoice = field(default_factory=ClassChoice)
    faces: FaceRequest = field(default_factory=FaceRequest)
    slice_by: SliceBy | None = None
    exclude_trained: bool = False
    threads: int | None = None
    workers: int | None = None
    seed: int = 0


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
        data: A folder as `edgeemo.evaluate.labelled.find_labelled_images` describes it, or a .zip.
        options: Options of the evaluation.
        html: Page to write, too, with the images of the worst mistakes; None writes none.
        progress: Receives the progress.

    Raises:
        DatasetError: If the folder has no labelled image of a class that the model knows, or none
            of its images can be read.
        MissingExtraError: If a page is to be written and Jinja2 is not installed.
        EdgeEmoError: If the model cannot be used; see `edgeemo.evaluate.load_classifier`.
    """
    options, progress = options or EvaluationOptions(), progress or Silent()
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
        self.notes = list(self.folder.notes)
        self.images, self.trained_on = self._select_images(classifier)
        self.slicer = make_slicer(options.slice_by, self.images) if options.slice_by else None
        self.classifier = self._choose_classifier(classifier)

    def run(self) -> Evaluation:
        """Predict the images and measure the outcomes."""
        self.progress.stage("Predicting", total=len(self.images))
        outcomes, rate = _time(self._predict())
        readable = [each for each in outcomes if not each.error]
        known = [each for each in readable if each.image.label is not None]
        if not known:
            raise DatasetError(
                f"{self.name}: no usable image: {outcomes[0].error or 'none of a known class'}"
            )
        return self._report(outcomes, readable, known, rate)

    def _select_images(self, classifier: Classifier) -> tuple[Sequence[LabelledImage], int | None]:
        """Return the images to predict, and the number of those that the model was trained on."""
        images = self.folder.images
        seen = find_trained_on(find_folder(classifier), self.root, images)
        if not seen:
            return images, None if seen is None else 0
        if not self.options.exclude_trained:
            return images, len(seen)
        kept = [image for image in images if image.path not in seen]
        if not any(image.label for image in kept):
            raise DatasetError(f"{self.name}: the model was trained on every image")
        self.notes.append(
            f"{plural(len(seen), 'image', 'images')} left out: the model was trained on them"
        )
        return kept, 0

    def _choose_classifier(self, classifier: Classifier) -> Classifier:
        """Return a model for faces that takes face crops whole, or the model as it is."""
        chosen = choose_whole(classifier, self.root, self.images, self.options.faces)
        if chosen is not classifier:
            self.notes.append(f"{FACE_CROPS} (--faces detects faces)")
        return chosen

    def _predict(self) -> Iterator[Outcome]:
        workers = self.options.workers or choose_worker_count(self.classifier.threads)
        return predict_outcomes(
            self.classifier, self.root, self.images, workers=workers, progress=self.progress
        )

    def _report(
        self,
        outcomes: Sequence[Outcome],
        readable: Sequence[Outcome],
        known: Sequence[Outcome],
        rate: float,
    ) -> Evaluation:
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
                UnreadableImage(
                    path=each.image.path, reason=each.error.replace(str(self.root), self.name)
                )
                for each in outcomes
                if each.error
            ),
            trained_on=self.trained_on,
            images_per_second=rate,
            notes=tuple(self.notes),
        )


def _share(outcomes: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> Interval | None:
    return wilson_interval(sum(map(holds, outcomes)), len(outcomes)) if outcomes else None


def _time(outcomes: Iterator[Outcome]) -> tuple[list[Outcome], float]:
    """Return all outcomes, and the rate from the first to the last, per second."""
    found = [next(outcomes)]
    start = time.perf_counter()
    found += outcomes
    seconds = time.perf_counter() - start
    return found, (len(found) - 1) / seconds if seconds > 0 and found[1:] else 0.0
