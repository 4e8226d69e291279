"""Settings of sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Settings of a source.

    Attributes:
        size: Width and height, in pixels, that a camera is asked for.
        fps: Frames per second that a camera is asked for.
        real_time: Whether a file is played as if it were live.
        watch: Whether to wait for images that appear in a folder.
        note: Receives a line about what was chosen, such as a camera's format; None for nobody.
    """

    size: tuple[int, int] = (640, 480)
    fps: float = 30.0
    real_time: bool = False
    watch: bool = False
    note: Callable[[str], object] | None = None


def parse_frame_size(text: str) -> tuple[int, int]:
    """Return width and height, in pixels, of a text such as "640x480".

    Raises:
        OptionError: If it is none.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise OptionError(f"--size must be like 640x480, not {text!r}")
    return int(width), int(height)
