"""What a video node of Linux offers, asked of its driver (V4L2, linux/videodev2.h).

Standard library only. A node may be asked while another program takes its frames.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

with suppress(ImportError):  # not on Windows
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator

_CAPABILITY = "=16s32s32sIII12x"
"""v4l2_capability: driver, card, bus, version, capabilities of the device, those of the node."""
_FORMAT = "=III32sII12x"
"""v4l2_fmtdesc: index, type, flags, description, pixel format, bus code."""
_SIZE = "=III24s8x"
"""v4l2_frmsizeenum: index, pixel format, type, sizes."""
_INTERVAL = "=IIIII24s8x"
"""v4l2_frmivalenum: index, pixel format, width, height, type, seconds per frame as fractions."""

_READ, _WRITE = 2 << 30, 1 << 30


def _number(place: int, layout: str, direction: int) -> int:
    """Return the number of a request: _IOC of asm-generic/ioctl.h."""
    return direction | struct.calcsize(layout) << 16 | ord("V") << 8 | place


_QUERYCAP = _number(0, _CAPABILITY, _READ)
_ENUM_FMT = _number(2, _FORMAT, _READ | _WRITE)
_STREAMOFF = _number(19, "=i", _WRITE)
_ENUM_FRAMESIZES = _number(74, _SIZE, _READ | _WRITE)
_ENUM_FRAMEINTERVALS = _number(75, _INTERVAL, _READ | _WRITE)

_CAPTURE, _CAPTURE_PLANES, _HAS_OWN = 0x1, 0x1000, 0x80000000
_BUFFER = 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE."""
_DISCRETE = 1
"""Type of a list of sizes or rates whose entries are single ones."""
_MOST = 256
"""Most entries of a list; a driver that lists more repeats itself."""

MJPG, YUYV = "MJPG", "YUYV"


@dataclass(frozen=True, slots=True)
class FrameSize:
    """A size of frames that a device offers.

    Attributes:
        format: Four characters that name the format, such as "MJPG" or "YUYV".
        width: Pixels.
        height: Pixels.
        fps: Most frames per second; 0 where the driver does not tell.
    """

    format: str
    width: int
    height: int
    fps: float

    @property
    def text(self) -> str:
        """Return it as text, such as "MJPG 640x480 30/s"."""
        rate = f" {self.fps:.3g}/s" if self.fps else ""
        return f"{self.format} {self.width}x{self.height}{rate}"


@dataclass(frozen=True, slots=True)
class Device:
    """A video node, as its driver describes it.

    Attributes:
        driver: Name of the driver, such as "uvcvideo".
        card: Name of the device.
        is_capture: Whether it gives frames: not metadata, and not a codec.
        sizes: The sizes of frames that it offers, in each format.
    """

    driver: str
    card: str
    is_capture: bool
    sizes: tuple[FrameSize, ...]


def query_device(path: str) -> Device:
    """Return what a video node offers.

    Raises:
        OSError: If it cannot be opened, or is no video node.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        raw = bytearray(struct.calcsize(_CAPABILITY))
        fcntl.ioctl(descriptor, _QUERYCAP, raw)
        driver, card, _, _, all_of_it, own = struct.unpack(_CAPABILITY, raw)
        can = own if all_of_it & _HAS_OWN else all_of_it
        sizes = tuple(_list_sizes(descriptor)) if can & _CAPTURE else ()
        is_capture = bool(can & (_CAPTURE | _CAPTURE_PLANES))
        return Device(_text(driver), _text(card), is_capture, sizes)
    finally:
        os.close(descriptor)


def stop_streaming(path: str) -> None:
    """End a read of a video node, by this process, that waits for a frame which does not come."""
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            if str(descriptor.readlink()) == path:
                fcntl.ioctl(int(descriptor.name), _STREAMOFF, struct.pack("=i", _BUFFER))
        except OSError:
            continue


def _list_sizes(descriptor: int) -> Iterator[FrameSize]:
    """Yield the sizes of each format; of a range of sizes the usual ones in it."""
    for entry in _enumerate(descriptor, _ENUM_FMT, _FORMAT, (_BUFFER, 0, b"", 0, 0)):
        code = entry[4]
        name = struct.pack("<I", code & 0x7FFFFFFF).decode("latin1").strip()
        for _, _, kind, sides in _enumerate(descriptor, _ENUM_FRAMESIZES, _SIZE, (code, 0, b"")):
            for width, height in _read_sides(kind, sides):
                fps = _find_rate(descriptor, code, width, height)
                yield FrameSize(name, width, height, fps)
            if kind != _DISCRETE:
                break


def _read_sides(kind: int, sides: bytes) -> list[tuple[int, int]]:
    """Return width and height of an entry: of one size, or of the range that it stands for."""
    if kind == _DISCRETE:
        width, height = struct.unpack("=II16x", sides)
        return [(width, height)]
    least_width, most_width, _, least_height, most_height, _ = struct.unpack("=6I", sides)
    usual = ((320, 240), (640, 480), (1280, 720), (1920, 1080))
    fits = [
        (width, height)
        for width, height in usual
        if least_width <= width <= most_width and least_height <= height <= most_height
    ]
    return fits or [(most_width, most_height)]


def _find_rate(descriptor: int, code: int, width: int, height: int) -> float:
    """Return the most frames per second of a size; 0 where the driver does not tell."""
    rates = [0.0]
    given = (code, width, height, 0, b"")
    for *_, kind, interval in _enumerate(descriptor, _ENUM_FRAMEINTERVALS, _INTERVAL, given):
        seconds, per = struct.unpack("=II16x", interval)  # the shortest, where it is a range
        rates.append(per / seconds if seconds else 0.0)
        if kind != _DISCRETE:
            break
    return max(rates)


def _enumerate(
    descriptor: int, request: int, layout: str, given: tuple[Any, ...]
) -> Iterator[tuple[Any, ...]]:
    """Yield the entries of a list, until the driver says that there is none of that index."""
    for index in range(_MOST):
        raw = bytearray(struct.pack(layout, index, *given))
        try:
            fcntl.ioctl(descriptor, request, raw)
        except OSError:
            return
        yield struct.unpack(layout, raw)


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "replace")
