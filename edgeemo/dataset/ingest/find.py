"""Find the classes, the splits and the image files of a folder. Standard library only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.errors import DatasetError
from edgeemo.model.tables import SPLITS
from edgeemo.utils.suggest import find_nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edgeemo.model.tables import Split

_SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}
_NO_IMAGES = {"thumbs.db", "desktop.ini", "__macosx"}
_TABLES = {"rejected.csv", "split.csv", "crop.csv", "faces.json", "face-model.onnx"}


@dataclass(frozen=True, slots=True)
class Found:
    """One file in a class folder; whether it is an image is not known yet.

    Attributes:
        path: Relative to the data folder, with forward slashes.
        label: Its class.
        split: The split that it was brought in, or None.
    """

    path: str
    label: str
    split: Split | None


@dataclass(frozen=True)
class Layout:
    """What a data folder holds.

    Attributes:
        root: The folder.
        labels: Class names, in the order asked for, else sorted.
        splits: The splits that the folder brings and that hold files; empty if it brings none.
        files: Every file in a class folder, sorted by path.
        ignored: Sub-folders beside the splits that were not looked into.
    """

    root: Path
    labels: tuple[str, ...]
    splits: tuple[Split, ...]
    files: tuple[Found, ...]
    ignored: tuple[str, ...] = ()


def find_files(root: Path, *, labels: Sequence[str] | None = None) -> Layout:
    """Find the classes and their files.

    The folder has one sub-folder per class, or train, validation (or val, valid) and test, in any
    case, with the class folders inside; either may lie deeper, each folder above being the only
    one of its parent. Files inside a class are found at any depth. Hidden entries and what
    desktops leave behind are no images; links to folders are not followed.

    Args:
        root: The data folder.
        labels: The class names in the order wanted; None sorts them.

    Raises:
        DatasetError: If there is no such folder, it cannot be read, it holds fewer than two
            classes, or `labels` are not its classes.
    """
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder")
    top = _descend(root)
    splits = _split_folders(top)
    names = _class_names(splits) if splits else _folder_names(top)
    if len(names) < 2:
        raise DatasetError(_too_few(root, names))
    ordered, files = _ordered(root, names, labels), _all_files(root, top, names, splits)
    return Layout(
        root=root,
        labels=ordered,
        splits=tuple(split for split in SPLITS if any(file.split == split for file in files)),
        files=tuple(files),
        ignored=_ignored(top, splits),
    )


def find_any_files(root: Path) -> Layout:
    """As `find_files`, but a folder with fewer than two classes counts as one, of its own name.

    Raises:
        DatasetError: As `find_files`, but for the number of classes; and if there are no files.
    """
    top = _descend(root) if root.is_dir() else root
    if root.is_dir() and not _split_folders(top) and len(_folder_names(top)) < 2:
        name = root.resolve().name or "images"
        paths = [
            path.relative_to(root).as_posix()
            for path in walk(root)
            if path.parent != root or path.name not in _TABLES  # what edgeemo puts beside
        ]
        found = tuple(Found(path, name, None) for path in sorted(paths))
        layout = Layout(root=root, labels=(name,), splits=(), files=found)
    else:
        layout = find_files(root)
    if not layout.files:
        raise DatasetError(f"{root}: there are no files in it")
    return layout


def top_folder(root: Path) -> Path:
    """The folder that holds the classes or splits, past folders that are alone in their parent.

    Raises:
        DatasetError: If a folder cannot be read.
    """
    return _descend(root)


def has_classes(root: Path) -> bool:
    """Whether a folder exists and holds at least one folder that could be a class."""
    return root.is_dir() and bool(_folder_names(root))


def is_ignored(name: str) -> bool:
    """Whether an entry of that name is hidden, or of the kind that desktops leave behind."""
    return name.startswith(".") or name.lower() in _NO_IMAGES


def walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder that is not ignored, in sorted order.

    Raises:
        DatasetError: If a folder cannot be read: its images would be missing unnoticed.
    """
    for name in _entries(folder):
        path = folder / name
        if path.is_dir():
            if not path.is_symlink():  # a link may lead back up, and round for ever
                yield from walk(path)
        else:
            yield path


def _descend(folder: Path) -> Path:
    """Down to the folder that holds the classes, past folders that are alone in their parent."""
    names = _folder_names(folder)
    if len(names) != 1 or names[0].lower() in _SPLIT_NAMES:
        return folder
    only = folder / names[0]
    return _descend(only) if _folder_names(only) else folder


def _split_folders(top: Path) -> list[tuple[Path, Split]]:
    """The folders that are splits; none unless one of them is train, with folders inside."""
    found = [
        (top / name, _SPLIT_NAMES[name.lower()])
        for name in _folder_names(top)
        if name.lower() in _SPLIT_NAMES
    ]
    if not any(split == "train" and _folder_names(path) for path, split in found):
        return []
    return found


def _class_names(splits: Sequence[tuple[Path, Split]]) -> list[str]:
    trained = {name for path, split in splits if split == "train" for name in _folder_names(path)}
    for path, _ in splits:
        strange = sorted(set(_folder_names(path)) - trained)
        if strange:
            raise DatasetError(f"{path}: {', '.join(strange)} is no class of the train split")
    return sorted(trained)


def _all_files(
    root: Path, top: Path, names: Sequence[str], splits: Sequence[tuple[Path, Split]]
) -> list[Found]:
    folders: list[tuple[Path, Split | None]] = [*splits] or [(top, None)]
    found = [
        Found(path.relative_to(root).as_posix(), name, split)
        for folder, split in folders
        for name in names
        if (folder / name).is_dir()
        for path in walk(folder / name)
    ]
    return sorted(found, key=lambda file: file.path)


def _ignored(top: Path, splits: Sequence[tuple[Path, Split]]) -> tuple[str, ...]:
    if not splits:
        return ()
    used = {path.name for path, _ in splits}
    return tuple(name for name in _folder_names(top) if name not in used)


def _ordered(root: Path, names: Sequence[str], labels: Sequence[str] | None) -> tuple[str, ...]:
    if labels is None:
        return tuple(names)
    missing = sorted(set(labels) - set(names))
    extra = sorted(set(names) - set(labels))
    if missing or extra or len(set(labels)) != len(labels):
        difference = "; ".join(
            part
            for part in (
                f"no folder for {_with_nearest(missing, extra)}" if missing else "",
                f"a folder but no label for {', '.join(extra)}" if extra else "",
                "a label is named twice" if len(set(labels)) != len(labels) else "",
            )
            if part
        )
        raise DatasetError(f"{root}: the labels are not the class folders: {difference}")
    return tuple(labels)


def _with_nearest(missing: Sequence[str], free: Sequence[str]) -> str:
    """Return the labels without a folder, each with the folder without a label most like it."""
    nearest = {name: find_nearest(name, free) for name in missing}
    return ", ".join(
        f"{name} (did you mean {near!r}?)" if near else name for name, near in nearest.items()
    )


def _folder_names(folder: Path) -> list[str]:
    names = [name for name in _entries(folder) if (folder / name).is_dir()]
    for name in names:
        if not name.isprintable():  # nor is what is not valid text
            raise DatasetError(f"{folder}: rename the folder {name!r}: not a name to print")
    return names


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not is_ignored(name))  # noqa: PTH208
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be read: {error.strerror}") from None


def _too_few(root: Path, names: Sequence[str]) -> str:
    layout = "one sub-folder per class, at least two"
    if not names:
        return f"{root}: no classes here; make {layout}"
    return f"{root}: only one class ({names[0]}); make {layout}"
