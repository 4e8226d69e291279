"""The protocol of a source of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from edgeemo.live.frame import Frame

NO_FRAME_S = 2.0
"""Seconds without a frame after which a live source counts as lost."""

FIRST_FRAME_S = 5.0
"""The same for the first frame after it was opened."""


class NoFrameYetError(Exception):
    """There is no frame yet, which is in order: images in a folder come when they come."""


class FrameStream(Protocol):
    """An open source. One thread reads it; `close` may be called by another."""

    def read(self) -> Frame | None:
        """Wait for the next frame: a camera's `NO_FRAME_S` at most, the first `FIRST_FRAME_S`.

        `Frame.number` counts from 0 since the source was opened; see `edgeemo.live.reader` for
        what happens to frames that nobody takes.

        Returns:
            The frame; None after the last one, and after `close`.

        Raises:
            SourceError: If the source is lost: nothing came in time, or it failed.
            ImageError: If this frame is damaged; the next one may be read.
            NoFrameYetError: If the source may be silent, and is.
        """

    def close(self) -> None:
        """Close the source and have a `read` in another thread end; a second call does nothing.

        It returns at once: what cannot be closed while it is read, `read` closes as it ends.
        """


class Source(Protocol):
    """A source of frames that can be opened, and again after it was lost.

    Attributes:
        name: Its name in messages, without a password.
        is_live: Whether frames come in their own time, so that the newest counts.
        is_device: Whether it is a camera of this machine, which is lost as well when its frames
            stop changing.
        can_reopen: Whether it is opened again after it was lost; False of a file and of standard
            input.
    """

    name: str
    is_live: bool
    is_device: bool
    can_reopen: bool

    def open(self) -> FrameStream:
        """Open the source.

        Raises:
            SourceError: If it cannot be opened; the text is one line with the remedy.
            MissingExtraError: If a package is not installed.
        """
