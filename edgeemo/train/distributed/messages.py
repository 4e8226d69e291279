"""Messages between the processes: JSON over pipes and sockets, one object each.

`multiprocessing.connection` frames them; it could pickle, too, which nothing here does: what comes
from a network must not be run.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

Message: TypeAlias = dict[str, Any]

_MOST_BYTES = 1 << 24


def send(connection: Connection, message: Message) -> None:
    """Send; whoever is gone does not get it, which is noticed when nothing comes back."""
    with suppress(OSError):
        connection.send_bytes(json.dumps(message).encode())


def receive(connection: Connection, *, seconds: float | None = None) -> Message | None:
    """Return the next message; None where the peer has gone, or sent an invalid one.

    Args:
        connection: Where from.
        seconds: How long to wait; None for ever.

    Raises:
        TimeoutError: If nothing came.
    """
    try:
        if seconds is not None and not connection.poll(seconds):
            raise TimeoutError
        message = json.loads(connection.recv_bytes(_MOST_BYTES))
    except (EOFError, ConnectionError, ValueError, RecursionError):
        return None
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        return None
    return message if isinstance(message, dict) else None


def wrap_socket(connected: socket.socket) -> Connection:
    """Wrap a connected socket in a connection, which closes it.

    Where the other machine falls silent the system ends the connection after a minute.
    """
    connected.settimeout(None)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return Connection(connected.detach())


def open_inherited(descriptor: int) -> Connection:
    """Open the end of a pipe that the parent process passed on."""
    os.set_inheritable(descriptor, False)
    return Connection(descriptor)


def find_free_port(host: str = "127.0.0.1") -> int:
    """Return a port on which no process listens now."""
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])
