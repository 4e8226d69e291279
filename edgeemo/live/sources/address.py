"""From an address to the source that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeemo.live.sources.base import Source


def choose_address(address: str) -> Source:
    """Return the source of an address; it is not opened.

    Args:
        address: "rtsp://...", "http://..." or another that libav knows.

    Raises:
        MissingExtraError: If it needs PyAV, which is not installed.
    """
    from edgeemo.live.sources.stream import StreamAddress

    return StreamAddress(address)
