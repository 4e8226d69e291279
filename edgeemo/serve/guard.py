"""The outermost layer: who is let in, the headers of every response, and errors in one sentence."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from edgeemo.serve.problems import PROBLEM, ProblemError, write_problem
from edgeemo.serve.web import HTTPException
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgeemo.serve.access import Access
    from edgeemo.serve.counters import Counters
    from edgeemo.serve.web import ASGIApp, Receive, Scope, Send

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # with "no-referrer" forms send "Origin: null"
    "X-Content-Type-Options": "nosniff",
}
_ENCODED = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]

LOGIN = "/login"
"""Path of the page that asks for the token."""

_OPEN = ("/healthz", LOGIN)
_OPEN_FOLDER = "/page/"
"""Paths that need no token: they show nothing of what is seen."""

_GONE = ("ClientDisconnected", "ClientDisconnect", "WebSocketDisconnect")
"""Names of the exceptions of uvicorn and starlette that say that nobody listens any more."""

_FOR_PLAYERS = ("/v1/snapshot.jpg", "/v1/stream.mjpg")
"""Paths for programs that know names and passwords alone."""


class Guard:
    """An ASGI application around another one.

    Args:
        app: The other one.
        access: Who is let in.
        counters: Counts the responses.
        report: Receives one line about a fault of edgeemo.
    """

    def __init__(
        self, app: ASGIApp, access: Access, *, counters: Counters, report: Callable[[str], None]
    ) -> None:
        self._app, self._access = app, access
        self._counters, self._report = counters, report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in ("http", "websocket"):
            return
        reply = _Reply(scope, send, self._counters)
        try:
            headers = {name.decode("latin-1"): value.decode("latin-1")
                       for name, value in scope["headers"]}  # fmt: skip
            self._check(scope, headers)
            await self._app(scope, receive, reply.send)
        except ProblemError as problem:
            await reply.refuse(problem, receive)
        except HTTPException as error:
            await reply.refuse(_make_problem(error), receive)
        except (ConnectionError, TimeoutError):
            await reply.refuse(
                ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "it took too long"), receive
            )
        except Exception as error:  # one request never ends the server
            if type(error).__name__ in _GONE:
                return
            self._report(f"internal error ({type(error).__name__}: {one_line(error)})")
            await reply.refuse(
                ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "an internal error; see the log"),
                receive,
            )

    def _check(self, scope: Scope, headers: Mapping[str, str]) -> None:
        """Refuse a request that is not allowed.

        Raises:
            ProblemError: If it is not.
        """
        access = self._access
        scope["path"] = path = _strip_root(scope["path"], access.root_path)
        scope["root_path"], scope["app"] = "", self  # so that the router raises errors
        access.check_host(headers)
        access.check_origin(headers, method=scope.get("method", "GET"))
        if access.token is None or path in _OPEN or path.startswith(_OPEN_FOLDER):
            return
        if access.token.is_shown(headers):
            return
        if path == "/" and scope.get("method") == "GET":
            location = f"{access.root_path}{LOGIN}"
            raise ProblemError(
                HTTPStatus.SEE_OTHER, "show the token", headers={"Location": location}
            )
        scheme = "Basic" if path in _FOR_PLAYERS else "Bearer"
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "the token is missing or wrong: Authorization: Bearer TOKEN",
            headers={"WWW-Authenticate": f'{scheme} realm="edgeemo"'},
        )


class _Reply:
    """The response to one request."""

    def __init__(self, scope: Scope, send: Send, counters: Counters) -> None:
        self._scope, self._send, self._counters = scope, send, counters
        self._begun = False

    async def send(self, message: Any) -> None:
        """Send a message of ASGI, with the headers of every response."""
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            self._begun = True
            given = {name for name, _ in message.get("headers", ())}
            more = [pair for pair in _ENCODED if pair[0] not in given]
            message = {**message, "headers": [*message.get("headers", ()), *more]}
            self._counters.count_response(message["status"])
        elif message["type"] in ("websocket.accept", "websocket.close"):
            self._begun = True
        await self._send(message)

    async def refuse(self, problem: ProblemError, receive: Receive) -> None:
        """Send an error, where nothing was sent yet."""
        if self._begun:
            return
        if self._scope["type"] == "http":
            await problem.reply()(self._scope, receive, self.send)
            return
        content = write_problem(problem.status, problem.detail)
        headers = {**problem.headers, "Content-Type": PROBLEM}
        encoded = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        start = {
            "type": "websocket.http.response.start", "status": int(problem.status),
            "headers": encoded,
        }  # fmt: skip
        await self.send(start)
        await self.send({"type": "websocket.http.response.body", "body": content})


def _strip_root(path: str, root: str) -> str:
    """Return a path without the prefix that a proxy shows, and may or may not take away."""
    if root and (path == root or path.startswith(f"{root}/")):
        return path.removeprefix(root) or "/"
    return path


def _make_problem(error: HTTPException) -> ProblemError:
    status = HTTPStatus(error.status_code)
    details = {
        HTTPStatus.NOT_FOUND: "there is nothing at this address; /openapi.json lists all",
        HTTPStatus.METHOD_NOT_ALLOWED: "this address takes another method; see /openapi.json",
    }
    detail = details.get(status, str(error.detail))
    return ProblemError(status, detail, headers=error.headers)
