"""Follow a training in several processes to its end, or to a clear reason why there is none."""

from __future__ import annotations

import time
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from edgeemo.errors import TrainingError, WorkerError
from edgeemo.train.distributed.messages import Message, receive
from edgeemo.train.distributed.processes import Lost, WorkerProcesses

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from edgeemo.train.distributed.rank import Rank
    from edgeemo.utils.progress import Progress

_GRACE_SECONDS = 4.0
"""How long a better explanation is waited for once a worker has lost the others."""


class WorkerMonitor:
    """Listens to this machine's workers and to the other machines.

    Args:
        processes: The workers that were started here.
        peers: The other machines that this one talks to, by their worker's number.
        rank: Which worker this is.
        progress: Is told what worker 0 says.
        ended: Epochs that had ended before.
    """

    def __init__(
        self,
        processes: WorkerProcesses,
        peers: dict[int, Connection],
        rank: Rank,
        *,
        progress: Progress,
        ended: int = 0,
    ) -> None:
        self._processes, self._peers = processes, dict(peers)
        self._rank = rank
        self._progress = progress
        self._here: set[int] = set()
        self._running = set(rank.own_numbers)
        self._lost: list[Lost] = []
        self._done: Message | None = None
        self.ended = ended

    def wait_until_done(self) -> Message:
        """Wait until every worker of this machine is done.

        Returns:
            What its first worker said at the end.

        Raises:
            WorkerError: If a worker ended before, or never joined.
            TrainingError: If the loss stops being a number.
        """
        join_until = time.monotonic() + self._rank.join_seconds
        while self._running:
            self._listen()
            if not self._lost and self._here != set(self._rank.own_numbers):
                self._check_joined(join_until)
            if self._lost:
                self._explain()
        if self._done is None:
            raise WorkerError("the workers ended without a result")
        return self._done

    def _listen(self) -> None:
        processes, peers = dict(self._processes.connections), dict(self._peers)
        ready = set(wait([*processes.values(), *peers.values()], timeout=0.5))
        for number, connection in processes.items():
            if connection in ready:
                self._hear(number, self._processes.message(number))
        for number, connection in peers.items():
            if connection in ready:
                self._hear_peer(number, receive(connection))

    def _hear(self, number: int, message: Message | Lost | None) -> None:
        if isinstance(message, Lost):
            self._lost.append(message)
        elif message is None:
            self._running.discard(number)
        elif "failed" in message:
            kind = TrainingError if message["kind"] == TrainingError.__name__ else WorkerError
            raise kind(message["failed"])
        elif "lost" in message:
            self._lost.append(_lost(number, message))
        elif "here" in message:
            self._here.add(number)
        elif "epoch" in message:
            self.ended = max(self.ended, message["epoch"])
        elif "done" in message:
            self._done = self._done or message["done"]
        else:
            self._tell(message)

    def _tell(self, message: Message) -> None:
        if "stage" in message:
            self._progress.stage(message["stage"], total=message["total"])
        elif "advance" in message:
            self._progress.advance(message["advance"], detail=message["detail"])
        elif "note" in message:
            self._progress.note(message["note"])

    def _hear_peer(self, number: int, message: Message | None) -> None:
        if message is None:
            del self._peers[number]
            self._lost.append(Lost(number=number, how="has gone", certain=True))
        elif "failed" in message:
            raise WorkerError(message["failed"])
        elif "ended" in message:
            self._lost.append(Lost(number=number, how=message["ended"], certain=True))
        elif "done" in message:
            del self._peers[number]

    def _check_joined(self, until: float) -> None:
        if time.monotonic() < until:
            return
        number = min(set(self._rank.own_numbers) - self._here)
        raise WorkerError(
            f"{self._rank.describe(number)} has not joined within "
            f"{self._rank.join_seconds:g} s; is the machine too busy?"
        )

    def _explain(self) -> None:
        """Raise what is known of a loss, once it is certain or nothing better has come."""
        until = time.monotonic() + _GRACE_SECONDS
        while time.monotonic() < until and not any(lost.certain for lost in self._lost):
            if not self._processes.connections and not self._peers:
                break
            self._listen()
        first = next((lost for lost in self._lost if lost.certain), self._lost[0])
        who = (
            "another worker has gone" if first.number is None else self._rank.describe(first.number)
        )
        raise LostWorkerError(who, first, epoch=self.ended + 1)


def _lost(number: int, message: Message) -> Lost:
    """From what a worker's own exception says."""
    if message["certain"]:
        return Lost(number=number, how=f"ended: {message['lost']}", certain=True)
    return Lost(number=None, how=message["lost"], certain=False)


class LostWorkerError(WorkerError):
    """A worker ended; whoever raises it further adds what is kept.

    Attributes:
        lost: Which, and how.
    """

    def __init__(self, who: str, lost: Lost, *, epoch: int) -> None:
        how = f" {lost.how}" if lost.number is not None else f" ({lost.how})"
        super().__init__(f"{who}{how} in epoch {epoch}")
        self.lost = lost
