"""Where labelled images are: a folder with class folders, or a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.dataset.ingest.class_folders import find_top_folder
from edgeemo.dataset.ingest.folders import list_folders, walk_files
from edgeemo.dataset.ingest.image_list import get_listed
from edgeemo.dataset.ingest.splits import find_splits
from edgeemo.errors import DatasetError
from edgeemo.imaging.suffixes import format_by_name, is_ignored
from edgeemo.utils.text import join_and

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from edgeemo.imaging.suffixes import PassedOver

ALL = "all"
"""The name of all splits together."""


class LabelledTree:
    """A folder with class folders, or with splits that have them.

    Args:
        root: The folder.
        labels: The classes of the model.
        passed_over: Counts the files that are no images.

    Raises:
        DatasetError: If it does not exist or cannot be read.
    """

    def __init__(self, root: Path, labels: Sequence[str], passed_over: PassedOver) -> None:
        if not root.is_dir():
            raise DatasetError(f"{root}: no such folder")
        self._root, self._passed_over = root, passed_over
        self._top = _find_top(root, labels)
        self._places = [self._top]

    def choose_split(self, requested: str | None) -> str:
        """Choose the folders of a split; return its name, "" for all images."""
        splits = find_splits(self._top, complete=False)
        chosen = _choose_split(self._root, {split for _, split in splits}, requested)
        if splits:
            self._places = [path for path, split in splits if chosen in ("", split)]
        return chosen

    def list_classes(self) -> set[str]:
        """Return the names of the class folders."""
        return {name for place in self._places for name in list_folders(place)}

    def count_images(self) -> int:
        """Return the number of images, labelled or not."""
        return sum(_is_image(path) for place in self._places for path in walk_files(place))

    def count_loose(self) -> int:
        """Return the number of images beside the class folders."""
        return sum(_is_image(path) for path in self._top.iterdir() if path.is_file())

    def list_images(self, known: Collection[str]) -> Iterator[tuple[str, str, str]]:
        """Yield path, class folder and path within it of the images of some."""
        for place in self._places:
            for name in known:
                folder = place / name
                for path in walk_files(folder) if folder.is_dir() else ():
                    if _is_image(path):
                        within = path.relative_to(folder).as_posix()
                        inside = path.relative_to(self._root).as_posix()
                        yield inside, name, within
                    else:
                        self._passed_over.add(path.name)


class LabelledList:
    """The images of a list.

    Args:
        root: A folder of `edgeemo.dataset.ingest.image_list.open_list`.
    """

    def __init__(self, root: Path) -> None:
        self._root, self._listed = root, get_listed(root)

    def choose_split(self, requested: str | None) -> str:
        """Choose the images of a split; return its name, "" for all images."""
        splits = {each.split for each in self._listed if each.split}
        chosen = _choose_split(self._root, splits, requested)
        self._listed = tuple(each for each in self._listed if chosen in ("", each.split))
        return chosen

    def list_classes(self) -> set[str]:
        """Return the classes."""
        return {each.label for each in self._listed}

    def count_images(self) -> int:
        """Return the number of images."""
        return len(self._listed)

    def count_loose(self) -> int:
        """Return 0: each has a label."""
        return 0

    def list_images(self, known: Collection[str]) -> Iterator[tuple[str, str, str]]:
        """Yield path, class and path of the images of some classes."""
        for path, folder, _ in self._listed:
            if folder in known:
                yield path, folder, path


def _find_top(root: Path, labels: Sequence[str]) -> Path:
    """Return the folder with the classes or splits; a class may be the only folder in it."""
    top = find_top_folder(root)
    is_class = top != root and top.name.casefold() in {label.casefold() for label in labels}
    return top.parent if is_class else top


def _choose_split(root: Path, splits: Collection[str], requested: str | None) -> str:
    """Return the split to take, of those that there are; "" for all images."""
    names = sorted(splits)
    if not names:
        if requested not in (None, ALL):
            raise DatasetError(f"{root}: has no splits; omit --split {requested}")
        return ""
    if requested is None:
        requested = "test" if "test" in names else ALL
    if requested != ALL and requested not in names:
        raise DatasetError(f"{root}: has no {requested} split, but {join_and(names)}")
    return "" if requested == ALL else requested


def _is_image(path: Path) -> bool:
    return format_by_name(path.name) is not None and not is_ignored(path.name)
