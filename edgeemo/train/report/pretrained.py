"""A shipped model on the test images, and the faces that it finds in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edgeemo.dataset.pool import map_in_threads
from edgeemo.errors import EdgeEmoError
from edgeemo.imaging.decode import open_image
from edgeemo.metrics import PairedAccuracy, compare_accuracy
from edgeemo.model.container import unseal
from edgeemo.model.folder import SHIPPED, SHIPPED_MODELS, shipped_folder
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.runtime.prediction import Prediction
    from edgeemo.train.report.evaluation import Evaluation
    from edgeemo.train.report.inputs import FolderContents
    from edgeemo.utils.progress import Progress

MOST_IMAGES = 200
"""Greatest number of test images that a shipped model predicts."""

_SAMPLE = 60
"""Number of test images that are searched for faces where no shipped model has their classes."""
_MIN_COVERAGE = 0.3
"""Share of images with a face from which they are photos of faces."""
_CROP_SHARE = 0.75
"""Width of a face as a share of the image from which the image is a crop of it: 0.25 to 0.35 in
photos from the web, 0.8 to 1.1 in the collections of crops that this was measured on."""
_SYNONYMS = (
    {"happy", "happiness", "smile", "smiling", "joy", "joyful", "glad", "laughing"},
    {"sad", "sadness", "unhappy", "crying"},
    {"surprise", "surprised"},
    {"anger", "angry"},
    {"disgust", "disgusted"},
    {"fear", "fearful", "afraid", "scared"},
    {"contempt", "contemptuous"},
)
"""Names of one class: a shipped model predicts it under its own."""


@dataclass(frozen=True, kw_only=True)
class FaceCoverage:
    """Faces in test images.

    Attributes:
        images: Number of images that were searched.
        with_face: Number in which a face was found.
        median_share: Median width of the largest face as a share of the image's shorter side; 0
            without a face.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("are_photos",)

    images: int
    with_face: int
    median_share: float

    @property
    def are_photos(self) -> bool:
        """Return whether many images show a face, which is only a part of them."""
        enough = self.with_face >= max(_MIN_COVERAGE * self.images, 1)
        return enough and self.median_share < _CROP_SHARE


@dataclass(frozen=True, kw_only=True)
class PretrainedResult:
    """A shipped model on the test images.

    Attributes:
        name: Name of the shipped model.
        images: Number of test images that it was given.
        whole: Whether it took them whole, as crops of faces; else it predicted the largest face.
        paired: Accuracy of this model ("reference") and of the shipped one ("candidate") on the
            images that the shipped model predicts, which are all or those with a face.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("is_better",)

    name: str
    images: int
    whole: bool
    paired: PairedAccuracy

    @property
    def predicted(self) -> int:
        """Return the number of images that it predicts."""
        return self.paired.candidate.n

    @property
    def is_better(self) -> bool:
        """Return whether it is shown to be better than this model (McNemar's test, 5 %)."""
        return self.paired.difference > 0 and self.paired.mcnemar_p < 0.05

    @property
    def where(self) -> str:
        """Return the images that it predicts, in words."""
        if self.predicted == self.images:
            return f"{self.images:,} test images"
        return f"the {self.predicted:,} of {self.images:,} test images with a face"


def compare_with_pretrained(
    contents: FolderContents, test: Evaluation, *, progress: Progress | None = None
) -> tuple[PretrainedResult | None, FaceCoverage | None]:
    """Run the shipped model that has the classes on test images, from the file to the label.

    Args:
        contents: The contents of the model folder.
        test: Evaluation of the test split.
        progress: Gets a stage.

    Returns:
        The result, None where no shipped model has the classes or runs here; and the faces in the
        test images, None where the model takes crops of faces or nothing runs here.
    """
    found = match_shipped(contents.spec.labels)
    name, names = found or (SHIPPED, ())
    rows = _choose_rows(contents, MOST_IMAGES if names else _SAMPLE)
    paths = [contents.dataset.root / contents.test_samples[row].path for row in rows]
    try:
        predictions, faces = _predict(
            name,
            paths,
            crops=_takes_crops(contents),
            compares=bool(names),
            progress=progress or Silent(),
        )
    except (EdgeEmoError, OSError):  # without an engine, or an image, there is no comparison
        return None, None
    if not names or not rows:
        return None, faces
    known = [number for number, each in enumerate(predictions) if each is not None]
    theirs = np.array([_decide(each, names) for each in predictions if each], np.int64)
    kept = np.array(rows, np.int64)[known]
    result = PretrainedResult(
        name=name,
        images=len(rows),
        whole=faces is None or not faces.are_photos,
        paired=compare_accuracy(test.right[kept], theirs == test.truth[kept]),
    )
    return result, faces


def match_shipped(labels: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return a shipped model that has every class, and its own name of each; None without one."""
    for name in SHIPPED_MODELS:
        own = shipped_folder(name).read_spec().labels
        names = tuple(each for label in labels for each in own if _are_synonyms(label, each))
        if len({*names}) == len(labels) == len(names):
            return name, names
    return None


def _are_synonyms(label: str, own: str) -> bool:
    word = label.casefold().strip()
    return word == own or any({word, own} <= words for words in _SYNONYMS)


def _choose_rows(contents: FolderContents, most: int) -> list[int]:
    """Return the rows of at most `most` test images, drawn with the seed."""
    count = len(contents.test_samples)
    drawn = np.random.default_rng(contents.origin.seed).permutation(count)[:most]
    return [int(row) for row in drawn]


def _takes_crops(contents: FolderContents) -> bool:
    """Return whether the images are crops of faces, as far as the model folder knows."""
    faces = contents.spec.faces
    return faces is not None and faces.cropped


def _predict(
    name: str, paths: Sequence[Path], *, crops: bool, compares: bool, progress: Progress
) -> tuple[list[Prediction | None], FaceCoverage | None]:
    """Return the prediction of each image, None without a face, and the faces of photos.

    Args:
        name: Name of the shipped model.
        paths: The images.
        crops: Whether they are crops of faces.
        compares: Whether predictions are requested, rather than faces alone.
        progress: Gets the stages.
    """
    model = unseal(shipped_folder(name).choose_default_file())
    faces = None
    if not crops:
        classifier = Classifier.from_model(model, faces=model.spec.faces)
        progress.stage("Looking for faces in the test images", total=len(paths))
        found = map_in_threads(
            paths, lambda batch: [classifier.predict_all(path) for path in batch], progress=progress
        )
        largest = [each[0] if each else None for each in found]
        faces = _measure_faces(largest, paths)
        if faces.are_photos or not compares:
            return largest, faces
    if not compares:
        return [], None
    whole = Classifier.from_model(model, faces=None)
    progress.stage(f"Comparing with {name}", total=len(paths))
    alone = map_in_threads(
        paths, lambda batch: [whole.predict(path) for path in batch], progress=progress
    )
    return [*alone], faces


def _measure_faces(largest: Sequence[Prediction | None], paths: Sequence[Path]) -> FaceCoverage:
    shares = []
    for each, path in zip(largest, paths, strict=True):
        if each is not None and each.face is not None:
            with open_image(path) as opened:
                shares.append(each.face.side / min(opened.size))
    return FaceCoverage(
        images=len(paths),
        with_face=len(shares),
        median_share=float(np.median(shares)) if shares else 0.0,
    )


def _decide(prediction: Prediction, names: Sequence[str]) -> int:
    """Return the index of the most probable of the named classes."""
    return int(np.argmax([prediction.scores[name] for name in names]))
