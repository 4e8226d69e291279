"""Open a folder or a .zip file of images; archives are treated as untrusted.

Standard library only.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from edgeemo.bulk.bucket_path import BucketPath, make_path
from edgeemo.dataset.ingest.find import check_classes
from edgeemo.dataset.ingest.image_list import LIST_SUFFIX, open_list
from edgeemo.errors import DatasetError
from edgeemo.imaging.suffixes import is_ignored
from edgeemo.model.training_facts import NamedFolders
from edgeemo.utils.git_lfs import LFS_BEGIN, describe_pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeemo.utils.paths import StrPath

MAX_FILES = 1_000_000
"""Largest number of entries of an archive."""
MAX_BYTES = 64 * 2**30
"""Largest size of an unpacked archive."""
MAX_RATIO = 100
"""Largest size of an unpacked archive relative to its own: images hardly compress..."""
FREE_BYTES = 256 * 2**20
"""... but this size is always accepted: flat drawings do compress."""

_CHUNK = 2**20
_ENCRYPTED = 0x1


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
        _unpack(source, Path(name))
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


def _unpack(source: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            entries = _check_entries(source, archive.infolist(), folder)
            _extract_all(source, archive, entries, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DatasetError(f"{source}: not a .zip file, or a damaged one ({error})") from None
    except NotImplementedError as error:
        raise DatasetError(f"{source}: cannot be unpacked ({error}); zip it again") from None
    except OSError as error:
        raise DatasetError(f"{source}: cannot be unpacked: {error.strerror or error}") from None


def _check_entries(
    source: Path, entries: Sequence[zipfile.ZipInfo], folder: Path
) -> list[zipfile.ZipInfo]:
    """Return the entries to unpack, once their headers are found to be safe."""
    if len(entries) > MAX_FILES:
        raise DatasetError(f"{source}: {len(entries):,} files are more than {MAX_FILES:,}")
    for entry in entries:
        problem = _find_problem(entry)
        if problem:
            raise DatasetError(f"{source}: refused, {entry.filename!r} {problem}")
    needed = [entry for entry in entries if not entry.is_dir() and not _is_ignored(entry)]
    total = sum(entry.file_size for entry in needed)
    if total > _size_limit(source):
        raise DatasetError(
            f"{source}: refused, it unpacks to {_format_gigabytes(total)}, as a bomb does"
        )
    if total > shutil.disk_usage(folder).free:
        raise DatasetError(f"{source}: {_format_gigabytes(total)} do not fit into {folder.parent}")
    return needed


def _find_problem(entry: zipfile.ZipInfo) -> str | None:
    name = _name(entry)
    if name.startswith("/") or name[1:2] == ":" or ".." in PurePosixPath(name).parts:
        return "leads outside the archive"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device, not a file"
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted; unpack it yourself and name the folder"
    return None


def _name(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/")  # some archivers on Windows write backslashes


def _is_ignored(entry: zipfile.ZipInfo) -> bool:
    return any(is_ignored(part) for part in PurePosixPath(_name(entry)).parts)


def _size_limit(source: Path) -> int:
    return min(MAX_BYTES, max(FREE_BYTES, source.stat().st_size * MAX_RATIO))


def _extract_all(
    source: Path, archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], folder: Path
) -> None:
    left = _size_limit(source)
    for entry in entries:
        target = folder / _name(entry)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as packed, target.open("xb") as unpacked:
            left -= _copy(packed, unpacked, limit=left)
        if left < 0:
            raise DatasetError(f"{source}: refused, it unpacks to far more than it says")


def _copy(packed: IO[bytes], unpacked: IO[bytes], *, limit: int) -> int:
    """Copy the actual content, whatever the header states, up to just over `limit` bytes."""
    copied = 0
    while copied <= limit and (chunk := packed.read(_CHUNK)):
        unpacked.write(chunk)
        copied += len(chunk)
    return copied


def _format_gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"
