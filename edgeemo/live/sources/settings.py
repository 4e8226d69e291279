"""Settings of sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
