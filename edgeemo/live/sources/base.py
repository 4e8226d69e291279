"""The protocol of a source of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from edgeemo.live.frame import Frame

NO_FRAME_S = 2.0
"""Seconds without a frame after which a live source counts as lost."""


class FrameStream(Protocol):
    """An open source. One thread reads it; `close` may be called by another."""

    def read(self) -> Frame | None:
        """Wait for the next frame, `NO_FRAME_S` at most where the source is live.

        `Frame.number` counts from 0 since the source was opened; see `edgeemo.live.reader` for
        what happens to frames that nobody takes.

        Returns:
            The frame; None after the last one of a file, a folder or standard input.

        Raises:
            SourceError: If the source is lost: nothing came in time, or it failed.
        """

    def close(self) -> None:
        """Close the source; a second call does nothing."""


class Source(Protocol):
    """A source of frames that can be opened, and again after it was lost.

    Attributes:
        name: Its name in messages, without a password.
        is_live: Whether frames come in their own time, so that the newest counts.
        is_device: Whether it is a camera of this machine, which is lost as well when its frames
            stop changing.
    """

    name: str
    is_live: bool
    is_device: bool

    def open(self) -> FrameStream:
        """Open the source.

        Raises:
            SourceError: If it cannot be opened; the text is one line with the remedy.
            MissingExtraError: If a package is not installed.
        """
