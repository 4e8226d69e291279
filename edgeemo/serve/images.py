"""The images that are shown: a camera's JPEG as it came, any other frame encoded once for all."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING

from edgeemo.errors import ImageError
from edgeemo.live.privacy import pixelate_faces
from edgeemo.serve.problems import ProblemError

if TYPE_CHECKING:
    from PIL import Image

    from edgeemo.serve.hub import Moment

_QUALITY = 80


class FrameImages:
    """Frames as JPEG files. A frame that nobody looks at is never encoded.

    Args:
        allowed: Whether images may be shown at all.
    """

    def __init__(self, *, allowed: bool = True) -> None:
        self.allowed = allowed
        self._threads = ThreadPoolExecutor(1, "encode")
        self._moment: Moment | None = None
        self._task: asyncio.Task[bytes] | None = None

    def require(self) -> None:
        """Refuse images where they may not be shown.

        Raises:
            ProblemError: 403 if they may not.
        """
        if not self.allowed:
            raise ProblemError(HTTPStatus.FORBIDDEN, "the server was started with --no-images")

    async def encode(self, moment: Moment) -> bytes:
        """Return the frame of a moment as a JPEG file; empty where it cannot be shown."""
        if not self.allowed:
            return b""
        if not moment.hidden and (jpeg := moment.seen.frame.pixels.jpeg) is not None:
            return jpeg
        if self._task is None or self._moment is not moment:
            loop = asyncio.get_running_loop()
            self._moment = moment
            self._task = loop.create_task(self._run(moment))
        return await asyncio.shield(self._task)

    async def _run(self, moment: Moment) -> bytes:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._encode, moment)

    def _encode(self, moment: Moment) -> bytes:
        try:
            image = moment.seen.frame.pixels.decode()
        except ImageError:
            return b""
        pixelate_faces(image, moment.hidden)
        return encode_jpeg(image)


def encode_jpeg(image: Image.Image) -> bytes:
    """Return an image as a JPEG file."""
    stream = BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
