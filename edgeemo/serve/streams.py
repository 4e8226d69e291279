"""Responses without an end, and how a client that has gone is noticed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edgeemo.serve.web import Receive, Scope, Send


class Stream:
    """A response of ASGI whose body comes in pieces, until it ends or the client goes.

    Args:
        pieces: The pieces.
        media_type: Its type.
    """

    def __init__(self, pieces: AsyncIterator[bytes], *, media_type: str) -> None:
        self._pieces, self._media_type = pieces, media_type

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        headers = [(b"content-type", self._media_type.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        tasks = {asyncio.create_task(self._send(send)), asyncio.create_task(_wait_gone(receive))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _wait_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
