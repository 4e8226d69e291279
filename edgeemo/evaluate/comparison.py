"""Compare models on the same labelled images."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bulk.run import Place
from edgeemo.errors import DatasetError
from edgeemo.evaluate.comparison_report import (
    ComparedModel,
    Comparison,
)
from edgeemo.evaluate.crops import FACE_CROPS, choose_whole
from edgeemo.evaluate.evaluate_work import EvaluateWork
from edgeemo.evaluate.labelled import find_labelled_images, open_labelled
from edgeemo.evaluate.latency import read_latency
from edgeemo.evaluate.loading import find_folder, hash_model, load_classifier
from edgeemo.evaluate.options import EvaluationOptions
from edgeemo.evaluate.pairs import is_disagreement, pair_outcomes, sample_disagreements
from edgeemo.evaluate.predicting import predict_labelled
from edgeemo.evaluate.quality import measure_figures
from edgeemo.evaluate.shared_images import find_shared_samples, open_shared_images
from edgeemo.evaluate.trained_on import find_trained_on
from edgeemo.evaluate.training_options import find_differences
from edgeemo.model.folder import ModelFolder
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.files import write_file
from edgeemo.utils.progress import Silent
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from edgeemo.evaluate.labelled import LabelledImage
    from edgeemo.evaluate.outcome import Outcome
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True, kw_only=True)
class _Images:
    """The images of a comparison.

    Attributes:
        root: Their folder.
        name: Name of the folder or .zip.
        images: The images.
        seen: Paths of the images that each model was trained on; None where that is unknown.
        notes: What there is to know, in sentences.
    """

    root: Path
    name: str
    images: Sequence[LabelledImage]
    seen: Sequence[frozenset[str] | None]
    notes: tuple[str, ...]


def compare(
    models: Sequence[Classifier | str | os.PathLike[str]],
    data: str | os.PathLike[str] | None = None,
    *,
    options: EvaluationOptions | None = None,
    html: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare models on the same images.

    Each model predicts as it does by itself: a model for faces detects them in photos. Accuracy is
    compared on the images for which both of two models predict a class.

    Args:
        models: Two or more, as of `edgeemo.evaluate.evaluate`.
        data: Labelled images, as of `edgeemo.evaluate.evaluate`; None takes the test images that
            the models share, and none of them was trained on.
        options: Options of the evaluation. Slices, `cluster` and `keep` have no effect.
        html: Page to write, too, with images on which the models disagree; None writes none.
        progress: Receives the progress.

    Raises:
        ValueError: If there are fewer than two models.
        DatasetError: If the models have no two classes in common, or there are no images that they
            can be compared on.
        MissingExtraError: If a page is to be written and Jinja2 is not installed.
        EdgeEmoError: If a model cannot be used; see `edgeemo.evaluate.load_classifier`.
    """
    if len(models) < 2:
        raise ValueError("a comparison needs two or more models")
    options, progress = options or EvaluationOptions(), progress or Silent()
    if html is not None:
        from edgeemo.evaluate.page import check_page

        check_page(Path(html))
    classifiers = [
        each
        if isinstance(each, Classifier)
        else load_classifier(each, threads=options.threads, faces=options.faces)
        for each in models
    ]
    comparer = _Comparer(classifiers, options, progress)
    return comparer.run(None if data is None else Path(data), None if html is None else Path(html))


