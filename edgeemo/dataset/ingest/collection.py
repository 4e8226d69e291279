"""Collections: folders of images that one network is trained on together. Standard library only."""

from __future__ import annotations

import math
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.dataset.ingest.class_folders import list_classes
from edgeemo.dataset.ingest.sources import check_source, open_data
from edgeemo.errors import DatasetError
from edgeemo.model.training_facts import NamedFolders
from edgeemo.utils.paths import convert_paths
from edgeemo.utils.suggest import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_KEYS = ("path", "weight", "classes")


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A folder of images among several.

    Attributes:
        path: The folder, or a .zip.
        weight: Factor of its images in the loss of the training, above 0.
        classes: For some of its class folders the class of the model that they stand for, or the
            shares of several classes. Images of such shares are trained on only.

    Raises:
        DatasetError: If a value is wrong.
    """

    path: Path
    weight: float = 1.0
    classes: Mapping[str, str | Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        convert_paths(self, "path")
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise DatasetError(
                f"{self.path}: its weight must be a number above 0, not {self.weight}"
            )
        for name, meaning in self.classes.items():
            if not isinstance(meaning, str):
                _check_shares(f"{self.path}: the shares of {name}", meaning)


@dataclass(frozen=True, kw_only=True)
class OpenCollection:
    """A collection whose images can be read.

    Attributes:
        name: Its name, which is the first part of the paths of its images.
        folder: The folder; of a .zip a temporary one.
        given: The collection as given.
    """

    name: str
    folder: Path
    given: Collection


@dataclass(frozen=True, kw_only=True)
class CollectionClasses:
    """The classes that are taken of a collection.

    Attributes:
        hard: Class folder to class of the model.
        soft: Class folder to the shares of the classes of the model, which add up to 1.
    """

    hard: Mapping[str, str]
    soft: Mapping[str, Mapping[str, float]]


def parse_collection(content: Any) -> Collection:
    """Return the collection of a table of a configuration file.

    Raises:
        DatasetError: If a key or a value is wrong.
    """
    if not isinstance(content, dict):
        raise DatasetError(f"a collection is a table with a path, not {content!r}")
    for key in content:
        if key not in _KEYS:
            raise DatasetError(describe_unknown("key", key, _KEYS))
    path, weight, classes = (content.get(key) for key in _KEYS)
    if not isinstance(path, str) or not path:
        raise DatasetError(f"path must be a path, not {path!r}")
    if type(weight) not in (int, float, type(None)):
        raise DatasetError(f"weight must be a number, not {weight!r}")
    if not isinstance(classes, dict | None):
        raise DatasetError(f"classes must be a table, not {classes!r}")
    for name, meaning in (classes or {}).items():
        if not isinstance(meaning, str | dict):
            raise DatasetError(
                f"classes.{name} must be a class or a table of shares, not {meaning!r}"
            )
    return Collection(
        path=Path(path), weight=1.0 if weight is None else float(weight), classes=classes or {}
    )


def name_collections(collections: Sequence[Collection]) -> NamedFolders:
    """Return the collections' folders by the names that they have in tables: those of the folders.

    A second one of the same name gets a number.
    """
    named: dict[str, Path] = {}
    for each in collections:
        path = Path(os.path.normpath(each.path.absolute()))  # of ".." the folder that it is
        stem = path.stem if path.suffix == ".zip" else path.name or "images"
        name, number = stem, 1
        while name in named:
            number += 1
            name = f"{stem}-{number}"
        named[name] = each.path
    return NamedFolders(named)


@contextmanager
def open_collections(
    collections: Sequence[Collection],
) -> Iterator[tuple[Path, tuple[OpenCollection, ...]]]:
    """Provide collections as the sub-folders of one folder.

    Yields:
        A temporary folder of links to the collections, named by `name_collections`, and the
        collections. It is removed afterwards.

    Raises:
        DatasetError: As `open_data`.
    """
    with ExitStack() as stack:
        folders = [stack.enter_context(open_data(each.path)) for each in collections]
        named = name_collections(collections)
        opened = NamedFolders(dict(zip(named.folders, folders, strict=True)))
        root = stack.enter_context(open_data(opened))
        yield (
            root,
            tuple(
                OpenCollection(name=name, folder=folder, given=given)
                for (name, folder), given in zip(opened.folders.items(), collections, strict=True)
            ),
        )


def check_collections(
    collections: Sequence[Collection],
    *,
    labels: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
) -> tuple[str, ...] | None:
    """Check the classes of collections before any slow work.

    Args:
        collections: The collections.
        labels: Class names in the required order; None sorts them.
        classes: Classes to take; None takes all.

    Returns:
        The class names, in the order of the network's outputs; None where one is an archive.

    Raises:
        DatasetError: If one does not exist, or they have not the same classes.
    """
    for each in collections:
        check_source(each.path)
    if not all(each.path.is_dir() for each in collections):
        return None
    opened = [
        OpenCollection(name=each.path.name, folder=each.path, given=each) for each in collections
    ]
    return choose_classes(opened, labels=labels, classes=classes)[0]


def choose_classes(
    collections: Sequence[OpenCollection],
    *,
    labels: Sequence[str] | None,
    classes: Sequence[str] | None,
) -> tuple[tuple[str, ...], tuple[CollectionClasses, ...]]:
    """Return the classes of the model, and what is taken of each collection.

    Args:
        collections: The collections.
        labels: Class names in the required order; None sorts them.
        classes: Classes to take; None takes all, which have to be the same in each.

    Raises:
        DatasetError: If a collection has not the classes that it must have.
    """
    chosen = [_choose(each, classes) for each in collections]
    sets = [set(each.hard.values()) for each in chosen]
    names = set(classes or set().union(*sets))
    if classes is None:
        _require_same(collections, sets)
    _require_present(collections, names, sets)
    for each, taken in zip(collections, chosen, strict=True):
        if not taken.hard and not taken.soft:
            shown = ", ".join(list_classes(each.folder))
            raise DatasetError(f"{each.given.path}: none of its classes is taken: {shown}")
        for name in (*taken.hard.values(), *(one for soft in taken.soft.values() for one in soft)):
            if name not in names:
                raise DatasetError(
                    f"{each.given.path}: {describe_unknown('class', name, sorted(names))}"
                )
    if len(names) < 2:
        name = describe_collections(collections)
        raise DatasetError(f"{name}: only one class ({', '.join(names)}); at least two are needed")
    if labels is not None and (set(labels) != names or len(set(labels)) != len(labels)):
        raise DatasetError(
            f"the labels {', '.join(labels)} are not the classes {', '.join(sorted(names))}"
        )
    return tuple(labels or sorted(names)), tuple(chosen)


def describe_collections(collections: Sequence[OpenCollection]) -> str:
    """Return the paths of collections as text."""
    return ", ".join(str(each.given.path) for each in collections)


def _choose(each: OpenCollection, classes: Sequence[str] | None) -> CollectionClasses:
    folders, meanings = list_classes(each.folder), each.given.classes
    for name in meanings:
        if name not in folders:
            raise DatasetError(f"{each.given.path}: {describe_unknown('class', name, folders)}")
    hard, soft = {}, {}
    for folder in folders:
        meaning = meanings.get(folder, folder)
        if not isinstance(meaning, str):
            total = sum(meaning.values())
            soft[folder] = {name: share / total for name, share in meaning.items()}
        elif folder in meanings or classes is None or folder in classes:
            hard[folder] = meaning
    return CollectionClasses(hard=hard, soft=soft)


def _require_present(
    collections: Sequence[OpenCollection], names: set[str], sets: Sequence[set[str]]
) -> None:
    """Refuse a class that none of the collections has."""
    folders = sorted({name for each in collections for name in list_classes(each.folder)})
    for name in sorted(names.difference(*sets)):
        unknown = describe_unknown("class", name, folders)
        raise DatasetError(f"{describe_collections(collections)}: {unknown}")


def _require_same(collections: Sequence[OpenCollection], sets: Sequence[set[str]]) -> None:
    """Refuse collections of different classes; one with shares only has none."""
    given = [(each, names) for each, names in zip(collections, sets, strict=True) if names]
    for each, names in given[1:]:
        first, others = given[0]
        if names != others:
            raise DatasetError(
                f"{each.given.path}: its classes are {', '.join(sorted(names))}, those of "
                f"{first.given.path} {', '.join(sorted(others))}; name those to take with --classes"
            )


def _check_shares(what: str, shares: Mapping[str, Any]) -> None:
    numbers = [*shares.values()]
    right = all(
        type(each) in (int, float) and math.isfinite(each) and each >= 0 for each in numbers
    )
    if not right or not sum(numbers):
        raise DatasetError(f"{what} must be numbers of at least 0, not all 0")
