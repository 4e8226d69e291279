"""Start one worker process, and read its figures or how it ended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.bench.protocol import BAD_IMAGE, CRASHED, FAILED, MISSING, Failure, Round
from edgeemo.errors import BenchError, ImageError, describe_crash
from edgeemo.utils.system import machine_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.bench.protocol import RoundRequest

# -P: a numpy.py in the current folder is not to be imported.
WORKER_COMMAND = (sys.executable, "-P", "-m", "edgeemo.bench.worker")
"""Command that starts a worker of the installed edgeemo; the request follows."""


@dataclass(frozen=True)
class Launcher:
    """Starter of worker processes.

    Attributes:
        command: The command before the request.
        image: Standard input of every worker.
    """

    command: Sequence[str]
    image: bytes

    def run(self, request: RoundRequest) -> Round | Failure:
        """Run one round in a worker process, which ends if this is interrupted.

        Raises:
            BenchError: If Python cannot be started as a process of its own.
            ImageError: If an image cannot be read.
        """
        done = subprocess.run(
            [*self.command, request.to_json()], input=self.image, capture_output=True, check=False
        )
        if done.returncode < 0:
            return _build_crash(-done.returncode)
        try:
            message = json.loads(done.stdout)
        except ValueError:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            return Failure(CRASHED, lines[-1] if lines else f"exit status {done.returncode}")
        return _parse(message)


def _parse(message: Mapping[str, object]) -> Round | Failure:
    if message.get("status") == BAD_IMAGE:
        raise ImageError(str(message["reason"]))
    if "status" in message:
        status = MISSING if message["status"] == MISSING else FAILED
        return Failure(status, str(message["reason"]))
    measured = Round.from_message(message)
    if measured.architecture != machine_name():
        raise BenchError(
            f"{sys.executable} runs on {measured.architecture} when it is started from this "
            f"{machine_name()}: an emulator must start its own Python"
        )
    return measured


def _build_crash(number: int) -> Failure:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return Failure(CRASHED, describe_crash(name))
