"""Count the instructions of face detection on the Raspberry Pis' processors.

    python -m emulation.detection_cost FILE

The file predicts a drawn photo of 640x480, in which the first look detects the faces, a camera
frame of that size without a face, which needs every look, and the photo at 12 megapixels. The table
shows million instructions, one thread, as docs/device-cost.md does.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bench import draw_camera_frame, draw_photo
from edgeemo.bench.protocol import WARM_STAGES
from edgeemo.model.face_settings import FaceSettings
from edgeemo.utils.command import run_command
from edgeemo.utils.text import markdown_head, markdown_row
from emulation.processors import PROCESSORS
from emulation.root import make_root
from emulation.system_mode import run_steps
from emulation.workers import make_job, read_round, worker_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulation.processors import Processor
    from emulation.root import Root
    from emulation.system_mode import Step

_IMAGES = {
    "two faces": draw_photo,
    "no face": draw_camera_frame,
    "two faces, 4000x3000": partial(draw_photo, 4000, 3000),
}
_RUNS = 2  # after three that are not counted
_FACES = FaceSettings(cropped=True)

Counts = dict[str, float | None]
"""Stage to its million instructions; None for a stage that did not run."""


def count_detection(
    root: Root, file: Path, *, processors: Sequence[Processor] = PROCESSORS
) -> dict[tuple[str, str], Counts]:
    """Count on emulated machines, as many at a time as there are cores.

    Args:
        root: The arm64 Debian.
        file: An exported file, which predicts the faces.
        processors: Which Pis' processors.

    Returns:
        Processor's name and image to the median of each stage.

    Raises:
        EmulationError: If a machine cannot be started or fails.
    """
    commands = [worker_command(file.name, name, runs=_RUNS, faces=_FACES) for name in _IMAGES]

    def count(processor: Processor) -> list[Counts]:
        steps = run_steps(root, processor, job, commands)
        return [_find_medians(step, f"{file.name} on {processor.name}") for step in steps]

    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(os.cpu_count()) as threads:
        job = Path(work) / "job"
        make_job(job, [file], {name: draw() for name, draw in _IMAGES.items()})
        found = list(threads.map(count, processors))
    return {
        (processor.name, name): counts
        for processor, each in zip(processors, found, strict=True)
        for name, counts in zip(_IMAGES, each, strict=True)
    }


def _find_medians(step: Step, name: str) -> Counts:
    warm_ms = read_round(step, name)["warm_ms"]
    return {
        stage: statistics.median(warm_ms[stage]) if warm_ms[stage] else None
        for stage in WARM_STAGES
    }


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("file", type=Path, help="an exported file")
    options = parser.parse_args()

    def work() -> int:
        found = count_detection(make_root("bookworm"), options.file)
        print("\n".join(markdown_head(["processor", "image", *WARM_STAGES], words=2)))
        for (processor, image), counts in found.items():
            cells = ("-" if each is None else f"{each:.1f}" for each in counts.values())
            print(markdown_row([processor, image, *cells]))
        return 0

    return run_command(work)


if __name__ == "__main__":
    sys.exit(main())
