"""The routes of the page, its login, and what is known of the server."""

from __future__ import annotations

import asyncio
import hashlib
import pkgutil
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from edgeemo import __version__
from edgeemo.serve.body import receive_body, receive_json
from edgeemo.serve.constants import OPENAPI, PAGE_FILES
from edgeemo.serve.guard import LOGIN
from edgeemo.serve.metrics import write_metrics
from edgeemo.serve.problems import ProblemError, reply_json
from edgeemo.serve.watch import Watcher
from edgeemo.serve.web import Response, Route, WebSocketRoute

if TYPE_CHECKING:
    from edgeemo.serve.context import Context
    from edgeemo.serve.web import Request, WebSocket

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_PROBLEM_PLACE = b"<!-- problem -->"


class _StaticFile:
    """A file of the page, read once, also from an archive."""

    def __init__(self, name: str) -> None:
        self.content = pkgutil.get_data("edgeemo.serve", name) or b""
        self._type = _TYPES[PurePosixPath(name).suffix]
        self._tag = f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'

    def reply(self, request: Request) -> Response:
        """Return the file, or that the browser has it already."""
        headers = {"ETag": self._tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == self._tag:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(self.content, media_type=self._type, headers=headers)


class PageRoutes:
    """The routes.

    Args:
        context: What all routes share.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        files = {name: _StaticFile(f"page/{name}") for name in PAGE_FILES}
        self._index, self._login = files.pop("index.html"), files.pop("login.html")
        self._files, self._openapi = files, _StaticFile(OPENAPI)

    def list(self) -> list[Route | WebSocketRoute]:
        """Return the routes."""
        return [
            Route("/", self._get_index),
            Route("/page/{name}", self._get_file),
            Route(LOGIN, self._answer_login, methods=["GET", "POST"]),
            Route("/openapi.json", self._get_openapi),
            Route("/healthz", self._get_health),
            Route("/metrics", self._get_metrics),
            Route("/v1/info", self._get_info),
            Route("/v1/model", self._switch_model, methods=["POST"]),
            WebSocketRoute("/v1/watch", self._watch),
        ]

    async def _get_index(self, request: Request) -> Response:
        return self._index.reply(request)

    async def _get_file(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        if found is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "the page has no such file")
        return found.reply(request)

    async def _get_openapi(self, request: Request) -> Response:
        return self._openapi.reply(request)

    async def _answer_login(self, request: Request) -> Response:
        return await self._log_in(request) if request.method == "POST" else self._show_login("")

    def _show_login(self, problem: str) -> Response:
        text = f'<p role="alert">{problem}</p>'.encode() if problem else b""
        status = HTTPStatus.UNAUTHORIZED if problem else HTTPStatus.OK
        content = self._login.content.replace(_PROBLEM_PLACE, text)
        return Response(content, status_code=status, media_type=_TYPES[".html"])

    async def _log_in(self, request: Request) -> Response:
        context = self._context
        headers = {"Location": f"{context.access.root_path}/"}
        async with receive_body(request, limits=context.limits, budget=context.budget) as body:
            fields = parse_qs(body[:4096].decode("utf-8", "replace"))
        token = context.access.token
        if token is not None:
            if not token.matches(fields.get("token", [""])[0]):
                return self._show_login("This is not the token.")
            headers["Set-Cookie"] = token.write_cookie(
                path=context.access.root_path, is_secure=context.access.is_secure
            )
        return Response(status_code=HTTPStatus.SEE_OTHER, headers=headers)

    async def _get_health(self, request: Request) -> Response:
        self._context.hub.watch_silence(is_paused=self._context.controls.paused)
        source = self._context.hub.source if self._context.source else "none"
        if source in ("lost", "ended"):
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE, f"the source is {source}", retry_after_s=2
            )
        return reply_json({"status": "ok", "source": source})

    async def _get_metrics(self, request: Request) -> Response:
        content, kind = write_metrics(self._context)
        return Response(content, headers={"Content-Type": kind})

    async def _get_info(self, request: Request) -> Response:
        names = await asyncio.to_thread(self._context.models.list_names)
        return reply_json({**self._describe(), "models": names})

    def _describe(self) -> dict[str, Any]:
        context = self._context
        return {
            "edgeemo": __version__,
            "source": context.source or None,
            "images": context.images.allowed,
            "collect": context.labelled is not None,
            "model": context.models.describe(),
            "limits": {
                "body_bytes": context.limits.body_bytes,
                "images": context.limits.images,
            },
        }

    async def _switch_model(self, request: Request) -> Response:
        context = self._context
        content = await receive_json(request, limits=context.limits, budget=context.budget)
        name = content.get("model")
        if set(content) != {"model"} or not isinstance(name, str):
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, 'the body must be {"model": NAME}')
        classifier = await asyncio.to_thread(context.models.switch, name)
        context.controls.classifier = classifier
        context.hub.touch()
        return reply_json(context.models.describe())

    async def _watch(self, socket: WebSocket) -> None:
        self._context.require_live()
        await Watcher(socket, self._context).run()
