"""Start one worker, and read what it says or how it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.bench.protocol import BAD_IMAGE, CRASHED, FAILED, MISSING, Round, Trouble
from edgeemo.errors import BenchError, ImageError, describe_crash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bench.protocol import Job

# -P: a numpy.py in the current folder is not to be imported.
INSTALLED = (sys.executable, "-P", "-m", "edgeemo.bench.worker")
"""Starts a worker of the installed edgeemo; the job follows."""


@dataclass(frozen=True)
class Launcher:
    """Starts workers.

    Attributes:
        command: The words before the job.
        image: What every worker gets on standard input.
    """

    command: Sequence[str]
    image: bytes

    def run(self, job: Job) -> Round | Trouble:
        """Have a job done; the worker is ended if this is interrupted.

        Raises:
            BenchError: If Python cannot be started as a process of its own.
            ImageError: If an image cannot be read.
        """
        done = subprocess.run(
            [*self.command, job.to_json()], input=self.image, capture_output=True, check=False
        )
        if done.returncode < 0:
            return _crash(-done.returncode)
        try:
            said = json.loads(done.stdout)
        except ValueError:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            return Trouble(CRASHED, lines[-1] if lines else f"exit status {done.returncode}")
        return _understood(said)


def _understood(said: dict[str, object]) -> Round | Trouble:
    if said.get("status") == BAD_IMAGE:
        raise ImageError(str(said["reason"]))
    if "status" in said:
        status = MISSING if said["status"] == MISSING else FAILED
        return Trouble(status, str(said["reason"]))
    measured = Round(**said)  # type: ignore[arg-type]
    if measured.architecture != os.uname().machine:
        raise BenchError(
            f"{sys.executable} runs on {measured.architecture} when it is started from this "
            f"{os.uname().machine}: an emulator must start its own Python"
        )
    return measured


def _crash(number: int) -> Trouble:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return Trouble(CRASHED, describe_crash(name))
