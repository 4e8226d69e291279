"""From the text that names a source to the source."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import SourceError
from edgeemo.runtime.prediction import STDIN
from edgeemo.utils.cameras import list_video_nodes

if TYPE_CHECKING:
    from edgeemo.live.sources.base import Source
    from edgeemo.live.sources.settings import SourceSettings

DRAWN = "test"
"""Name of the source of drawn faces."""

CSI = "csi"
"""Name of the source that is a Raspberry Pi camera."""


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
    if settings.watch and not Path(text).is_dir():
        raise SourceError(f"--watch requires a folder, which {text or 'a camera'} is not")
    if text in (DRAWN, CSI, STDIN):
        return _make_named(text, settings)
    if not text:
        from edgeemo.live.sources.first_camera import FirstCamera

        return FirstCamera(_list_cameras(settings))
    if "://" in text:
        from edgeemo.live.sources.address import choose_address

        return choose_address(text)
    if Path(text).is_dir() or Path(text).is_file():
        return _make_stored(text, settings)
    if text.isdecimal() or text.startswith("/dev/"):
        return _make_camera(text, settings)
    raise SourceError(f"{text}: no such file, folder or camera")


def _make_named(text: str, settings: SourceSettings) -> Source:
    if text == CSI:
        from edgeemo.live.sources.csi import PiCamera

        return PiCamera(settings)
    if text == STDIN:
        from edgeemo.live.sources.stdin import StandardInput

        return StandardInput(settings)
    from edgeemo.live.sources.drawn import DrawnFaces

    return DrawnFaces(settings)


def _make_stored(text: str, settings: SourceSettings) -> Source:
    if Path(text).is_file():
        from edgeemo.live.sources.video_file import VideoFile

        return VideoFile(text, settings)
    if not settings.watch:
        raise SourceError(
            f"{text}: is a folder: edgeemo predict {text} predicts the images in it; "
            "--watch waits for new ones"
        )
    from edgeemo.live.sources.folder import WatchedFolder

    return WatchedFolder(text)


def _make_camera(text: str, settings: SourceSettings) -> Source:
    if sys.platform != "linux":
        raise SourceError(f"{text}: cameras are read on Linux; give an address or a file")
    from edgeemo.live.sources.device import CameraDevice

    return CameraDevice(text, settings)


def _list_cameras(settings: SourceSettings) -> list[Source]:
    """Return the cameras of this machine, that of a Raspberry Pi last."""
    nodes = [node for node in list_video_nodes() if node.is_camera]
    usb = [_make_camera(node.device, settings) for node in nodes if node.kind == "USB camera"]
    has_csi = any(node.kind == "CSI camera" for node in nodes)
    return usb + ([choose_source(CSI, settings)] if has_csi else [])
