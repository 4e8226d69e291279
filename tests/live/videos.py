"""Videos drawn for tests, and the bar code by which a frame tells its number or its moment."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

BITS = 16
_MS = Fraction(1, 1000)


def draw_code(
    value: int,
    size: tuple[int, int] = (320, 240),
    *,
    background: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Return a frame, (h, w, 3) uint8, whose upper quarter holds a number of `BITS` bits as bars.

    Args:
        value: The number; more bits are cut off.
        size: Width and height in pixels.
        background: The rest of the frame; by default it is grey.
    """
    width, height = size
    frame = np.full((height, width, 3), 90, np.uint8) if background is None else background.copy()
    for bit in range(BITS):
        bar = slice(bit * width // BITS, (bit + 1) * width // BITS)
        frame[: height // 4, bar] = 235 if value >> bit & 1 else 20
    return frame


def read_code(luma: NDArray[np.uint8]) -> int:
    """Return the number that a frame holds, from its brightness (h, w)."""
    height, width = luma.shape
    row = luma[height // 16 : height // 6]
    bars = ((2 * bit + 1) * width // (2 * BITS) for bit in range(BITS))
    return sum(1 << bit for bit, at in enumerate(bars) if row[:, at - 1 : at + 2].mean() > 128)


def write_video(
    path: Path,
    *,
    frames: int = 12,
    size: tuple[int, int] = (320, 240),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: int = 30,
    options: dict[str, str] | None = None,
    pts_ms: Callable[[int], int] | None = None,
    background: NDArray[np.uint8] | None = None,
) -> Path:
    """Write a video whose frames hold their numbers as bar codes.

    Args:
        path: The file; its suffix decides the container.
        frames: Number of frames.
        size: Width and height in pixels.
        codec: Name of libav's encoder.
        pixels: Name of its pixel format.
        rate: Frames per second.
        options: Options of the encoder.
        pts_ms: Time stamp of a frame in milliseconds, from its number; by default as `rate` says.
        background: As `draw_code`.
    """
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        if pts_ms:
            stream.codec_context.time_base = _MS
        for number in range(frames):
            drawn = draw_code(number, size, background=background)
            frame = av.VideoFrame.from_ndarray(drawn, format="rgb24")
            if pts_ms:
                frame.pts, frame.time_base = pts_ms(number), _MS
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """Write a file that holds sound and no video."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=44100)
        silence = np.zeros((1, 4096), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def rotate_video(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Give an MP4 file a display matrix.

    Args:
        path: The file.
        matrix: a, b, c, d of ISO/IEC 14496-12, 8.3.2.
    """
    content = bytearray(path.read_bytes())
    begin = content.index(b"tkhd") + 4 + 4 + 20 + 16
    a, b, c, d = (value * 65536 for value in matrix)
    content[begin : begin + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)


def damage_packets(path: Path, *numbers: int) -> None:
    """Overwrite the packets of these frames, but not what the container says of them."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        places = [(packets[number].pos, packets[number].size) for number in numbers]
    content = bytearray(path.read_bytes())
    for begin, size in places:
        content[begin + 8 : begin + size] = b"\xff" * (size - 8)
    path.write_bytes(content)
