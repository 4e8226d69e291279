"""From the text that names a source to the source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import SourceError

if TYPE_CHECKING:
    from edgeemo.live.sources.base import Source
    from edgeemo.live.sources.settings import SourceSettings

DRAWN = "test"
"""Name of the source of drawn faces."""


def choose_source(text: str, settings: SourceSettings) -> Source:
    """Return the source that a text names; it is not opened.

    Args:
        text: "0" or "/dev/video0", "csi", a video file, "rtsp://...", "http://...", a folder, "-",
            or "test"; empty for the first camera that gives a frame.
        settings: The size, and how folders and files are read.

    Raises:
        SourceError: If there is no such source.
        MissingExtraError: If it needs a package that is not installed.
    """
    if text == DRAWN:
        from edgeemo.live.sources.drawn import DrawnFaces

        return DrawnFaces(settings)
    if "://" in text:
        from edgeemo.live.sources.address import choose_address

        return choose_address(text)
    if Path(text).is_file():
        from edgeemo.live.sources.video_file import VideoFile

        return VideoFile(text, settings)
    raise SourceError(f"{text}: no such file, folder or camera")
