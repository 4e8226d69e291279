"""The labelled files of a data folder. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.class_choice import order_labels, select_classes
from edgeemo.dataset.ingest.class_folders import find_class_folders, find_top_folder
from edgeemo.dataset.ingest.folders import list_folders, walk_files
from edgeemo.dataset.ingest.image_list import get_listed
from edgeemo.dataset.ingest.splits import find_layout_warnings, find_splits
from edgeemo.errors import DatasetError
from edgeemo.model.tables import SPLITS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.dataset.ingest.image_list import ListedImage
    from edgeemo.dataset.ingest.splits import LayoutWarning
    from edgeemo.model.tables import Split

# Files that edgeemo writes beside the images.
_OWN_FILES = {"rejected.csv", "split.csv", "crop.csv", "faces.json", "face-model.onnx"}


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A file in a class folder, an image or not.

    Attributes:
        path: Path relative to the data folder, with forward slashes.
        label: Class of the file.
        split: Split of the data folder that the file lies in, or None.
    """

    path: str
    label: str
    split: Split | None


@dataclass(frozen=True)
class FolderLayout:
    """The labelled files of a data folder.

    Attributes:
        root: The folder.
        labels: Class names, in the given order or sorted.
        splits: Splits of the folder that hold files; empty if it has none.
        files: Every file in a class folder, sorted by path.
        ignored: Sub-folders beside the splits, which are not used.
        warnings: Doubts about the classes.
    """

    root: Path
    labels: tuple[str, ...]
    splits: tuple[Split, ...]
    files: tuple[LabelledFile, ...]
    ignored: tuple[str, ...] = ()
    warnings: tuple[LayoutWarning, ...] = ()


def find_files(
    root: Path,
    *,
    labels: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    may_lack_images: bool = False,
) -> FolderLayout:
    """Find the classes of a data folder and their files.

    The folder has one sub-folder per class, or train, validation (or val, valid) and test, in any
    case and with other usual names (`edgeemo.dataset.ingest.splits`), with the class folders
    inside; either may lie deeper, if each folder above is the only one of its parent. Files inside
    a class are found at any depth. Hidden files and those that desktops create are ignored; links
    to folders are not followed.

    Args:
        root: The data folder.
        labels: Class names in the required order; None sorts them.
        classes: Classes to take; None takes all.
        may_lack_images: Whether labels without a folder are allowed, and left out.

    Raises:
        DatasetError: If the folder does not exist or cannot be read, has fewer than two classes,
            lacks one of `classes`, or has other classes than `labels`.
    """
    if listed := get_listed(root):
        return _choose_listed(root, listed, labels, classes, may_lack_images=may_lack_images)
    top, splits, names = find_class_folders(root, classes)
    ordered = order_labels(root, names, labels, may_lack_images=may_lack_images)
    files = _find_class_files(root, top, names, splits)
    return FolderLayout(
        root=root,
        labels=ordered,
        splits=tuple(split for split in SPLITS if any(file.split == split for file in files)),
        files=tuple(files),
        ignored=_find_ignored(top, splits),
        warnings=tuple(_find_warnings(top, names, splits)),
    )


def _choose_listed(
    root: Path,
    listed: Sequence[ListedImage],
    labels: Sequence[str] | None,
    classes: Sequence[str] | None,
    *,
    may_lack_images: bool = False,
) -> FolderLayout:
    """Return the layout of a list of images; a list of one label is allowed, unlike a folder."""
    names = select_classes(root, sorted({each.label for each in listed}), classes)
    files = [LabelledFile(*each) for each in listed if each.label in names]
    return FolderLayout(
        root=root,
        labels=order_labels(root, names, labels, may_lack_images=may_lack_images),
        splits=tuple(split for split in SPLITS if any(file.split == split for file in files)),
        files=tuple(files),
    )


def find_any_files(root: Path, *, classes: Sequence[str] | None = None) -> FolderLayout:
    """Find the files of a folder with classes as `find_files`, or of one without.

    A folder with fewer than two classes counts as one class with the name of the folder.

    Args:
        root: The folder, here or in a bucket, or that of a list, as
            `edgeemo.dataset.ingest.sources.open_images` yields it.
        classes: Classes to take, as of `find_files`; None takes all.

    Raises:
        DatasetError: If the folder does not exist, cannot be read or has no files, or lacks one of
            `classes`.
    """
    if listed := get_listed(root):
        return _choose_listed(root, listed, None, classes)
    top = find_top_folder(root) if root.is_dir() else root
    one = root.is_dir() and not find_splits(top) and len(list_folders(top)) < 2
    if one and classes is None:
        name = root.resolve().name or "images"
        paths = [
            path.relative_to(root).as_posix()
            for path in walk_files(root)
            if path.parent != root or path.name not in _OWN_FILES
        ]
        found = tuple(LabelledFile(path, name, None) for path in sorted(paths))
        layout = FolderLayout(root=root, labels=(name,), splits=(), files=found)
    else:
        layout = find_files(root, classes=classes)
    if not layout.files:
        raise DatasetError(f"{root}: there are no files in it")
    return layout


def _find_class_files(
    root: Path, top: Path, names: Sequence[str], splits: Sequence[tuple[Path, Split]]
) -> list[LabelledFile]:
    folders: list[tuple[Path, Split | None]] = [*splits] or [(top, None)]
    found = [
        LabelledFile(path.relative_to(root).as_posix(), name, split)
        for folder, split in folders
        for name in names
        if (folder / name).is_dir()
        for path in walk_files(folder / name)
    ]
    return sorted(found, key=lambda file: file.path)


def _find_warnings(
    top: Path, names: Sequence[str], splits: Sequence[tuple[Path, Split]]
) -> list[LayoutWarning]:
    """Return the doubts about the classes, of splits about those of the train split."""
    trained = [path for path, split in splits if split == "train"]
    return find_layout_warnings((trained or [top])[0], names)


def _find_ignored(top: Path, splits: Sequence[tuple[Path, Split]]) -> tuple[str, ...]:
    if not splits:
        return ()
    used = {path.name for path, _ in splits}
    return tuple(name for name in list_folders(top) if name not in used)
