"""Limits of what clients may take: memory, predictions at the same time, connections."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING

from edgeemo.serve.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of what clients may take.

    Attributes:
        body_bytes: Largest body of a request.
        images: Most images of a request.
        uploads_bytes: Bodies of all requests that are being received or predicted.
        queue: Requests that may wait for a prediction, for each that is being predicted.
        wait_s: Longest time that a request waits for its prediction to begin, in seconds.
        arrival_s: Longest time from the first byte of a request to its last, in seconds.
        write_s: Longest time that a client may leave what it was sent unread, in seconds.
        viewers: Pages and streams at the same time.
        connections: Connections at the same time.
    """

    body_bytes: int = 16 * 2**20
    images: int = 32
    uploads_bytes: int = 24 * 2**20
    queue: int = 8
    wait_s: float = 5.0
    arrival_s: float = 20.0
    write_s: float = 15.0
    viewers: int = 32
    connections: int = 256


class Gate:
    """A bound on predictions at the same time, and on the requests that wait for one.

    Args:
        workers: Predictions at the same time.
        limits: See `Limits`.

    Attributes:
        running: Number of predictions that are being made.
        waiting: Number of requests that wait.
    """

    def __init__(self, workers: int, limits: Limits) -> None:
        self.running = self.waiting = 0
        self._workers, self._queue, self._wait_s = workers, limits.queue * workers, limits.wait_s
        self._free = asyncio.Semaphore(workers)
        self._mean_s = 0.01

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Wait for a place, and hold it inside the block.

        Raises:
            ProblemError: 429 if too many wait already, or it takes too long.
        """
        if self.waiting >= self._queue:
            raise self._refuse()
        await self._wait()
        self.running += 1
        begun = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            self.running -= 1
            self._mean_s += 0.1 * (asyncio.get_running_loop().time() - begun - self._mean_s)
            self._free.release()

    async def _wait(self) -> None:
        if not self._free.locked():
            await self._free.acquire()  # at once
            return
        self.waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise self._refuse() from None
        finally:
            self.waiting -= 1

    def check(self) -> None:
        """Refuse a request before its body is read, where it could not even wait.

        Raises:
            ProblemError: As `enter`.
        """
        if self.waiting >= self._queue:
            raise self._refuse()

    def _refuse(self) -> ProblemError:
        wait_s = ceil(self._mean_s * self.waiting / self._workers)
        return ProblemError(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"{self.waiting} requests wait already; try again later",
            retry_after_s=max(1, min(60, wait_s)),
        )


class Budget:
    """The memory that all bodies share.

    Args:
        size_bytes: All of it.
    """

    def __init__(self, size_bytes: int) -> None:
        self._left = size_bytes

    def take(self, size_bytes: int) -> None:
        """Take memory.

        Raises:
            ProblemError: 429 if there is none left.
        """
        if size_bytes > self._left:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "other requests take all the memory there is for images; try again later",
                retry_after_s=1,
            )
        self._left -= size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Give back what was taken."""
        self._left += size_bytes


class Places:
    """A bound on clients that stay.

    Args:
        count: Most of them.

    Attributes:
        taken: Number of them at present.
    """

    def __init__(self, count: int) -> None:
        self.taken, self._count = 0, count

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a place inside the block.

        Raises:
            ProblemError: 503 if there is none.
        """
        self.check()
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    def check(self) -> None:
        """Refuse a client for whom there is no place.

        Raises:
            ProblemError: As `take`.
        """
        if self.taken >= self._count:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{self._count} pages and streams are open already; close one",
                retry_after_s=10,
            )
