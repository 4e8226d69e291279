"""Labelled images of a folder, for a model whose labels may be others. Standard library only."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.archive import open_data
from edgeemo.dataset.ingest.find import find_top_folder, walk_files
from edgeemo.dataset.ingest.folders import list_folders
from edgeemo.dataset.ingest.splits import find_splits
from edgeemo.errors import DatasetError
from edgeemo.evaluate.labelled_messages import (
    describe_unknown_classes,
    describe_unlabelled,
    list_names,
    list_notes,
)
from edgeemo.imaging.suffixes import PassedOver, format_by_name, is_ignored
from edgeemo.utils.suggest import describe_unknown
from edgeemo.utils.text import join_and

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ALL = "all"
"""The name of all splits together."""


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
        split: "train", "validation", "test" or `ALL`; None takes test where the folder has it,
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
        data: The folder or .zip, whose name stands in messages about the images.

    Raises:
        DatasetError: As `edgeemo.dataset.open_data`.
    """
    name = os.fspath(data)
    with open_data(Path(name)) as root:
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
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder")
    top = _find_top(root, labels)
    places, split = _choose_places(root, top, choice.split)
    classes = _choose_classes(root, places, labels, choice)
    known = match_labels(root, classes, labels, choice.renamed or {})
    passed_over = PassedOver()
    images = sorted(_list_images(root, places, known, passed_over), key=lambda image: image.path)
    others = passed_over.describe()
    if not images:
        why = f"no image in its class folders ({list_names(classes)}){others and f'; {others}'}"
        raise DatasetError(f"{root}: {why}")
    found = {image.label for image in images}
    if found == {None}:
        raise DatasetError(describe_unknown_classes(root, known, labels))
    loose = sum(_is_image(path) for path in top.iterdir() if path.is_file())
    return LabelledFolder(
        root=root,
        images=tuple(images),
        split=split,
        renamed={name: label for name, label in known.items() if label not in (None, name)},
        unknown=tuple(name for name, label in known.items() if label is None),
        missing=tuple(label for label in labels if label not in found),
        notes=(
            *list_notes(known, labels, loose=loose, found=found, background=background),
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


def _find_top(root: Path, labels: Sequence[str]) -> Path:
    """Return the folder with the classes or splits; a class may be the only folder in it."""
    top = find_top_folder(root)
    is_class = top != root and top.name.casefold() in {label.casefold() for label in labels}
    return top.parent if is_class else top


def _choose_places(root: Path, top: Path, wanted: str | None) -> tuple[list[Path], str]:
    """Return the folders with the class folders, and the split that they are."""
    splits = find_splits(top, complete=False)
    if not splits:
        if wanted not in (None, ALL):
            raise DatasetError(f"{root}: has no splits; omit --split {wanted}")
        return [top], ""
    names = sorted({split for _, split in splits})
    if wanted is None:
        wanted = "test" if "test" in names else ALL
    if wanted != ALL and wanted not in names:
        raise DatasetError(f"{root}: has no {wanted} split, but {join_and(names)}")
    places = [path for path, split in splits if wanted in (ALL, split)]
    return places, "" if wanted == ALL else wanted


def _choose_classes(
    root: Path, places: Sequence[Path], labels: Sequence[str], choice: ClassChoice
) -> list[str]:
    found = sorted({name for place in places for name in list_folders(place)})
    if not found:
        count = sum(_is_image(path) for place in places for path in walk_files(place))
        raise DatasetError(describe_unlabelled(root, count, labels))
    for name in choice.classes or ():
        if name not in found:
            raise DatasetError(f"{root}: {describe_unknown('class', name, found)}")
    return [name for name in found if choice.classes is None or name in choice.classes]


def _list_images(
    root: Path,
    places: Sequence[Path],
    known: Mapping[str, str | None],
    passed_over: PassedOver,
) -> Iterator[LabelledImage]:
    for place in places:
        for name, label in known.items():
            folder = place / name
            for path in walk_files(folder) if folder.is_dir() else ():
                if _is_image(path):
                    within = path.relative_to(folder).as_posix()
                    inside = path.relative_to(root).as_posix()
                    yield LabelledImage(inside, name, label, within)
                else:
                    passed_over.add(path.name)


def _is_image(path: Path) -> bool:
    return format_by_name(path.name) is not None and not is_ignored(path.name)
