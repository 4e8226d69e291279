"""A thread that does the work of one output, so that the loop never waits for it."""

from __future__ import annotations

import time
from collections import deque
from threading import Condition, Thread
from typing import TYPE_CHECKING, Generic, TypeVar

from edgeemo.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE_S = 10.0
"""Seconds without progress after which an output that is waited for has stalled."""

Item = TypeVar("Item")


class Worker(Generic[Item]):
    """A bounded queue and the thread that empties it.

    Args:
        act: Does the work of an item, in the thread. What it raises ends the output: the next
            call raises it.
        limit: Greatest number of items that wait.
        waits: Whether `put` waits for room, as for a file, of which nothing may be lost; else the
            item is dropped.
        on_drop: Called at the first item that is dropped.

    Attributes:
        limit: As given; it may be changed.
        dropped: Number of items that were dropped.
    """

    def __init__(
        self,
        act: Callable[[Item], None],
        *,
        limit: int,
        waits: bool = False,
        on_drop: Callable[[], None] = lambda: None,
    ) -> None:
        self._act, self.limit, self._waits, self._on_drop = act, limit, waits, on_drop
        self._items: deque[Item] = deque()
        self._changed = Condition()
        self._failure: BaseException | None = None
        self._thread: Thread | None = None
        self._is_closing = self._has_ended = False
        self._done = self.dropped = 0

    def put(self, item: Item, *, always: bool = False) -> bool:
        """Hand an item over.

        Args:
            item: The item.
            always: Whether it has room in any case, as a rare and small one.

        Returns:
            Whether it was taken.

        Raises:
            OutputError: If there was no room for 10 seconds, where it waits for room.
            Exception: What the work of an earlier item raised.
        """
        with self._changed:
            self._raise_failure()
            if self._waits and not always:
                self._wait_for_room()
            is_taken = always or len(self._items) < self.limit
            if is_taken:
                self._items.append(item)
                self._changed.notify_all()
            else:
                self.dropped += 1
        if self._thread is None:
            self._thread = Thread(target=self._run, name="output", daemon=True)
            self._thread.start()
        if not is_taken and self.dropped == 1:
            self._on_drop()
        return is_taken

    def finish(self, wait_s: float | None) -> bool:
        """Let the thread end when the queue is empty, and wait for that.

        Args:
            wait_s: Seconds to wait; None for as long as it takes.

        Returns:
            Whether all was done in time.

        Raises:
            Exception: What the work of an item raised.
        """
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            is_done = self._thread is None or self._changed.wait_for(
                lambda: self._has_ended, wait_s
            )
            self._raise_failure()
        return is_done

    def _wait_for_room(self) -> None:
        done, since = self._done, time.monotonic()
        while len(self._items) >= self.limit and not self._has_ended:
            self._changed.wait(_PATIENCE_S)
            if self._done == done and time.monotonic() - since >= _PATIENCE_S:
                raise OutputError(f"nothing was written for {_PATIENCE_S:.0f} seconds")
            if self._done != done:
                done, since = self._done, time.monotonic()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _run(self) -> None:
        try:
            while self._work():
                pass
        except BaseException as failure:  # raised again in the thread that hands items over
            self._failure = failure
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _work(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._is_closing)
            if not self._items:
                return False
            item = self._items[0]  # it has its place until it is done
        self._act(item)
        with self._changed:
            self._items.popleft()
            self._done += 1
            self._changed.notify_all()
        return True
