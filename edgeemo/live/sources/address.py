"""From an address to the source that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.urls import hide_password

if TYPE_CHECKING:
    from edgeemo.live.sources.base import FrameStream, Source


def choose_address(address: str) -> Source:
    """Return the source of an address; it is not opened.

    Args:
        address: "rtsp://...", "http://..." or another that libav knows.

    Raises:
        MissingExtraError: If it needs PyAV, which is not installed.
    """
    if address.partition("://")[0].lower() in ("http", "https"):
        return HttpAddress(address)
    from edgeemo.live.sources.stream import StreamAddress

    return StreamAddress(address)


class HttpAddress:
    """An address of the web as a source: MJPEG, which needs no PyAV, or another video.

    Args:
        address: Such as "http://user:password@camera.local/video".
    """

    is_live, is_device, can_reopen = True, False, True

    def __init__(self, address: str) -> None:
        self._address, self.name = address, hide_password(address)

    def open(self) -> FrameStream:
        """See `edgeemo.live.sources.base.Source.open`."""
        from edgeemo.live.sources.mjpeg import MjpegAddress, OtherContentError

        try:
            return MjpegAddress(self._address).open()
        except OtherContentError:
            from edgeemo.live.sources.stream import StreamAddress

            return StreamAddress(self._address).open()
