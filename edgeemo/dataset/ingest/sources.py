"""Open what the options of commands name as images: a folder, a .zip, a bucket, or a list.

Standard library only.
"""

from __future__ import annotations

import tempfile
import zipfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bulk.bucket_path import BucketPath, make_path
from edgeemo.dataset.ingest.archive import unpack
from edgeemo.dataset.ingest.class_folders import check_classes
from edgeemo.dataset.ingest.image_list import LIST_SUFFIX, open_list
from edgeemo.errors import DatasetError
from edgeemo.model.training_facts import NamedFolders
from edgeemo.utils.git_lfs import LFS_BEGIN, describe_pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeemo.utils.paths import StrPath


def check_data(
    source: StrPath,
    *,
    labels: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    may_lack_images: bool = False,
) -> tuple[str, ...] | None:
    """Check a folder's classes, or that a file is an archive, before any slow work.

    Args:
        source: As of `open_data`.
        labels: Class names in the required order; None for any.
        classes: Classes to take; None takes all.
        may_lack_images: Whether labels without a folder are allowed, and left out.

    Returns:
        The class names, in the order of the network's outputs; None for an archive.

    Raises:
        DatasetError: If `source` does not exist or is no archive, or the folder has fewer than two
            classes, lacks one of `classes`, or has others than `labels`.
    """
    source = Path(source)
    if source.is_dir():
        return check_classes(
            source, labels=labels, classes=classes, may_lack_images=may_lack_images
        )
    check_source(source)
    return None


def check_source(source: StrPath) -> None:
    """Check that a folder or an archive of images exists.

    Raises:
        DatasetError: If it does not, or a file is no archive.
    """
    source = Path(source)
    _refuse_remote(source)
    if not source.exists():
        raise DatasetError(f"{source}: no such folder or .zip file")
    if source.is_file() and not zipfile.is_zipfile(source):
        with source.open("rb") as stream:
            pointer = describe_pointer(stream.read(len(LFS_BEGIN)), "archive")
        raise DatasetError(f"{source}: {pointer or 'not a .zip file, or a damaged one'}")


def check_images(source: StrPath) -> None:
    """Check that a folder, an archive or a list of images exists, here or in a bucket.

    Raises:
        DatasetError: If it does not, or a file is neither.
        SourceError: If a bucket cannot be listed.
    """
    path = make_path(source)
    if isinstance(path, BucketPath) and path.suffix != LIST_SUFFIX:
        if not path.is_dir():
            raise DatasetError(f"{path}: there is no such folder")
    elif path.suffix != LIST_SUFFIX or path.is_dir():
        check_source(path)
    elif not path.is_file():
        raise DatasetError(f"{path}: no such file")


@contextmanager
def open_images(source: StrPath) -> Iterator[Path]:
    """Provide a folder of images, for code that reads images by `edgeemo.bulk.bucket_path`.

    Args:
        source: A folder or a .zip, or in a bucket the address of a folder; or a list of images as
            `edgeemo.dataset.ingest.image_list.open_list` describes it.

    Yields:
        The folder: a `edgeemo.bulk.bucket_path.BucketPath` for a bucket, whose text is the address;
        of a list the folder that its images have in common. `edgeemo.dataset.ingest.find` takes it.

    Raises:
        DatasetError: As `open_data`; or if a list is malformed.
        SourceError: If a bucket cannot be listed.
    """
    path = make_path(source)
    if path.suffix == LIST_SUFFIX and not path.is_dir():
        yield open_list(path)
    elif isinstance(path, BucketPath):
        check_images(path)
        yield path
    else:
        with open_data(path) as root:
            yield root


def _refuse_remote(source: Path) -> None:
    """Refuse what only some commands take."""
    path = make_path(source)
    if isinstance(path, BucketPath):
        raise DatasetError(
            f"{path}: copy the images to a folder of this machine; predict, evaluate, data check "
            "and data crop alone read buckets"
        )
    if path.suffix == LIST_SUFFIX and path.is_file():
        raise DatasetError(
            f"{path}: name a folder or a .zip; evaluate, data check and data crop alone take a list"
        )


@contextmanager
def open_data(source: StrPath | NamedFolders) -> Iterator[Path]:
    """Provide a folder of images: `source` itself, or its content if it is a .zip file.

    Args:
        source: A folder, a .zip file, or several of them with names.

    Yields:
        The folder; for a .zip file a temporary one that is removed afterwards; for several a
        temporary one with a link of that name to each.

    Raises:
        DatasetError: If `source` does not exist or is no archive, or the archive is damaged,
            encrypted or unsafe: entries that lead outside it, links, or far more data than its
            size allows for.
    """
    source = source if isinstance(source, NamedFolders) else Path(source)
    if isinstance(source, NamedFolders):
        with _link_folders(source) as folder:
            yield folder
        return
    if source.is_dir():
        yield source
        return
    check_source(source)
    with tempfile.TemporaryDirectory(prefix="edgeemo-") as name:
        unpack(source, Path(name))
        yield Path(name)


@contextmanager
def _link_folders(source: NamedFolders) -> Iterator[Path]:
    with ExitStack() as stack:
        opened = {
            name: stack.enter_context(open_data(path)) for name, path in source.folders.items()
        }
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeemo-")))
        for name, folder in opened.items():
            (root / name).symlink_to(folder.resolve(), target_is_directory=True)
        yield root
