"""The first camera of this machine that gives a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.errors import EdgeEmoError, ImageError, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.live.sources.base import FrameStream, Source


class FirstCamera:
    """The first of some cameras that gives a frame; the same one when it is opened again.

    Args:
        cameras: The cameras, none of them opened.

    Attributes:
        name: That of the camera, once one gave a frame.
    """

    is_live, is_device, can_reopen = True, True, True

    def __init__(self, cameras: Sequence[Source]) -> None:
        self._cameras = list(cameras)
        self.name = "camera"

    def open(self) -> FrameStream:
        """See `edgeemo.live.sources.base.Source.open`.

        Raises:
            SourceError: If there is no camera, or none gives a frame: why the first one does not.
            MissingExtraError: If a package is not installed, and no camera can do without it.
        """
        first: EdgeEmoError | None = None
        for camera in self._cameras:
            try:
                stream = _open_with_frame(camera)
            except EdgeEmoError as error:
                first = first or error
                continue
            self._cameras, self.name = [camera], camera.name
            return stream
        raise first or SourceError(
            "no camera is connected (edgeemo live --list); to try without one: edgeemo live test"
        )


def _open_with_frame(camera: Source) -> FrameStream:
    stream = camera.open()
    try:
        if stream.read() is None:
            raise SourceError(f"{camera.name}: gives no frame")
    except ImageError:  # the next one may be whole
        pass
    except BaseException:
        stream.close()
        raise
    return stream
