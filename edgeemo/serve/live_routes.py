"""The routes of the live run: its state, its events, its images."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from edgeemo.serve.body import receive_json
from edgeemo.serve.problems import ProblemError, reply_json
from edgeemo.serve.streams import Stream
from edgeemo.serve.web import Response, Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from edgeemo.serve.context import Context
    from edgeemo.serve.web import Request

_SIGN_OF_LIFE_S = 10.0
"""Seconds after which an event stream without events sends a comment."""

_BOUNDARY = "frame"


class LiveRoutes:
    """The routes.

    Args:
        context: What all routes share.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def list(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/state", self._answer_state, methods=["GET", "POST"]),
            Route("/v1/events", self._stream_events),
            Route("/v1/snapshot.jpg", self._get_snapshot),
            Route("/v1/stream.mjpg", self._stream_images),
        ]

    async def _answer_state(self, request: Request) -> Response:
        if request.method == "POST":
            await self._set_state(request)
        return reply_json(self._describe())

    def _describe(self) -> dict[str, Any]:
        state = self._context.state
        newest = self._context.hub.newest
        return {**state.describe(newest), "time_line": state.list_time_line()}

    async def _set_state(self, request: Request) -> None:
        context = self._context
        content = await receive_json(request, limits=context.limits, budget=context.budget)
        _check_settings(content)
        if "paused" in content:
            context.controls.paused = content["paused"]
        if "min_confidence" in content:
            context.controls.min_confidence = content["min_confidence"]
        context.hub.touch()

    async def _get_snapshot(self, request: Request) -> Response:
        context = self._context
        context.images.require()
        moment = context.require_live().newest
        content = await context.images.encode(moment) if moment else b""
        if not content:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE, "there is no image yet", retry_after_s=1
            )
        context.counters.shown += 1
        return Response(content, media_type="image/jpeg")

    async def _stream_images(self, request: Request) -> Stream:
        self._context.images.require()
        self._context.require_live()
        self._context.viewers.check()
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        return Stream(self._list_images(), media_type=kind)

    async def _list_images(self) -> AsyncIterator[bytes]:
        """Yield the newest frame whenever the client has taken the one before."""
        context = self._context
        last, version = None, -1
        with context.viewers.take():
            while context.hub.source != "ended":
                await context.hub.wait(version, timeout_s=_SIGN_OF_LIFE_S)
                version, moment = context.hub.version, context.hub.newest
                if moment is None or moment is last:
                    continue
                last = moment
                content = await context.images.encode(moment)
                if content:
                    context.counters.shown += 1
                    head = (
                        f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
                        f"Content-Length: {len(content)}\r\nX-Timestamp: {moment.time:.3f}\r\n\r\n"
                    )
                    yield head.encode() + content + b"\r\n"

    async def _stream_events(self, request: Request) -> Stream:
        hub = self._context.require_live()
        self._context.viewers.check()
        run, _, number = request.headers.get("last-event-id", "").partition("-")
        is_known = run == hub.run and number.isdecimal() and len(number) < 16
        if is_known:
            known = int(number)
        else:  # of another run, all events that are kept are new; without an id none is
            known = 0 if run else (hub.events[-1].number if hub.events else 0)
        return Stream(self._list_events(known), media_type="text/event-stream")

    async def _list_events(self, known: int) -> AsyncIterator[bytes]:
        hub = self._context.hub
        with self._context.viewers.take():
            yield b"retry: 2000\n\n"
            while True:
                fresh = [each for each in tuple(hub.events) if each.number > known]
                for each in fresh:
                    known = each.number
                    data = json.dumps(each.fields)
                    yield f"id: {hub.run}-{known}\nevent: {each.kind}\ndata: {data}\n\n".encode()
                if not fresh and not await hub.wait_event(known, timeout_s=_SIGN_OF_LIFE_S):
                    yield b": nothing new\n\n"


def _check_settings(content: Mapping[str, Any]) -> None:
    """Refuse settings that are none.

    Raises:
        ProblemError: 422 if there are.
    """
    unknown = set(content) - {"paused", "min_confidence"}
    threshold = content.get("min_confidence")
    is_number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
    if unknown:
        problem = "the settings are paused and min_confidence"
    elif "paused" in content and not isinstance(content["paused"], bool):
        problem = "paused must be true or false"
    elif threshold is not None and not (is_number and 0 <= threshold < 1):
        problem = "min_confidence must be 0 to less than 1, or null for the model's"
    else:
        return
    raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, problem)
