"""The class folders and splits of a data folder. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.class_choice import (
    describe_missing_classes,
    order_labels,
    select_classes,
)
from edgeemo.dataset.ingest.folders import list_folders
from edgeemo.dataset.ingest.splits import find_splits, is_split_name, require_train_split
from edgeemo.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.model.tables import Split


def check_classes(
    root: Path,
    *,
    labels: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    may_lack_images: bool = False,
) -> tuple[str, ...]:
    """Return the class names of a data folder without a look at the files inside them.

    Args:
        root: As of `edgeemo.dataset.ingest.find.find_files`.
        labels: As of `edgeemo.dataset.ingest.find.find_files`.
        classes: As of `edgeemo.dataset.ingest.find.find_files`.
        may_lack_images: As of `edgeemo.dataset.ingest.find.find_files`.

    Raises:
        DatasetError: As `edgeemo.dataset.ingest.find.find_files`.
    """
    _, _, names = find_class_folders(root, classes)
    return order_labels(root, names, labels, may_lack_images=may_lack_images)


def list_classes(root: Path) -> list[str]:
    """Return the names of the class folders of a data folder, of which one will do, sorted.

    Raises:
        DatasetError: As `edgeemo.dataset.ingest.find.find_files`.
    """
    _, _, names = _list_all(root, ())
    if not names:
        raise DatasetError(describe_missing_classes(root, names))
    return names


def find_top_folder(folder: Path) -> Path:
    """Return the folder with the classes or splits: itself, or one that is alone inside it.

    Raises:
        DatasetError: If a folder cannot be read.
    """
    names = list_folders(folder)
    if len(names) != 1 or is_split_name(names[0]):
        return folder
    only = folder / names[0]
    return find_top_folder(only) if list_folders(only) else folder


def find_class_folders(
    root: Path, classes: Sequence[str] | None
) -> tuple[Path, list[tuple[Path, Split]], list[str]]:
    """Return the folder with the classes or splits, its splits, and the classes to take.

    Args:
        root: As of `edgeemo.dataset.ingest.find.find_files`.
        classes: As of `edgeemo.dataset.ingest.find.find_files`.

    Raises:
        DatasetError: As `edgeemo.dataset.ingest.find.find_files`.
    """
    top, splits, names = _list_all(root, classes)
    if len(names) < (2 if classes is None else 1):
        raise DatasetError(describe_missing_classes(root, names))
    if not splits:
        require_train_split(root, top)
    return top, splits, select_classes(root, names, classes)


def has_classes(root: Path) -> bool:
    """Return whether a folder exists and has a sub-folder, which could be a class."""
    return root.is_dir() and bool(list_folders(root))


def _list_all(
    root: Path, classes: Sequence[str] | None
) -> tuple[Path, list[tuple[Path, Split]], list[str]]:
    """Return the folder with the classes or splits, its splits, and all classes."""
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder")
    top = find_top_folder(root)
    splits = find_splits(top)
    names = _find_classes(splits, classes) if splits else list_folders(top)
    return top, splits, names


def _find_classes(splits: Sequence[tuple[Path, Split]], classes: Sequence[str] | None) -> list[str]:
    """Return the classes of the train split; each of another split has to be one, if taken."""
    trained = {name for path, split in splits if split == "train" for name in list_folders(path)}
    for path, _ in splits:
        strange = sorted(set(list_folders(path)) - trained)
        if classes is not None:
            strange = [name for name in strange if name in classes]
        if strange:
            raise DatasetError(f"{path}: {', '.join(strange)} is no class of the train split")
    return sorted(trained)
