"""Machines that train together hold one connection each to worker 0's, from start to end.

By it they learn who is missing, that all were started alike and have the same images, where JAX's
own service is, and who has gone and why.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from edgeemo.errors import WorkerError
from edgeemo.train.distributed.messages import Message, receive, send, wrap_socket
from edgeemo.train.distributed.rank import COORDINATOR, JOIN_SECONDS, WORKER

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from edgeemo.train.distributed.rank import Rank

_HELLO_SECONDS = 5.0
_PAUSE_SECONDS = 0.3


def gather_workers(rank: Rank) -> dict[int, Connection]:
    """Wait at worker 0 for all others.

    Returns:
        A connection to each of the others, by number.

    Raises:
        WorkerError: If somebody is missing after `Rank.join_seconds`, two have one number,
            or the port is taken.
    """
    peers: dict[int, Connection] = {}
    until = time.monotonic() + rank.join_seconds
    try:
        with _listen(rank) as server:
            while len(peers) < rank.workers - 1:
                server.settimeout(max(0.01, until - time.monotonic()))
                _admit(server, peers, rank)
    except TimeoutError:
        text = _describe_missing(rank, peers)
    except WorkerError as error:
        text = str(error)
    else:
        return peers
    for peer in peers.values():
        send(peer, {"failed": text})
        peer.close()
    raise WorkerError(text)


def join_coordinator(rank: Rank) -> Connection:
    """Go to worker 0 and introduce oneself.

    Raises:
        WorkerError: If it does not answer within `Rank.join_seconds`.
    """
    until = time.monotonic() + rank.join_seconds
    while True:
        try:
            reached = socket.create_connection((rank.host, rank.port), timeout=5)
            break
        except OSError as error:
            if time.monotonic() > until:
                raise WorkerError(
                    f"{rank.describe(0)} does not answer at {rank.address(rank.port)} "
                    f"within {rank.join_seconds:g} s ({error.strerror or error}); start it, "
                    f"or correct {COORDINATOR}"
                ) from None
            time.sleep(_PAUSE_SECONDS)
    connection = wrap_socket(reached)
    send(connection, {"worker": rank.number, "workers": rank.workers})
    return connection


def receive_expected(
    connection: Connection, rank: Rank, *, seconds: float | None = None
) -> Message:
    """Receive the next message of worker 0.

    Raises:
        WorkerError: If it has gone, says nothing, or says that the training has failed.
    """
    try:
        message = receive(connection, seconds=seconds)
    except TimeoutError:
        raise WorkerError(f"{rank.describe(0)} says nothing; is it stuck?") from None
    if message is None:
        raise WorkerError(f"{rank.describe(0)} has gone")
    if "failed" in message:
        raise WorkerError(str(message["failed"]))
    return message


def _listen(rank: Rank) -> socket.socket:
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(
                ("", rank.port), family=socket.AF_INET6, dualstack_ipv6=True
            )
        return socket.create_server(("", rank.port))
    except OSError as error:
        raise WorkerError(
            f"port {rank.port} cannot be listened on ({error.strerror or error}); choose "
            f"another in {COORDINATOR}"
        ) from None


def _admit(server: socket.socket, peers: dict[int, Connection], rank: Rank) -> None:
    connection = wrap_socket(server.accept()[0])
    try:
        hello = receive(connection, seconds=_HELLO_SECONDS)
    except TimeoutError:
        hello = None
    number = (hello or {}).get("worker")
    if hello is None or type(number) is not int:
        connection.close()  # not one of ours
        return
    problem = ""
    if hello.get("workers") != rank.workers:
        problem = (
            f"worker {number} was started with --workers {hello.get('workers')}, and worker 0 with "
            f"{rank.workers}"
        )
    elif number in peers or not 0 < number < rank.workers:
        problem = f"two workers say that they are number {number}; see {WORKER}"
    if problem:
        send(connection, {"failed": problem})
        connection.close()
        raise WorkerError(problem)
    peers[number] = connection


def _describe_missing(rank: Rank, peers: dict[int, Connection]) -> str:
    numbers = [str(each) for each in range(1, rank.workers) if each not in peers]
    who = f"worker {numbers[0]} has" if len(numbers) == 1 else f"workers {', '.join(numbers)} have"
    return (
        f"{who} not joined within {rank.join_seconds:g} s (of {rank.workers}, counted from "
        f"0); look what became of it there, or wait longer with {JOIN_SECONDS}"
    )
