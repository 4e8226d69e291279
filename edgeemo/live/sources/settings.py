"""Settings of sources."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Settings of a source.

    Attributes:
        size: Width and height, in pixels, that a camera is asked for.
        fps: Frames per second that a camera is asked for.
        real_time: Whether a file is played as if it were live.
        watch: Whether to wait for images that appear in a folder.
    """

    size: tuple[int, int] = (640, 480)
    fps: float = 30.0
    real_time: bool = False
    watch: bool = False
