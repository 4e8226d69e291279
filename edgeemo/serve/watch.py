"""The WebSocket of the page: an image and what was seen in it, when the page asks for the next.

The page sends "next"; it receives one binary message: four bytes with the length of a JSON object,
most significant first, the object, and a JPEG file, or none where there is no new frame. So a slow
page has no queue of old images before it, and the image and its faces belong together.
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import TYPE_CHECKING

from edgeemo.serve.web import WebSocketDisconnect

if TYPE_CHECKING:
    from edgeemo.serve.context import Context
    from edgeemo.serve.hub import Moment
    from edgeemo.serve.web import WebSocket

NEXT = "next"
"""The message that asks for the next frame."""

_QUIET_S = 0.5
"""Seconds without a change after which the state is sent all the same: a sign of life."""

_MAX_PER_S = 300
_TOO_MUCH, _WRONG = 1008, 1003


class Watcher:
    """One page.

    Args:
        socket: Its WebSocket, not accepted yet.
        context: What all routes share.
    """

    def __init__(self, socket: WebSocket, context: Context) -> None:
        self._socket, self._context = socket, context
        self._wanted = asyncio.Event()
        self._shown: Moment | None = None
        self._version = -1

    async def run(self) -> None:
        """Serve the page until it goes.

        Raises:
            ProblemError: 503 if there are too many.
        """
        with self._context.viewers.take():
            await self._socket.accept()
            tasks = {asyncio.create_task(self._listen()), asyncio.create_task(self._show())}
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        """Take the page's requests; however many there are, one frame is due."""
        loop = asyncio.get_running_loop()
        second, count = loop.time(), 0
        while True:
            try:
                text = await self._socket.receive_text()
            except (WebSocketDisconnect, KeyError):
                return
            count += 1
            if loop.time() - second >= 1:
                second, count = loop.time(), 0
            if text != NEXT or count > _MAX_PER_S:
                await self._socket.close(_WRONG if text != NEXT else _TOO_MUCH)
                return
            self._wanted.set()

    async def _show(self) -> None:
        context = self._context
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await context.hub.wait(self._version, timeout_s=_QUIET_S)
            self._version, moment = context.hub.version, context.hub.newest
            image = b""
            if moment is not None and moment is not self._shown:
                image = await context.images.encode(moment)
                context.counters.shown += bool(image)
                if context.labelled is not None:
                    context.labelled.remember(moment)
            self._shown = moment
            head = json.dumps(context.state.describe(moment)).encode()
            await self._socket.send_bytes(struct.pack("!I", len(head)) + head + image)
