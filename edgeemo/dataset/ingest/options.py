"""Options and result of the ingest of a folder of images. Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeemo.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgeemo.dataset.ingest.decisions import Decisions
    from edgeemo.model.input_spec import InputSpec
    from edgeemo.model.tables import Rejected, Sample

ALWAYS_ACCEPTED = ("jpeg", "png", "bmp")
ACCEPTED_ON_REQUEST = ("webp", "gif")


@dataclass(frozen=True, kw_only=True)
class IngestOptions:
    """Options of the ingest.

    Attributes:
        accept: Image formats to accept besides JPEG, PNG and BMP: "webp", "gif", or both. Of an
            animation the first frame counts.
        labels: Class names in the order of the network's outputs; None sorts them.
        may_lack_images: Whether `labels` may name classes without a folder, which are left out.
        classes: Classes of the folder to take; files of others are not read. None takes all.
        seed: Seed of the split; the same seed and images give the same splits, wherever the files
            lie and in whatever order they are found.
        ratios: Shares of train, validation and test, which add up to 1. That of validation may be
            0. Not used where the folder has splits of its own.
        grouped: Whether duplicates are excluded and near-duplicates kept within one split. False
            splits every usable image by chance, as tutorials do: duplicates, near-duplicates and
            images that lie in two classes included; the folder's own splits are pooled first.
        decisions: A person's decisions about images, which `edgeemo data review` wrote.
        crops: Input specifications that crop faces: an image in which no face is found at one of
            their sizes is excluded. They require the face detector of `ingest`.

    Raises:
        DatasetError: If a format is unknown, the ratios are not three shares of 1, or `classes` are
            not two or more, or others than `labels`.
    """

    accept: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None
    may_lack_images: bool = False
    classes: tuple[str, ...] | None = None
    seed: int = 0
    ratios: tuple[float, float, float] = (0.7, 0.2, 0.1)
    grouped: bool = True
    crops: tuple[InputSpec, ...] = ()
    decisions: Decisions | None = None

    def __post_init__(self) -> None:
        unknown = sorted(set(self.accept) - set(ACCEPTED_ON_REQUEST))
        if unknown:
            choices = " and ".join(ACCEPTED_ON_REQUEST)
            raise DatasetError(f"cannot accept {', '.join(unknown)}; --accept takes {choices}")
        if not _are_shares(self.ratios):
            raise DatasetError(
                "ratios must be three shares that add up to 1, of which only that of validation "
                f"may be 0, not {self.ratios}"
            )
        if self.classes is not None:
            _check_classes(self.classes, self.labels)


def _check_classes(classes: tuple[str, ...], labels: tuple[str, ...] | None) -> None:
    if len(classes) < 2 or len(set(classes)) < len(classes):
        named = ", ".join(classes) or "none"
        raise DatasetError(f"--classes requires two or more different classes, not {named}")
    different = sorted(set(classes) ^ set(labels or classes))
    if different:
        raise DatasetError(
            f"--labels and --classes must name the same classes; {', '.join(different)} is in one "
            "of them only"
        )


def _are_shares(ratios: tuple[float, ...]) -> bool:
    """Return whether these are shares of train, validation and test."""
    if len(ratios) != 3 or not all(math.isfinite(ratio) for ratio in ratios):
        return False
    train, validation, test = ratios
    adds_up = math.isclose(train + validation + test, 1, abs_tol=1e-6)
    return train > 0 and validation >= 0 and test > 0 and adds_up


@dataclass(frozen=True, kw_only=True)
class IngestSummary:
    """Numbers of an ingest.

    Attributes:
        found: Files found in the class folders.
        kept: Files in `per_split`.
        per_split: Images per split and class.
        rejected: Files excluded, per reason.
        wrong_extension: Usable images, kept or not, whose extension is that of another format;
            that alone excludes none.
        near_duplicate_groups: Groups of two or more near-duplicates among the images kept,
            duplicates included where they are kept; no group straddles a split if `grouped`.
        near_duplicates: Images in those groups.
        test_seen_in_train: Images of the test split with a duplicate or near-duplicate in train:
            0 if `grouped`, else the leak of a random split.
        leaks: For splits of the folder's own: number of images excluded from the first-named split
            because the second holds a duplicate or near-duplicate, by "train/validation",
            "train/test" and "validation/test".
        thresholds: Thresholds that decided, by name.
        brought_splits: Whether the folder's own splits were kept.
        taken_from_train: Splits that the folder lacks and that were taken from its train split.
        grouped: As in `IngestOptions`.
        processing: Findings on the processing of the images, in sentences; see
            `edgeemo.dataset.processing`.
    """

    found: int
    kept: int
    per_split: dict[str, dict[str, int]]
    rejected: dict[str, int]
    wrong_extension: int
    near_duplicate_groups: int
    near_duplicates: int
    test_seen_in_train: int
    leaks: dict[str, int]
    thresholds: dict[str, float]
    brought_splits: bool
    taken_from_train: tuple[str, ...] = ()
    grouped: bool = True
    processing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CollectionPart:
    """One of several collections in a dataset.

    Attributes:
        name: Its name, with which the paths of its images begin.
        path: The folder or .zip, as given.
        weight: Factor of its images in the loss of the training.
        soft: Class folder to shares of the labels, for classes that are trained on only.
        brought_splits: Whether it has splits of its own, which were kept.
    """

    name: str
    path: Path
    weight: float
    soft: Mapping[str, tuple[float, ...]]
    brought_splits: bool

    def owns(self, sample: Sample) -> bool:
        """Return whether an image is of the collection."""
        return sample.path.startswith(f"{self.name}/")


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Images ready for training.

    Attributes:
        root: The folder that the paths are relative to.
        labels: Class names, in the order of the network's outputs.
        samples: Every image kept, sorted by path.
        rejected: Every excluded file, sorted by path.
        summary: Numbers of the ingest.
        collections: The collections that it is made of; empty for one folder.
    """

    root: Path
    labels: tuple[str, ...]
    samples: tuple[Sample, ...]
    rejected: tuple[Rejected, ...] = field(repr=False)
    summary: IngestSummary
    collections: tuple[CollectionPart, ...] = ()

    def in_split(self, split: str) -> list[Sample]:
        """Return the images of one split, "train", "validation" or "test", sorted by path."""
        return [sample for sample in self.samples if sample.split == split]
