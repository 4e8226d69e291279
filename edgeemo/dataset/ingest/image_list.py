"""Lists of labelled images: a table with a row per image."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path, PosixPath
from typing import TYPE_CHECKING, NamedTuple

from edgeemo.bulk.bucket import open_bucket
from edgeemo.bulk.bucket_path import BucketPath, make_path
from edgeemo.dataset.ingest.splits import read_split_name
from edgeemo.errors import DatasetError
from edgeemo.imaging.suffixes import is_bucket, is_ignored
from edgeemo.utils.text import join_and, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgeemo.model.tables import Split

LIST_SUFFIX = ".csv"
_COLUMNS = ("path", "label")


class ListedImage(NamedTuple):
    """A row of a list.

    Attributes:
        path: Path relative to the folder that all images have in common, with forward slashes.
        label: Class of the image.
        split: Split of the image, or None.
    """

    path: str
    label: str
    split: Split | None


class _ListedFolder(PosixPath):
    """A folder of which a table lists the images."""

    listed: tuple[ListedImage, ...] = ()


class _ListedBucket(BucketPath):
    """The same in a bucket."""

    listed: tuple[ListedImage, ...] = ()


def open_list(path: Path) -> Path:
    """Read a list of labelled images.

    It is a .csv of UTF-8 with the columns path and label, and split if its images have splits. A
    path is relative to the list, absolute, or an address in a bucket; all are on this machine, or
    all in one bucket. Whether the images exist shows when they are read.

    Args:
        path: The list, here or in a bucket.

    Returns:
        The folder that the images have in common, whose list `get_listed` returns.

    Raises:
        DatasetError: If the list cannot be read or is malformed.
        SourceError: If it lies in a bucket that cannot be reached.
    """
    rows = [*_read_rows(path)]
    if not rows:
        raise DatasetError(f"{path}: lists no images")
    places = _find_places(path, [row.path for row in rows])
    common = os.path.commonpath(os.path.dirname(place) for place in places)  # noqa: PTH120
    root: _ListedFolder | _ListedBucket
    is_remote = is_bucket(rows[0].path) or isinstance(path, BucketPath)
    root = (_ListedBucket if is_remote else _ListedFolder)(common or ".")
    root.listed = tuple(
        sorted(
            ListedImage(os.path.relpath(place, common or "."), row.label, row.split)
            for place, row in zip(places, rows, strict=True)
        )
    )
    return root


def get_listed(root: Path) -> tuple[ListedImage, ...]:
    """Return the images of a folder of `open_list`, sorted; none of another folder."""
    return root.listed if isinstance(root, _ListedFolder | _ListedBucket) else ()


def _read_rows(path: Path) -> Iterator[ListedImage]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: is no text of UTF-8") from None
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        if missing := [name for name in _COLUMNS if name not in (reader.fieldnames or ())]:
            raise DatasetError(
                f"{path}: has no column {join_and(missing)}; a list of images has path, label and, "
                "if need be, split"
            )
        seen: set[str] = set()
        for row in reader:
            try:
                yield _read_row(row, seen)
            except ValueError as error:
                raise DatasetError(f"{path}: line {reader.line_num}: {error}") from None
    except csv.Error as error:
        raise DatasetError(f"{path}: line {reader.line_num}: {one_line(error)}") from None


def _read_row(row: Mapping[str, str | None], seen: set[str]) -> ListedImage:
    path, label, split = ((row.get(name) or "").strip() for name in (*_COLUMNS, "split"))
    for name, value in (("path", path), ("label", label)):
        if not value:
            raise ValueError(f"has no {name}")
    if path in seen:
        raise ValueError(f"lists {path} again")
    if not label.isprintable() or is_ignored(label) or "/" in label or "\\" in label:
        raise ValueError(f"the label {label!r} cannot be the name of a folder")
    found = read_split_name(split) if split else None
    if split and found is None:
        raise ValueError(f"{split!r} is no split: train, validation and test are")
    seen.add(path)
    return ListedImage(path, label, found)


def _find_places(table: Path, paths: list[str]) -> list[str]:
    """Return where images are: absolute paths; of addresses without what "://" collapses to."""
    located = [
        str(BucketPath(path)) if is_bucket(path) else str(table.parent / path) for path in paths
    ]
    for path in filter(is_bucket, located):
        open_bucket(path)  # refuses what is no address, or has credentials in it
    buckets = {path[:2] + path[5:].partition("/")[0] if is_bucket(path) else "" for path in located}
    if len(buckets) > 1:
        raise DatasetError(
            f"{table}: its images are in several places ({join_and(sorted(map(_name, buckets)))}); "
            "make a list for each"
        )
    if "" not in buckets:
        return [os.fspath(make_path(path)).replace("://", ":/", 1) for path in located]
    return [os.path.abspath(path) for path in located]  # noqa: PTH100 - links stay as they are


def _name(bucket: str) -> str:
    return f"{bucket[:2]}://{bucket[2:]}" if bucket else "this machine"
