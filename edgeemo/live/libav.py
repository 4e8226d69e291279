"""PyAV, which only videos, cameras and video streams need: imported here alone, when one is opened.

Its errors become one sentence, without the address, which may hold a password.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

from edgeemo.errors import SourceError
from edgeemo.utils.extras import is_installed, make_missing_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from av import Packet as Packet
    from av import VideoFrame as VideoFrame
    from av.container import InputContainer as InputContainer
    from av.video.stream import VideoStream as VideoStream

_MEANINGS = {
    "FileNotFoundError": "no such file",
    "IsADirectoryError": "is a folder",
    "PermissionError": "no permission to read it",
    "InvalidDataError": "not a video that can be read; it may be damaged or incomplete",
    "EOFError": "not a video that can be read; it may be damaged or incomplete",
    "HTTPUnauthorizedError": "refuses the user name or the password (401)",
    "HTTPForbiddenError": "refuses this user (403)",
    "HTTPNotFoundError": "has no such path (404)",
    "ConnectionRefusedError": "nothing listens there (connection refused)",
    "ConnectionResetError": "closed the connection",
    "BrokenPipeError": "closed the connection",
    "ExitError": "sent nothing in time",
    "TimeoutError": "did not answer in time",
    "ProtocolNotFoundError": "an address of a kind that is not known",
    "DecoderNotFoundError": "its video is compressed in a way that cannot be decoded here",
}
"""Meaning of PyAV's errors, by the name of their class."""


def load_av(purpose: str) -> Any:
    """Import PyAV.

    Args:
        purpose: What needs it, for the message, such as "a video file".

    Raises:
        MissingExtraError: If it is not installed.
    """
    if not is_installed("av"):
        raise make_missing_error("av", purpose=purpose)
    return import_module("av")


def open_av(
    address: str,
    *,
    name: str,
    purpose: str,
    format: str | None = None,
    options: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> InputContainer:
    """Open a video for reading.

    Args:
        address: A path, an address or a device, as libav takes it.
        name: Its name in messages, without a password.
        purpose: As `load_av`.
        format: Name of libav's demuxer; None to find out.
        options: Options of libav's demuxer and protocol.
        timeout_s: Seconds to wait for the opening, and for each read.

    Raises:
        SourceError: If it cannot be opened.
        MissingExtraError: If PyAV is not installed.
    """
    av = load_av(purpose)
    try:
        container: InputContainer = av.open(
            address, format=format, options=dict(options or {}), timeout=timeout_s
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise SourceError(f"{name}: {explain(error)}") from error
    return container


_thread = threading.local()


def find_reformatter() -> Any:
    """Return what converts frames in this thread; PyAV is imported already.

    `VideoFrame.reformat` makes one for each frame, which takes three times as long, and 300 kB for
    as long as the frame is held.
    """
    if not hasattr(_thread, "reformatter"):
        _thread.reformatter = import_module("av.video.reformatter").VideoReformatter()
    return _thread.reformatter


def explain(error: Exception) -> str:
    """Return an error of PyAV as one sentence, which holds no address."""
    for cls in type(error).__mro__:
        if meaning := _MEANINGS.get(cls.__name__):
            return meaning
    text = getattr(error, "strerror", None) or type(error).__name__
    return str(text)[:1].lower() + str(text)[1:]
