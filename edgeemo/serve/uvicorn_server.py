"""The HTTP server: the one file that imports uvicorn.

What uvicorn does not limit is limited here: the time until a request has arrived, the time for
which a client leaves unread what it was sent, and the number of connections.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from edgeemo.errors import OptionError
from edgeemo.serve.problems import PROBLEM, write_problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from edgeemo.serve.limits import Limits
    from edgeemo.serve.options import TlsFiles
    from edgeemo.serve.web import ASGIApp

_SEND_BUFFER = 128 * 1024
"""Bytes that the system keeps for a client that reads slowly: more would be frames of the past."""

_USER_TIMEOUT_MS = 20_000
_GRACE_S = 1
_MAX_MESSAGE = 4096


class _PatientWriter:
    """Part of a protocol: a client that reads nothing for a while is disconnected."""

    transport: Any
    config: Any
    _write_timer: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()  # type: ignore[misc] # of the other base
        loop, seconds = asyncio.get_running_loop(), self.config.limits.write_s
        self._stop_write_timer()
        self._write_timer = loop.call_later(seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_write_timer()
        super().resume_writing()  # type: ignore[misc]

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


class _HttpProtocol(_PatientWriter, H11Protocol):
    """HTTP whose requests have to arrive in time, on a limited number of connections."""

    _arrival_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        limits = self.config.limits
        if len(self.connections) > limits.connections:
            transport.write(_BUSY)
            transport.close()
            return
        self._watch_arrival()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._watch_arrival()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_arrival()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_arrival_timer()
        self._stop_write_timer()
        super().connection_lost(exc)

    def _watch_arrival(self) -> None:
        """Begin or end the time that a request has for its arrival."""
        import h11

        state = self.conn.their_state
        is_arriving = state is h11.SEND_BODY or (
            state is h11.IDLE and self.timeout_keep_alive_task is None
        )
        is_ours = self.transport.get_protocol() is self  # not a WebSocket's by now
        if not (is_arriving and is_ours) or self.transport.is_closing():
            self._stop_arrival_timer()
        elif self._arrival_timer is None:
            limits = self.config.limits
            self._arrival_timer = self.loop.call_later(limits.arrival_s + 1, self.transport.abort)

    def _stop_arrival_timer(self) -> None:
        if self._arrival_timer is not None:
            self._arrival_timer.cancel()
            self._arrival_timer = None


class _WebSocketProtocol(_PatientWriter, WebSocketsSansIOProtocol):
    """A WebSocket whose client has to read."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_write_timer()
        super().connection_lost(exc)


class _Config(uvicorn.Config):
    """Settings of uvicorn, with the limits.

    Attributes:
        limits: See `Limits`.
    """

    limits: Limits


class _Server(uvicorn.Server):
    """A server that says when it is ready, and ends in order at Ctrl-C and SIGTERM."""

    def __init__(self, config: _Config, on_ready: Callable[[Callable[[], None]], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._on_ready(self.stop)

    def stop(self) -> None:
        """End the server, from any thread."""
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address, before anything slow is done.

    Raises:
        OptionError: If it cannot be.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)  # asyncio sets TCP_NODELAY by it
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OptionError(f"--host {host}: {reason.lower()}") from None
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        reason = (error.strerror or str(error)).lower()
        raise OptionError(
            f"port {port} of {host}: {reason}; give another --port, or 0 for any free one"
        ) from None
    return bound


def run_server(
    app: ASGIApp,
    bound: socket.socket,
    *,
    limits: Limits,
    tls: TlsFiles | None,
    on_ready: Callable[[Callable[[], None]], None],
) -> None:
    """Serve an application until Ctrl-C or SIGTERM.

    Args:
        app: The application.
        bound: The socket.
        limits: See `Limits`.
        tls: Certificate and key; None for plain HTTP.
        on_ready: Called when requests are answered, with a function that ends the server.
    """
    for name in ("uvicorn", "python_multipart"):  # what matters, the guard reports
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    config = _Config(
        app,
        loop="asyncio",
        http=_HttpProtocol,
        ws=_WebSocketProtocol,
        ws_max_size=_MAX_MESSAGE,
        ws_per_message_deflate=False,
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=_GRACE_S,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    config.limits = limits
    _Server(config, on_ready).run(sockets=[bound])


def check_tls(tls: TlsFiles) -> None:
    """Refuse a certificate and a key that cannot be used together.

    Raises:
        OptionError: If they cannot be.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key)
    except FileNotFoundError:
        missing = tls.key if tls.certificate.exists() else tls.certificate
        raise OptionError(f"{missing}: no such file") from None
    except ssl.SSLError:
        raise OptionError(
            f"{tls.certificate} and {tls.key} are no PEM certificate and its key"
        ) from None
    except OSError as error:
        raise OptionError(f"{tls.certificate}: {(error.strerror or str(error)).lower()}") from None


def _write_busy() -> bytes:
    status = HTTPStatus.SERVICE_UNAVAILABLE
    body = write_problem(status, "too many connections; try again later")
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {PROBLEM}\r\n"
        f"Content-Length: {len(body)}\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


_BUSY = _write_busy()