class _Comparer:
    """One comparison.

    Args:
        classifiers: The models.
        options: Options of the evaluation.
        progress: Receives the progress.
    """

    def __init__(
        self, classifiers: Sequence[Classifier], options: EvaluationOptions, progress: Progress
    ) -> None:
        self.classifiers, self.options, self.progress = classifiers, options, progress
        self.names = _name_models([Path(each.path) for each in classifiers])
        self.folders = [find_folder(each) for each in classifiers]
        self.labels = _find_common_labels(classifiers)

    def run(self, data: Path | None, html: Path | None) -> Comparison:
        """Predict the images with each model, compare the outcomes, and write the page."""
        opened = self._open_shared() if data is None else self._open_data(data)
        with opened as images:
            used = [
                choose_whole(each, images.root, images.images, self.options.faces)
                for each in self.classifiers
            ]
            columns = [
                self._predict(name, each, images)
                for name, each in zip(self.names, used, strict=True)
            ]
            found = self._report(images, used, columns, shared_test=data is None)
            if html is not None:
                from edgeemo.evaluate.comparison_page import make_comparison_page

                write_file(html, make_comparison_page(found, images.root))
        return found

    def _report(
        self,
        images: _Images,
        used: Sequence[Classifier],
        columns: Sequence[Sequence[Outcome]],
        *,
        shared_test: bool,
    ) -> Comparison:
        rows = [row for row in zip(*columns, strict=True) if not any(each.error for each in row)]
        if not rows:
            raise DatasetError(f"{images.name}: no usable image: {columns[0][0].error}")
        notes = list(images.notes)
        if any(one is not other for one, other in zip(used, self.classifiers, strict=True)):
            notes.append(f"{FACE_CROPS}, by every model")
        if len(rows) < len(columns[0]):
            count = plural(len(columns[0]) - len(rows), "image", "images")
            notes.append(f"{count} left out, which cannot be read")
        readable = list(zip(*rows, strict=True))
        return Comparison(
            data=images.name,
            shared_test=shared_test,
            labels=self.labels,
            n=len(rows),
            models=tuple(
                self._describe(place, used[place], column, images)
                for place, column in enumerate(readable)
            ),
            pairs=tuple(
                pair_outcomes(readable[0], column, names=(self.names[0], name))
                for name, column in zip(self.names[1:], readable[1:], strict=True)
            ),
            differences=find_differences(self.folders),
            disagreements=tuple(sample_disagreements(rows, self.names)),
            disagreement_count=sum(map(is_disagreement, rows)),
            notes=tuple(notes),
        )

    @contextmanager
    def _open_data(self, data: Path) -> Iterator[_Images]:
        """Yield the images of a folder that are of classes that every model has."""
        with open_labelled(data) as (root, name):
            found = find_labelled_images(root, self.labels, self.options.choice)
            images = [image for image in found.images if image.label is not None]
            seen = [find_trained_on(folder, root, images) for folder in self.folders]
            notes = list(found.notes)
            if found.unknown:
                notes.append(f"left out, as not every model knows it: {', '.join(found.unknown)}")
            if self.options.exclude_trained:
                excluded = frozenset().union(*(each for each in seen if each))
                images = [image for image in images if image.path not in excluded]
                seen = [None if each is None else frozenset() for each in seen]
                count = plural(len(excluded), "image", "images")
                notes.append(f"{count} left out: a model was trained on them")
            if not images:
                raise DatasetError(f"{name}: a model was trained on every image")
            yield _Images(root=root, name=name, images=images, seen=seen, notes=tuple(notes))

    @contextmanager
    def _open_shared(self) -> Iterator[_Images]:
        """Yield the test images that the models share."""
        folders = dict(zip(self.names, self.folders, strict=True))
        shared = find_shared_samples(folders, self.labels)
        opened = open_shared_images(shared, self.folders, progress=self.progress)
        with opened as (root, name, images):
            seen = [frozenset[str]()] * len(self.folders)
            yield _Images(root=root, name=name, images=images, seen=seen, notes=())

    def _predict(self, name: str, classifier: Classifier, images: _Images) -> list[Outcome]:
        place = Place(workers=self.options.workers, threads=classifier.threads)
        work = EvaluateWork(classifier, images.root, name=images.name)
        return predict_labelled(
            work,
            images.images,
            place=place,
            stage=f"Predicting with {name}",
            progress=self.progress,
        ).outcomes

    def _describe(
        self, place: int, classifier: Classifier, outcomes: Sequence[Outcome], images: _Images
    ) -> ComparedModel:
        path, sha256, seen = Path(classifier.path), hash_model(classifier), images.seen[place]
        figures = measure_figures(outcomes, classifier.spec.classes, seed=self.options.seed)
        return ComparedModel(
            name=self.names[place],
            path=str(path),
            sha256=sha256,
            size_bytes=path.stat().st_size if path.is_file() else 0,
            verified=classifier.verified,
            detects_faces=classifier.detector is not None,
            quality=figures.overall,
            balanced_accuracy=figures.balanced_accuracy,
            latency=read_latency(
                ModelFolder(path.parent), sha256=sha256, threads=classifier.threads
            ),
            trained_on=None if seen is None else len(seen),
        )


def _name_models(paths: Sequence[Path]) -> list[str]:
    """Return a short name of each model: of its folder, with the file's, or its path."""
    for name in (
        [path.parent.name for path in paths],
        [path.name for path in paths],
        [f"{path.parent.name}/{path.name}" for path in paths],
    ):
        if len(set(name)) == len(paths) and all(name):
            return name
    return [str(path) for path in paths]


def _find_common_labels(classifiers: Sequence[Classifier]) -> tuple[str, ...]:
    first, *others = [each.spec.classes for each in classifiers]
    common = tuple(label for label in first if all(label in other for other in others))
    if len(common) < 2:
        listed = " and ".join(f"({', '.join(labels)})" for labels in (first, *others))
        raise DatasetError(f"the models have fewer than two classes in common: {listed}")
    return common
