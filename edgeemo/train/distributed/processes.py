"""The worker processes of one machine: started, listened to, and never left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from typing import TYPE_CHECKING

from edgeemo.train.distributed.messages import Message, receive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection
    from pathlib import Path

_UNANSWERED = re.compile(r"stopped sending heartbeats\):\s*([\d,\s]+)")
_ENDS_WITHIN = 10.0


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A worker that ended before it was done, or noticed that another had.

    Attributes:
        number: Which one ended, from 0; None where it is not known.
        how: In words: "ended (signal 9)".
        certain: Whether it ended by itself, and not because another one had.
    """

    number: int | None
    how: str
    certain: bool


class WorkerProcesses:
    """Processes on JAX, by their numbers. As a context manager it kills what is left at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.connections: dict[int, Connection] = {}

    def __enter__(self) -> WorkerProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()
        for connection in self.connections.values():
            connection.close()

    def start(self, number: int, job: Mapping[str, object]) -> None:
        """Start a worker; what it and its libraries write to the screen goes into a file.

        It is in a session of its own, so that Ctrl-C reaches this process alone.
        """
        path = self._folder / f"job{number}.json"
        path.write_text(json.dumps(dict(job)))
        ours, theirs = Pipe()
        with self._log(number).open("wb") as log, theirs:
            self._processes[number] = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "edgeemo.train.distributed.worker",
                    str(path),
                    str(theirs.fileno()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env={**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"},
            )
        self.connections[number] = ours

    def message(self, number: int) -> Message | Lost | None:
        """Return a worker's next message, or its loss; None after a normal end."""
        message = receive(self.connections[number])
        if message is not None:
            return message
        self.connections.pop(number).close()
        return self._end(number)

    def _end(self, number: int) -> Lost | None:
        process = self._processes[number]
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDS_WITHIN)
        status = process.poll()
        if status == 0:
            return None
        if status is None or status >= 0:
            return Lost(number=number, how=self._last_words(number), certain=status == 1)
        if status == -signal.SIGABRT:  # JAX ends a process whose fellow is gone in this way
            return self._aborted(number)
        return Lost(number=number, how=f"ended (signal {-status})", certain=True)

    def _aborted(self, number: int) -> Lost:
        found = _UNANSWERED.search(self._log(number).read_text(errors="replace"))
        if found:
            return Lost(number=int(found[1].split(",")[0]), how="no longer answers", certain=True)
        return Lost(number=None, how="another worker has gone", certain=False)

    def _last_words(self, number: int) -> str:
        lines = self._log(number).read_text(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return f"ended: {said[-1][:300]}" if said else "ended"

    def _log(self, number: int) -> Path:
        return self._folder / f"worker{number}.log"
