"""What finding faces costs on the Raspberry Pis' processors, in instructions.

    python -m emulation.find_cost FILE

The file answers a drawn photo of 640x480, in which faces are found at the first look, and a camera
frame of that size without any, at which every look is taken. Shown are million instructions, one
thread, as in docs/device-cost.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import edgeemo
from edgeemo.bench.protocol import Job
from edgeemo.bench.results import STAGES
from edgeemo.bench.sample_frame import camera_frame
from edgeemo.bench.sample_photo import drawn_photo
from edgeemo.model.face_settings import FaceSettings
from emulation.processors import PROCESSORS
from emulation.root import EmulationError, arm64_root
from emulation.system_mode import run_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulation.processors import Processor
    from emulation.root import Root

_IMAGES = {"two faces": drawn_photo, "no face": camera_frame}
_RUNS = 2  # after three that are not counted

Counts = dict[str, float | None]
"""Million instructions of each stage; None where there was nothing to do."""


def count_finding(
    root: Root, file: Path, *, processors: Sequence[Processor] = PROCESSORS
) -> dict[tuple[str, str], Counts]:
    """Count on emulated machines, as many at a time as there are cores.

    Args:
        root: The arm64 Debian.
        file: An exported file, which answers the faces.
        processors: Which Pis'.

    Returns:
        The processor's name and what the image shows, to the median of each stage.

    Raises:
        EmulationError: If a machine cannot be started or fails.
    """

    def counted(processor: Processor) -> list[Counts]:
        steps = run_steps(root, processor, job, [_command(file, name) for name in _IMAGES])
        return [_medians(json.loads(step.stdout)) for step in steps]

    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(os.cpu_count()) as threads:
        job = Path(work) / "job"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(edgeemo.__file__).parent, job / "edgeemo", ignore=ignored)
        shutil.copy(file, job)
        for name, drawn in _IMAGES.items():
            (job / f"{name}.jpg").write_bytes(drawn())
        found = list(threads.map(counted, processors))
    return {
        (processor.name, name): counts
        for processor, both in zip(processors, found, strict=True)
        for name, counts in zip(_IMAGES, both, strict=True)
    }


def _command(file: Path, image: str) -> list[str]:
    job = Job(
        path=f"/job/{file.name}", threads=1, workers=1, images=(f"/job/{image}.jpg",), first=0,
        check=False, runs=_RUNS, seconds=1e9, stream_seconds=0, started_ns=0,
        faces=FaceSettings(cropped=True),
    )  # fmt: skip
    return ["python3", "-m", "edgeemo.bench.worker", job.to_json()]


def _medians(said: dict[str, list[float]]) -> Counts:
    """A millisecond of that clock is a million instructions."""
    if "whole" not in said:
        raise EmulationError(f"the worker fails: {said['reason']}")
    return {name: statistics.median(said[name]) if said[name] else None for name in STAGES}


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("file", type=Path, help="an exported file")
    options = parser.parse_args()
    try:
        found = count_finding(arm64_root("bookworm"), options.file)
    except (EmulationError, edgeemo.EdgeEmoError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    print(f"| processor | image | {' | '.join(STAGES)} |")
    print("|---|---|" + "---:|" * len(STAGES))
    for (processor, image), counts in found.items():
        cells = ("-" if each is None else f"{each:.1f}" for each in counts.values())
        print(f"| {processor} | {image} | {' | '.join(cells)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
