"""Video files in H.264, through PyAV, which is imported when the first one is opened."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps

from edgeemo.errors import OutputError
from edgeemo.live.libav import explain, find_reformatter, load_av

if TYPE_CHECKING:
    from pathlib import Path

_TIME_BASE = Fraction(1, 90_000)
_KEY_FRAMES_S = 1.0
_HD_HEIGHT = 720
"""Height from which players take the colours of a video for ITU-R BT.709."""
_FORMATS = {".mp4": "mp4", ".mkv": "matroska"}
_PIECES = {
    "mp4": {"movflags": "empty_moov+default_base_moof+frag_every_frame"},
    "matroska": {"cluster_time_limit": "500"},
}
"""Options with which a file that is cut off still plays."""
_WHOLE = {"mp4": {"movflags": "faststart"}, "matroska": {}}
_CODEC = {"preset": "veryfast", "tune": "zerolatency", "crf": "23"}


class VideoWriter:
    """A video file of frames at their own times.

    Args:
        path: The file, in .mp4 or .mkv.
        in_pieces: Whether to write it so that it plays when the process was killed.
    """

    def __init__(self, path: Path, *, in_pieces: bool) -> None:
        self._av = load_av("writing video")
        format = _FORMATS.get(path.suffix.lower(), "mp4")
        options = {**(_PIECES if in_pieces else _WHOLE)[format], "flush_packets": "1"}
        self._size: tuple[int, int] | None = None
        self._stream: Any = None
        self._last = -1
        self._packets: list[Any] = []
        self._is_begun = False
        with _Explained(self._av):
            self._container = self._av.open(f"file:{path}", "w", format=format, options=options)

    def add(self, image: Image.Image, time_s: float) -> None:
        """Add a frame.

        Args:
            image: Mode "RGB". One of another size than the first is fitted into that.
            time_s: Its time, in seconds from the beginning of the file; one that does not lie
                behind that of the frame before is moved.

        Raises:
            OutputError: If it cannot be written.
        """
        pts = max(self._last + 1, round(time_s / _TIME_BASE))
        with _Explained(self._av):
            if self._stream is None:
                self._begin(image.size)
            frame = self._av.VideoFrame.from_image(self._fit(image))
            frame.pts, frame.time_base = pts, _TIME_BASE
            self._mux(self._stream.encode(self._convert(frame)))
        self._last = pts

    def close(self) -> None:
        """Complete the file.

        Raises:
            OutputError: If it cannot be written.
        """
        with _Explained(self._av):
            try:
                if self._stream is not None:
                    self._mux(self._stream.encode(None), is_last=True)
            finally:
                self._container.close()

    def abandon(self) -> None:
        """Close the file as it is."""
        with suppress(Exception):
            self._container.close()

    def _mux(self, packets: list[Any], *, is_last: bool = False) -> None:
        """Write packets; the first waits for the second, with which the file has a whole frame."""
        self._packets += packets
        self._is_begun = self._is_begun or len(self._packets) > 1 or is_last
        if self._is_begun:
            for packet in self._packets:
                self._container.mux(packet)
            self._packets.clear()

    def _begin(self, size: tuple[int, int]) -> None:
        self._size = size
        stream = self._container.add_stream("libx264", rate=30, options=dict(_CODEC))
        stream.width, stream.height = _make_even(size)
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        stream.codec_context.gop_size = round(30 * _KEY_FRAMES_S)
        self._stream = stream

    def _fit(self, image: Image.Image) -> Image.Image:
        """Return an image of the video's size, whose sides are even."""
        assert self._size is not None
        if image.size != self._size:
            image = ImageOps.pad(image, self._size)
        even = _make_even(image.size)
        if even == image.size:
            return image
        padded = Image.new("RGB", even)
        padded.paste(image, (even[0] - image.width, even[1] - image.height))
        padded.paste(image, (0, 0))  # the last column and row are there twice
        return padded

    def _convert(self, frame: Any) -> Any:
        colours = "ITU709" if frame.height >= _HD_HEIGHT else "ITU601"
        return find_reformatter().reformat(frame, format="yuv420p", dst_colorspace=colours)


class _Explained:
    """A block whose errors of PyAV become an `OutputError`."""

    def __init__(self, av: Any) -> None:
        self._errors = (av.error.FFmpegError, OSError, ValueError)

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, self._errors):
            raise OutputError(explain(error)) from error


def _make_even(size: tuple[int, int]) -> tuple[int, int]:
    return size[0] + size[0] % 2, size[1] + size[1] % 2
