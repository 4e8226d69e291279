"""--on-change: a command that is run at each event."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import OptionError
from edgeemo.live.outputs.jsonl import event_fields
from edgeemo.live.outputs.trouble import Trouble
from edgeemo.live.outputs.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.live.observation import Event, Observation
    from edgeemo.live.outputs.clock import Clock

TIME_LIMIT_S = 10.0
"""Seconds after which a command is ended."""
BACKLOG = 32
"""Events that wait for the command; more are left out."""
_CLOSE_S = 0.7
_STDERR = 2


class OnChange:
    """Runs a command at each event, one at a time, with the event as JSON on its standard input.

    No shell is involved. What it prints goes to standard error, so that JSON lines stay alone.

    Args:
        command: The command's words, as `split_command` returns them.
        clock: The meaning of times.
        camera: Name of the camera, for the JSON.
        report: Receives one line about a failure.
        time_limit_s: Seconds after which a command is ended.
    """

    def __init__(
        self,
        command: Sequence[str],
        clock: Clock,
        *,
        camera: str,
        report: Callable[[str], None],
        time_limit_s: float = TIME_LIMIT_S,
    ) -> None:
        self.name = f"--on-change {Path(command[0]).name}"
        self._command, self._clock, self._camera = list(command), clock, camera
        self._time_limit_s = time_limit_s
        self._trouble = Trouble(self.name, report)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closing = False
        message = f"{self.name}: slower than the events; some are left out"
        self._worker = Worker(self._run, limit=BACKLOG, on_drop=lambda: report(message))

    def add_observation(self, seen: Observation) -> None:
        """Ignore it."""

    def add_event(self, event: Event) -> None:
        """See `edgeemo.live.outputs.base.Output.add_event`."""
        fields = event_fields(event, self._clock, name=self._camera)
        self._worker.put(json.dumps(fields).encode() + b"\n")

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`; a command that still runs is ended."""
        if not self._worker.finish(_CLOSE_S):
            self._is_closing = True
            self._end()

    def _run(self, content: bytes) -> None:
        if self._is_closing:
            return
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=_STDERR, start_new_session=True
            )
        except OSError as error:  # perhaps it will be there again
            self._trouble.note(str(error.strerror).lower())
            return
        try:
            self._process.communicate(content, timeout=self._time_limit_s)
        except subprocess.TimeoutExpired:
            self._end()
            self._trouble.note(f"ended after {self._time_limit_s:g} seconds")
            return
        self._judge(self._process.returncode)

    def _judge(self, status: int) -> None:
        if status == 0:
            self._trouble.clear()
        elif not self._is_closing:
            end = f"exit status {status}" if status > 0 else f"ended by signal {-status}"
            self._trouble.note(f"{end}; it is run again at the next event")

    def _end(self) -> None:
        """End the command and what it has started."""
        if self._process is not None and self._process.poll() is None:
            with suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGKILL)
                else:  # Windows
                    self._process.kill()
            self._process.wait()


def split_command(text: str) -> list[str]:
    """Return the words of a command, as a shell splits them.

    Args:
        text: The command.

    Raises:
        OptionError: If there is none, or its program is not found.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise OptionError(f"--on-change: {str(error).lower()} in {text!r}") from None
    if not words:
        raise OptionError("--on-change requires a command")
    if shutil.which(words[0]) is None:
        raise OptionError(f"--on-change: no program {words[0]!r} that can be run")
    return words
