"""Folders that are splits, and class folders that probably are none. Standard library only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.bulk.bucket_path import BucketPath
from edgeemo.dataset.ingest.folders import list_folders
from edgeemo.errors import DatasetError
from edgeemo.imaging.suffixes import is_ignored
from edgeemo.utils.text import join_and

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.model.tables import Split

_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "validate": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "privatetest": "test",
    "holdout": "test",
}
_EITHER = ("eval", "evaluation", "publictest")
"""Names of validation splits where there is a test split besides, and of test splits otherwise."""

_FILLER = re.compile(r"^\d+|[\s_.-]+|(?<=.)(set|data|images|imgs|split)$")
_SHOWN = 6
"""Number of names that a message lists."""


@dataclass(frozen=True)
class LayoutWarning:
    """A doubt about the classes of a folder.

    Attributes:
        text: The doubt and the remedy, in a sentence without its full stop.
        is_certain: Whether the classes are not what was meant; False where a person has to decide.
    """

    text: str
    is_certain: bool


def is_split_name(name: str) -> bool:
    """Return whether a folder of that name can be a split."""
    plain = _simplify(name)
    return plain in _NAMES or plain in _EITHER


def read_split_name(name: str) -> Split | None:
    """Return the split that a name always stands for, if any."""
    return _NAMES.get(_simplify(name))


def find_splits(top: Path, *, complete: bool = True) -> list[tuple[Path, Split]]:
    """Return the folders that are splits; none where they are not.

    Args:
        top: The folder with the classes or splits.
        complete: Whether a train folder with folders inside is required; without it the splits are
            those of a folder that has nothing else, each with folders inside.
    """
    names = list_folders(top)
    found = [(top / name, split) for name, split in _name_splits(names).items()]
    if any(split == "train" and list_folders(path) for path, split in found):
        return found
    others = complete or len(found) < len(names)
    return [] if others or not all(list_folders(path) for path, _ in found) else found


def require_train_split(root: Path, top: Path) -> None:
    """Refuse a folder that has splits and nothing else, but none to train on.

    Args:
        root: The data folder, for the message.
        top: The folder with the classes or splits.

    Raises:
        DatasetError: If it is one.
    """
    found = sorted({split for _, split in find_splits(top, complete=False)})
    if found and "train" not in found:
        raise DatasetError(
            f"{root}: has a {join_and(found)} split, but none to train on; add a folder 'train' "
            "beside it, or name a folder with one sub-folder per class"
        )


def find_layout_warnings(top: Path, names: Sequence[str]) -> list[LayoutWarning]:
    """Return the doubts about class folders, by the folders inside them.

    Args:
        top: The folder with the class folders.
        names: Names of the classes.
    """
    inside = {name: _list_inside(top / name) for name in names}
    folded = {name.casefold() for name in names}
    found = []
    for name in names:
        same = [inner for inner in inside[name] if inner.casefold() in folded]
        if same:
            text = (
                f"{name} is taken for a class, but has sub-folders with the names of classes "
                f"({_list_names(same)}); move it out, or make splits: train and {name} beside it"
            )
            found.append(LayoutWarning(text, is_certain=True))
    common = set.intersection(*({one.casefold() for one in each} for each in inside.values()))
    shared = [one for one in inside[names[0]] if one.casefold() in common]
    if found or len(shared) < 2 or len(names) < 2:
        return found
    return [_describe_shared(names, shared)]


def _describe_shared(names: Sequence[str], shared: Sequence[str]) -> LayoutWarning:
    begin = f"every class ({_list_names(names)}) has the same sub-folders ({_list_names(shared)})"
    if all(map(is_split_name, shared)):
        text = f"{begin}, which are not taken for splits: put the classes into the splits instead"
        return LayoutWarning(text, is_certain=True)
    text = (
        f"{begin}; if those are the classes, name one of the folders, or put all images into one "
        "folder per class; folders named train, validation and test are splits"
    )
    return LayoutWarning(text, is_certain=False)


def _name_splits(names: Sequence[str]) -> dict[str, Split]:
    """Return the split that each of the folders' names stands for, without those that are none."""
    plain = {name: _simplify(name) for name in names}
    found = {_NAMES.get(each) for each in plain.values()}
    either: Split = "validation" if "test" in found else "test"
    splits: dict[str, Split] = {}
    for name, each in plain.items():
        if each in _NAMES:
            splits[name] = _NAMES[each]
        elif each in _EITHER:
            splits[name] = either
    return splits


def _simplify(name: str) -> str:
    """Return a folder's name in lower case, without separators and words such as "set"."""
    return _FILLER.sub("", _FILLER.sub("", name.casefold()))


def _list_inside(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted; none where it cannot be read."""
    try:
        if isinstance(folder, BucketPath):
            return [name for name in folder.list_folder().folders if not is_ignored(name)]
        with os.scandir(folder) as entries:
            return sorted(
                entry.name for entry in entries if entry.is_dir() and not is_ignored(entry.name)
            )
    except OSError:  # whoever reads the files says so
        return []


def _list_names(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
