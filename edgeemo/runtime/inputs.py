"""The images that command-line arguments name: files, folders and standard input."""

from __future__ import annotations

import os
from io import BytesIO, FileIO
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from edgeemo.imaging.decode import HEAD_BYTES, sniff
from edgeemo.imaging.limits import MAX_FILE_BYTES
from edgeemo.imaging.suffixes import format_by_name, is_bucket, is_ignored
from edgeemo.runtime.prediction import STDIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import RawIOBase

    from edgeemo.imaging.suffixes import PassedOver

_CHUNK = 1 << 16
_UTF_8 = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def expand(
    names: Iterable[str],
    *,
    stdin: BinaryIO | RawIOBase | None = None,
    passed_over: PassedOver | None = None,
) -> Iterator[str | bytes]:
    """Yield the images that command-line arguments name, found one by one.

    Args:
        names: Image files; folders, which are searched recursively in the order of names for
            files whose suffix is in `edgeemo.imaging.suffixes.SUFFIXES`; a file with another one
            is read when named itself; addresses of files and folders in buckets; `STDIN` for
            standard input. Pipes, devices, broken links and folders that cannot be read are passed
            over in a folder.
        stdin: Standard input; the process's own by default. It holds one image, or a list of
            paths, one per line (or separated by NUL, as ``find -print0`` writes them). Lines may
            end as on Windows. A path is given as soon as its line is complete, if `stdin` reads
            what there is, unbuffered.
        passed_over: Counts the other files of the folders; None for no count.

    Yields:
        A path, an address, or the bytes of an image.

    Raises:
        SourceError: If a folder in a bucket cannot be listed.
    """
    for name in names:
        if name == STDIN:
            # A buffered stream would wait for a full buffer, and end badly in a thread.
            yield from _from_stdin(stdin or FileIO(0, closefd=False))
        elif os.path.isdir(name):  # noqa: PTH112 - pathlib is slow to import
            yield from _images_in(name, passed_over)
        elif is_bucket(name) and not format_by_name(name):
            yield from _images_below(name.rstrip("/"), passed_over)
        else:
            yield name


def _images_below(address: str, passed_over: PassedOver | None) -> Iterator[str]:
    """Yield the images of a folder in a bucket; the address of a file, or of nothing, itself."""
    try:
        from edgeemo.bulk.bucket import open_bucket
    except ModuleNotFoundError:  # in a bundle, where the prediction refuses it
        yield address
        return
    bucket, key = open_bucket(address)
    if bucket.list_folder(key) is None:
        yield address
        return
    for path in bucket.walk(key):
        name = path.rpartition("/")[2]
        if format_by_name(name) and not is_ignored(name):
            yield f"{address}/{path}"
        elif passed_over:
            passed_over.add(name)


def _images_in(folder: str, passed_over: PassedOver | None) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = os.path.join(parent, name)  # noqa: PTH118
            if is_ignored(name) or not os.path.isfile(path):  # noqa: PTH113
                continue
            if format_by_name(name):
                yield path
            elif passed_over:
                passed_over.add(name)


def _from_stdin(stream: BinaryIO | RawIOBase) -> Iterator[str | bytes]:
    chunks = iter(lambda: stream.read(_CHUNK) or b"", b"")
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES or _holds_a_line(head):
            break
    if _is_image(head[:HEAD_BYTES]):
        yield _read_image(head, chunks)
        return
    pieces: Iterable[bytes] = chain([head], chunks)
    if head.startswith(_UTF_16):
        pieces = _recode(pieces)
    yield from map(os.fsdecode, filter(None, _split(pieces)))


def _recode(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield text of UTF-16, which Windows' shells write into files, in the file system's coding."""
    from codecs import getincrementaldecoder

    decoder = getincrementaldecoder("utf-16")("replace")
    for piece in pieces:
        yield os.fsencode(decoder.decode(piece))


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the paths of a list: its lines, unless a NUL is where the first line ends or before."""
    end, rest = b"", b""
    for piece in pieces:
        rest = (rest + piece).removeprefix(b"" if end else _UTF_8)
        if not end and (b"\0" in rest or b"\n" in rest):
            end = b"\0" if b"\0" in rest else b"\n"
        if end:
            *paths, rest = rest.split(end)
            yield from paths if end == b"\0" else map(_strip_return, paths)
    yield rest if end == b"\0" else _strip_return(rest)


def _strip_return(line: bytes) -> bytes:
    """Return a line without the carriage return that ends it on Windows, and no file's name."""
    return line[:-1] if line.endswith(b"\r") and not os.path.lexists(line) else line


def _read_image(head: bytes, chunks: Iterator[bytes]) -> bytes:
    """Return all that comes, up to one chunk more than an image file may have."""
    image = BytesIO()
    for chunk in chain([head], chunks):
        image.write(chunk)
        if image.tell() > MAX_FILE_BYTES:
            break
    return image.getvalue()


def _holds_a_line(head: bytes) -> bool:
    """Return whether this holds a complete path, and is not the beginning of an image file."""
    ended = b"\n" in head or b"\0" in head
    return ended and not head.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM"))


def _is_image(head: bytes) -> bool:
    """Return whether an image file begins like this; a list of paths may begin with "BM", too."""
    format = sniff(head)
    return format is not None and (format != "BMP" or head[6:10] == b"\0\0\0\0")
