"""The review as a page for this machine's browser: loopback only, with a token in the address."""

from __future__ import annotations

import json
import secrets
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

from edgeemo.dataset.review.images import encode_image
from edgeemo.errors import DatasetError, ImageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.dataset.review.session import ReviewSession

HOST = "127.0.0.1"

_PAGE = Path(__file__).parent / "page"
_FILES = {
    "": ("review.html", "text/html; charset=utf-8"),
    "review.css": ("review.css", "text/css; charset=utf-8"),
    "review.js": ("review.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_MAX_BODY = 4096
_SIDE, _SMALL_SIDE = 560, 160  # of an image and of one that is like it, in pixels


class ReviewServer:
    """A web server of a review, on the loopback address of this machine.

    Requests without the token find nothing; those for another host (a DNS name that was pointed to
    this machine) or from another page are refused. No path of a file comes from a request.

    Args:
        session: The review.
        port: The port; 0 takes any free one.

    Raises:
        DatasetError: If the port is taken or may not be used.
    """

    def __init__(self, session: ReviewSession, *, port: int = 0) -> None:
        self.session = session
        self.token = secrets.token_urlsafe(24)
        try:
            self._server = _Server((HOST, port), _make_handler(self))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise DatasetError(
                f"port {port} of {HOST} cannot be used: {reason}; give another --port, or 0 for "
                "any free one"
            ) from None

    @property
    def port(self) -> int:
        """Return the port."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Return the address of the page, which holds the token."""
        return f"http://{HOST}:{self.port}/{self.token}/"

    def serve(self) -> None:
        """Answer requests until `stop` or an interrupt, then close."""
        try:
            self._server.serve_forever(poll_interval=0.1)
        finally:
            self._server.server_close()

    def stop(self) -> None:
        """End `serve`, from another thread."""
        Thread(target=self._server.shutdown).start()


def serve_review(
    session: ReviewSession, *, port: int = 0, opened: Callable[[str], None] = lambda _: None
) -> None:
    """Serve a review until the person ends it in the page, or an interrupt does.

    Args:
        session: The review.
        port: The port; 0 takes any free one.
        opened: Receives the address of the page.

    Raises:
        DatasetError: As `ReviewServer`.
        KeyboardInterrupt: At an interrupt; nothing is lost.
    """
    server = ReviewServer(session, port=port)
    opened(server.url)
    server.serve()


def _make_handler(owner: ReviewServer) -> type[BaseHTTPRequestHandler]:
    """Return the handler of the requests to a server."""

    class Handler(_Handler):
        server_of_review = owner

    return Handler


class _Server(ThreadingHTTPServer):
    """Answers each request in a thread; a browser that goes away is no error."""

    daemon_threads = True

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # that of HTTPServer looks the host's name up in the DNS
        self.server_name, self.server_port = HOST, int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _RefusedError(Exception):
    """A request that is not answered.

    Attributes:
        status: The status of HTTP.
    """

    def __init__(self, status: HTTPStatus, text: str = "") -> None:
        super().__init__(text or status.phrase)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server_of_review: ReviewServer
    server_version, sys_version = "edgeemo", ""
    timeout = 20  # seconds for a request to arrive

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: the address holds the token."""

    def _answer(self, find: Callable[[list[str]], tuple[str, bytes]]) -> None:
        try:
            self._check_sender()
            kind, content = find(self._read_place())
        except _RefusedError as refused:
            self._send(refused.status, "text/plain; charset=utf-8", str(refused).encode())
        else:
            self._send(HTTPStatus.OK, kind, content)

    def _check_sender(self) -> None:
        """Refuse a request for another host or from another page."""
        hosts = [f"{name}:{self.server_of_review.port}" for name in (HOST, "localhost")]
        host, origin = self.headers.get("Host"), self.headers.get("Origin")
        from_page = self.command == "POST" or origin is not None
        if host not in hosts or (from_page and origin != f"http://{host}"):
            raise _RefusedError(HTTPStatus.FORBIDDEN)

    def _read_place(self) -> list[str]:
        """Return the parts of the path behind the token."""
        _, token, *parts = [*self.path.partition("?")[0].split("/"), ""][:6]
        if not secrets.compare_digest(token.encode(), self.server_of_review.token.encode()):
            raise _RefusedError(HTTPStatus.NOT_FOUND)
        return [part for part in parts if part]

    def _get(self, parts: list[str]) -> tuple[str, bytes]:
        session = self.server_of_review.session
        if parts == ["state"]:
            return "application/json", json.dumps(session.describe()).encode()
        if parts and parts[0] == "image":
            return "image/jpeg", self._get_image(parts[1:])
        name, kind = _FILES.get("/".join(parts), ("", ""))
        if not name:
            raise _RefusedError(HTTPStatus.NOT_FOUND)
        return kind, (_PAGE / name).read_bytes()

    def _get_image(self, numbers: list[str]) -> bytes:
        """Return an image of the review, or one that is like it, by its number."""
        session = self.server_of_review.session
        try:
            first, *other = map(_to_number, numbers)
            item = session.items[first]
            if not other:
                return encode_image(session.folder / item.path, _SIDE)
            (number,) = other
            return encode_image(session.folder / item.alike[number], _SMALL_SIDE)
        except (IndexError, ValueError, ImageError, OSError):
            raise _RefusedError(HTTPStatus.NOT_FOUND) from None

    def _post(self, parts: list[str]) -> tuple[str, bytes]:
        session = self.server_of_review.session
        content = self._read_body()
        try:
            match parts:
                case ["decide"]:
                    found = session.decide(
                        int(content["item"]), str(content["decision"]), str(content["label"])
                    )
                case ["undo"]:
                    found = session.undo()
                case ["finish"]:
                    found = {}
                    self.server_of_review.stop()
                case _:
                    raise _RefusedError(HTTPStatus.NOT_FOUND)
        except (KeyError, TypeError, ValueError) as error:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, str(error)) from None
        except OSError as error:
            text = f"not saved: {error.filename}: {error.strerror}"
            raise _RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, text) from None
        return "application/json", json.dumps(found).encode()

    def _read_body(self) -> dict[str, Any]:
        try:
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 <= length <= _MAX_BODY:
                raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            content = json.loads(self.rfile.read(length) or b"{}")
        except (ValueError, RecursionError):
            raise _RefusedError(HTTPStatus.BAD_REQUEST) from None
        return content if isinstance(content, dict) else {}

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), *_HEADERS.items()):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _to_number(text: str) -> int:
    """Return a number of ASCII digits, which is not negative."""
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(text)
    return int(text)
