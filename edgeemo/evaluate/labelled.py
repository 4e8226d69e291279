"""Labelled images of a folder, for a model whose labels may be others."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.bulk.bucket_path import make_path
from edgeemo.dataset.ingest.image_list import get_listed
from edgeemo.dataset.ingest.sources import open_images
from edgeemo.errors import DatasetError
from edgeemo.evaluate.labelled_messages import (
    describe_unknown_classes,
    describe_unlabelled,
    list_names,
    list_notes,
)
from edgeemo.evaluate.labelled_tree import LabelledList, LabelledTree
from edgeemo.imaging.suffixes import PassedOver
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image file in a class folder.

    Attributes:
        path: Path relative to the data folder, with forward slashes.
        folder: Name of the class folder.
        label: Label of the model that the class is; None where the model does not know it.
        within: Path relative to the class folder.
    """

    path: str
    folder: str
    label: str | None
    within: str


@dataclass(frozen=True, kw_only=True)
class LabelledFolder:
    """The labelled images of a folder.

    Attributes:
        root: The folder.
        images: The images, sorted by path.
        split: The split that they are of; "" where the folder has none, or for all of them.
        renamed: Class folder to label, where the two are spelt differently.
        unknown: Class folders that no label of the model corresponds to.
        missing: Labels of the model without an image.
        notes: What else there is to know, in sentences.
    """

    root: Path
    images: tuple[LabelledImage, ...]
    split: str = ""
    renamed: Mapping[str, str]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ClassChoice:
    """The images to take of a folder, and the label that each of its classes is.

    Attributes:
        split: "train", "validation", "test" or "all"; None takes test where the folder has it,
            else all.
        classes: Class folders to take; None takes all.
        renamed: Class folder to the label that it is, where the two are called differently.
    """

    split: str | None = None
    classes: Sequence[str] | None = None
    renamed: Mapping[str, str] | None = None


@contextmanager
def open_labelled(data: str | os.PathLike[str]) -> Iterator[tuple[Path, str]]:
    """Yield the folder of labelled images, which of a .zip is a temporary one, and its name.

    Args:
        data: As of `edgeemo.dataset.ingest.sources.open_images`; its name stands in messages about
            the images.

    Raises:
        DatasetError: As `edgeemo.dataset.ingest.sources.open_images`.
    """
    name = str(make_path(data))
    with open_images(data) as root:
        try:
            yield root, name
        except DatasetError as error:
            raise DatasetError(str(error).replace(str(root), name)) from None


def find_labelled_images(
    root: Path,
    labels: Sequence[str],
    choice: ClassChoice | None = None,
    *,
    background: str | None = None,
) -> LabelledFolder:
    """Find the images of a folder with one sub-folder per class.

    The folder has one sub-folder per class, or folders train, validation (or val, valid) and test,
    of which one will do, with the class folders inside; either may lie deeper, if each folder above
    is the only one of its parent. A class folder is the label of its name, whatever the case of the
    letters. Images have one of the suffixes that ``edgeemo predict`` searches for.

    Args:
        root: The folder.
        labels: The classes of the model.
        choice: The images to take.
        background: The model's background class, whose images count as those of an unknown class.

    Raises:
        DatasetError: If the folder does not exist or cannot be read, has no labelled image, lacks a
            class or the split that `choice` names, or no class is a label of the model.
    """
    choice = choice or ClassChoice()
    passed_over = PassedOver()
    tree = LabelledList(root) if get_listed(root) else LabelledTree(root, labels, passed_over)
    split = tree.choose_split(choice.split)
    classes = _choose_classes(root, tree, labels, choice)
    known = match_labels(root, classes, labels, choice.renamed or {})
    images = [
        LabelledImage(path, folder, known[folder], within)
        for path, folder, within in sorted(tree.list_images(known))
    ]
    others = passed_over.describe()
    if not images:
        why = f"no image in its class folders ({list_names(classes)}){others and f'; {others}'}"
        raise DatasetError(f"{root}: {why}")
    found = {image.label for image in images}
    if found == {None}:
        raise DatasetError(describe_unknown_classes(root, known, labels))
    return LabelledFolder(
        root=root,
        images=tuple(images),
        split=split,
        renamed={name: label for name, label in known.items() if label not in (None, name)},
        unknown=tuple(name for name, label in known.items() if label is None),
        missing=tuple(label for label in labels if label not in found),
        notes=(
            *list_notes(
                known, labels, loose=tree.count_loose(), found=found, background=background
            ),
            *([others] if others else []),
        ),
    )


def match_labels(
    root: Path, classes: Sequence[str], labels: Sequence[str], renamed: Mapping[str, str]
) -> dict[str, str | None]:
    """Return the label that each class folder is; None where the model does not know it.

    Args:
        root: The data folder, for the message.
        classes: Names of the class folders.
        labels: The labels of the model.
        renamed: As in `ClassChoice`.

    Raises:
        DatasetError: If `renamed` names a folder or a label that does not exist.
    """
    for name, label in renamed.items():
        if name not in classes:
            raise DatasetError(f"{root}: {describe_unknown('class', name, classes)}")
        if label not in labels:
            raise DatasetError(describe_unknown("label of the model", label, labels))
    folded = Counter(label.casefold() for label in labels)
    same = {label.casefold(): label for label in labels if folded[label.casefold()] == 1}
    return {
        name: renamed.get(name) or (name if name in labels else same.get(name.casefold()))
        for name in classes
    }


def _choose_classes(
    root: Path, tree: LabelledTree | LabelledList, labels: Sequence[str], choice: ClassChoice
) -> list[str]:
    found = sorted(tree.list_classes())
    if not found:
        raise DatasetError(describe_unlabelled(root, tree.count_images(), labels))
    for name in choice.classes or ():
        if name not in found:
            raise DatasetError(f"{root}: {describe_unknown('class', name, found)}")
    return [name for name in found if choice.classes is None or name in choice.classes]
