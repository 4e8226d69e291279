"""A large folder with every kind of odd file, and what a prediction of it has to say of each.

Most of its files are images; the odd ones lie among them, in every folder.
"""

from __future__ import annotations

import os
import socket
import struct
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from PIL import Image

IMAGE, ERROR = "image", "error"
"""Kinds of line that a file gives; one that is passed over gives none."""

_FILES_OF_A_FOLDER = 400
_MAX_DEPTH = 40
_ODD_NAMES = (
    b"plain.JPG", b"with space.jpeg", b"two\nlines.png", b"tab\tand \x1b[31mred.png",
    b"-option.jpg", b"--help.png", b"quote'\".jpg", b"$(touch ran).jpg", b"%s%n.png",
    b"\xff\xfe.jpg", "日本-😀.png".encode(), "\u202egnp.exe.jpg".encode(), b"a" * 251 + b".png",
    b"=1+1.jpg",
)  # fmt: skip
_HIDDEN, _OTHER = (b".hidden.jpg", b"..png"), (b"notes.txt", b"jpg", b"x.jpg.part")


def make_folder(top: Path, count: int) -> list[tuple[str, str]]:
    """Fill an empty folder.

    Args:
        top: The folder.
        count: Number of files, pipes, devices, sockets and links.

    Returns:
        Path and kind of each file that has to give a line, in the order of names: those of a folder
        before those of the folders in it.
    """
    images = [_encode(shade, format) for shade in (60, 200) for format in ("JPEG", "PNG", "BMP")]
    made: list[tuple[str, str]] = []
    for number in range(max(1, count // _FILES_OF_A_FOLDER)):
        folder = Path(top, f"{number:03}", *["deep"] * (number % _MAX_DEPTH))
        folder.mkdir(parents=True)
        made += _make_odd_files(folder, images[0])
        missing = min(count, _FILES_OF_A_FOLDER) - len(os.listdir(folder))  # noqa: PTH208
        for place in range(missing):
            path = folder / f"{place:05}.jpg"  # whatever it is: the content counts
            path.write_bytes(images[place % len(images)])
            made.append((str(path), IMAGE))
    return sorted(made, key=_order)


def _order(row: tuple[str, str]) -> list[tuple[bool, str]]:
    *folders, name = row[0].split("/")
    return [(True, folder) for folder in folders] + [(False, name)]


def _make_odd_files(folder: Path, image: bytes) -> list[tuple[str, str]]:
    for name in (*_ODD_NAMES, *_HIDDEN, *_OTHER):
        Path(folder, os.fsdecode(name)).write_bytes(image)
    (folder / "folder.jpg").mkdir()
    (folder / "folder.jpg" / "inside.png").write_bytes(image)
    refused = _make_refused()
    for name, content in refused.items():
        (folder / name).write_bytes(content)
    _make_sparse(folder / "sparse.png")
    (folder / "unreadable.jpg").symlink_to("/proc/self/mem")  # whose reading fails, for root, too
    (folder / "link.jpg").symlink_to("plain.JPG")
    os.link(folder / "plain.JPG", folder / "hard.jpg")
    _make_passed_over(folder)
    shown = [*map(os.fsdecode, _ODD_NAMES), "folder.jpg/inside.png", "link.jpg", "hard.jpg"]
    named = [*refused, "sparse.png", "unreadable.jpg"]
    return [(f"{folder}/{name}", IMAGE) for name in shown] + [
        (f"{folder}/{name}", ERROR) for name in named
    ]


def _make_refused() -> dict[str, bytes]:
    """Return files with the name of an image that hold none that can be decoded."""
    jpeg = _encode(90, "JPEG")
    header = jpeg.index(b"\xff\xc0") + 5
    return {
        "empty.jpg": b"",
        "text.jpg": b"This is text.\n",
        "page.png": b"<!doctype html><title>404</title>",
        "pointer.jpg": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "huge.png": _make_png_header(60_000, 60_000),
        "huge.gif": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + bytes(20),
        "huge.bmp": b"BM" + struct.pack("<IIIIiiHHI", 999, 0, 54, 40, 1 << 20, 1 << 20, 1, 24, 0)
        + bytes(20),
        "huge.jpg": jpeg[:header] + struct.pack(">HH", 65_500, 65_500) + jpeg[header + 4 :],
        "cut.jpg": jpeg[: header + 20],
        "zeros.png": bytes(5000),
    }  # fmt: skip


def _make_passed_over(folder: Path) -> None:
    """Make what is no regular file: pipe, socket, device, and links that lead nowhere."""
    os.mkfifo(folder / "pipe.jpg")
    with suppress(OSError), socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(folder / "socket.jpg"))  # the path may be too long
    (folder / "zero.jpg").symlink_to("/dev/zero")
    (folder / "screen.jpg").symlink_to("/dev/tty")
    (folder / "broken.jpg").symlink_to("nowhere.jpg")
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "up").symlink_to("..")  # a link to a folder is not followed
    (folder / "up.jpg").symlink_to(".")


def _make_sparse(path: Path) -> None:
    """Make a file of a gigabyte that takes no room."""
    with path.open("wb") as stream:
        stream.write(_make_png_header(100, 100))
        stream.truncate(1 << 30)


def _make_png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    length, checksum = struct.pack(">I", 13), struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + length + chunk + checksum


def _encode(shade: int, format: str) -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize((48, 48)).point(lambda v: v * shade // 255).save(file, format)
    return file.getvalue()
