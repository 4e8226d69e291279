"""Benchmark workers on an emulated machine, where a millisecond is a million instructions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import edgeemo
from edgeemo.bench.protocol import RoundRequest
from emulation.root import EmulationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.model.face_settings import FaceSettings
    from emulation.system_mode import Step


def make_job(job: Path, files: Sequence[Path], images: Mapping[str, bytes]) -> None:
    """Make the folder that the machine sees as /job.

    Args:
        job: The folder; it is made.
        files: Files to copy, beside edgeemo itself.
        images: Name without suffix to the bytes of a JPEG.
    """
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(edgeemo.__file__).parent, job / "edgeemo", ignore=ignored)
    for file in files:
        shutil.copy(file, job)
    for name, content in images.items():
        (job / f"{name}.jpg").write_bytes(content)


def worker_command(
    file: str, image: str, *, runs: int, faces: FaceSettings | None = None
) -> tuple[str, ...]:
    """Return the command of a worker that predicts one image with one thread.

    Args:
        file: Name of an exported file of the job.
        image: Name of an image of the job, without suffix.
        runs: Number of predictions, after three that are not counted.
        faces: Face settings; None detects no faces.
    """
    request = RoundRequest(
        path=f"/job/{file}", threads=1, workers=1, images=(f"/job/{image}.jpg",), first=0,
        check=False, runs=runs, seconds=1e9, stream_seconds=0, started_ns=0, faces=faces,
    )  # fmt: skip
    return ("python3", "-m", "edgeemo.bench.worker", request.to_json())


def read_round(step: Step, name: str) -> dict[str, Any]:
    """Return what a worker printed: the fields of `edgeemo.bench.protocol.Round`.

    Args:
        step: The finished command.
        name: Of what was measured, for the message.

    Raises:
        EmulationError: If the worker failed.
    """
    message: dict[str, Any] = json.loads(step.stdout)
    if "warm_ms" not in message:
        raise EmulationError(f"{name}: {message['reason']}")
    return message
