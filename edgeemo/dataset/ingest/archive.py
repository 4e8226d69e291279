"""Unpack a .zip file of images, which is treated as untrusted. Standard library only."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from edgeemo.errors import DatasetError
from edgeemo.imaging.suffixes import is_ignored

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def unpack(source: Path, folder: Path) -> None:
    """Unpack a .zip file of images into a folder.

    Args:
        source: The file.
        folder: An empty folder.

    Raises:
        DatasetError: If it is damaged, encrypted or unsafe: entries that lead outside it, links,
            or far more data than its size allows for; or if it does not fit.
    """
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
