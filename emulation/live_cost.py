"""Count the instructions of live frames on the Raspberry Pis' processors.

    python -m emulation.live_cost FILE [--out docs/device-cost.md]

The frames are JPEGs of 640x480: a drawn photo with two faces, and a camera frame without one. The
section of the page is replaced; `emulation.cost` keeps it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bench import draw_camera_frame, draw_photo
from edgeemo.utils.command import run_command
from edgeemo.utils.text import markdown_head, markdown_row
from emulation import live_stages
from emulation.cost_page import BOARDS
from emulation.processors import PROCESSORS
from emulation.root import make_root
from emulation.system_mode import run_steps
from emulation.workers import make_job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulation.live_stages import Stages
    from emulation.processors import Processor
    from emulation.root import Root

HEADING = "## A live frame"
CLOCK_MHZ = {"cortex-a53": 1400, "cortex-a72": 1800, "cortex-a76": 2400}
"""Of a Pi 3 B+, a Pi 4 and a Pi 5."""

_COLUMNS = ("decode", "gate", "detect", "track", "predict", "total")
_TEXT = """{heading}

Million instructions of a frame of `edgeemo live`, a JPEG of 640x480, with {file}:

```text
python -m emulation.live_cost {path}
```

{table}

"detect" holds the looks for faces: the first alone with faces; the first and another one without
(the mean of all turns), and where a known face is missed. A first look costs {first}, and the most
expensive frame without a face {most}. "decode" of a still frame is its brightness alone, at a
quarter of the size. "predict" is two faces.

A core that executes one instruction per cycle would give these frames per second; what a Pi gives,
`edgeemo live --json` tells there ("ms" in its lines). Not measured on a Pi.

{rates}
"""


def find_section(page: str) -> str:
    """Return the section of a page, or nothing."""
    _, heading, section = page.partition(HEADING)
    return heading + section


def count_frames(
    root: Root, file: Path, *, processors: Sequence[Processor] = PROCESSORS
) -> dict[str, dict[str, Stages]]:
    """Count on emulated machines, as many at a time as there are cores.

    Args:
        root: The arm64 Debian.
        file: An exported file, which predicts the faces.
        processors: Which Pis' processors.

    Returns:
        Processor's name and kind of frame to its stages.

    Raises:
        EmulationError: If a machine cannot be started or fails.
    """
    script = Path(live_stages.__file__)
    command = ("python3", f"/job/{script.name}", f"/job/{file.name}", "/job/a.jpg", "/job/b.jpg")

    def count(processor: Processor) -> dict[str, Stages]:
        (step,) = run_steps(root, processor, job, [command])
        stages: dict[str, Stages] = json.loads(step.stdout)
        return stages

    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(os.cpu_count()) as threads:
        job = Path(work) / "job"
        make_job(job, [file], {"a": draw_photo(), "b": draw_camera_frame()})
        shutil.copy(script, job)
        found = list(threads.map(count, processors))
    return {processor.name: each for processor, each in zip(processors, found, strict=True)}


def render_section(found: dict[str, dict[str, Stages]], file: Path) -> str:
    """Return the section of the page, in Markdown."""
    lines, rates = markdown_head(["processor", "frame", *_COLUMNS], words=2), []
    rates = markdown_head(["processor", "MHz", *next(iter(found.values()))], words=1)
    for name, frames in found.items():
        for kind, stages in frames.items():
            cells = (f"{stages[each]:.2f}" if each in stages else "-" for each in _COLUMNS)
            lines.append(markdown_row([BOARDS[name], kind, *cells]))
        clock = CLOCK_MHZ[name]
        per_second = (f"{clock / stages['total']:.0f}" for stages in frames.values())
        rates.append(markdown_row([BOARDS[name], clock, *per_second]))
    turns = [frames["without a face"] for frames in found.values()]
    return _TEXT.format(
        heading=HEADING,
        file=f"{file.parent.name}'s {file.name}",
        path=file,
        table="\n".join(lines),
        most=" / ".join(f"{each['most']:.1f}" for each in turns),
        first=" / ".join(f"{each['first look']:.1f}" for each in turns),
        rates="\n".join(rates),
    )


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("file", type=Path, help="an exported file")
    parser.add_argument("--out", type=Path, default=Path("docs/device-cost.md"))
    options = parser.parse_args()

    def work() -> int:
        section = render_section(count_frames(make_root("bookworm"), options.file), options.file)
        page = options.out.read_text(encoding="utf-8").partition(HEADING)[0].rstrip()
        options.out.write_text(f"{page}\n\n{section}", encoding="utf-8")
        return 0

    return run_command(work)


if __name__ == "__main__":
    sys.exit(main())
