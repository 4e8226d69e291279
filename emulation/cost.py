"""What a prediction costs on the Raspberry Pis' processors, in instructions.

    python -m emulation.cost MODEL_FOLDER [--out docs/device-cost]    (or: make device-cost)
    python -m emulation.cost FILE...

A folder's exported files are measured stage by stage and as whole processes, and written as a page
and a table (.md, .csv). Files alone are measured and shown.
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
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import edgeemo
from edgeemo.bench.protocol import Job
from edgeemo.bench.sample_frame import camera_frame
from edgeemo.bundle import make_bundle
from edgeemo.model.folder import ModelFolder
from emulation import tutorial
from emulation.cost_page import STAGES, TELEPHONE, WEBCAM, Row, csv_lines, page, stage_table
from emulation.processors import PROCESSORS
from emulation.root import EmulationError, arm64_root
from emulation.system_mode import run_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulation.processors import Processor
    from emulation.root import Root
    from emulation.system_mode import Step

_SIZES = {WEBCAM: (640, 480), TELEPHONE: (4000, 3000)}
_RUNS = {WEBCAM: 2, TELEPHONE: 1}  # after three that are not counted
_OF_TELEPHONE = "int8.tflite"  # decoding is the same for all
_FLOAT32 = "float32.tflite"
_BARE = Path(__file__).resolve().parents[1] / "benchmarks" / "bare.py"


@dataclass(frozen=True)
class _Measurement:
    """A command and how to read rows out of what it printed."""

    file: str
    image: str
    command: tuple[str, ...]
    stages: tuple[str, ...]

    def rows(self, processor: Processor, step: Step) -> list[Row]:
        counts = {"process": [step.instructions / 1e6]}
        peak_mb = step.peak_mb
        if self.stages == STAGES:
            found = json.loads(step.stdout)
            if "whole" not in found:
                raise EmulationError(f"{self.file} on {processor.name}: {found['reason']}")
            counts, peak_mb = found, found["peak_mb"]  # milliseconds of 1 ns an instruction
        elif self.stages == ("whole",):
            counts = {"whole": [each / 1e6 for each in json.loads(step.stdout)]}
        return [
            Row(
                processor=processor.name,
                file=self.file,
                image=self.image,
                stage=stage,
                instructions=statistics.median(counts[stage]),
                peak_mb=peak_mb,
            )
            for stage in self.stages
        ]


def _worker(file: str, image: str) -> _Measurement:
    job = Job(
        path=f"/job/{file}", threads=1, workers=1, images=(f"/job/{image}.jpg",), first=0,
        check=False, runs=_RUNS[image], seconds=1e9, stream_seconds=0, started_ns=0,
    )  # fmt: skip
    return _Measurement(
        file, image, ("python3", "-m", "edgeemo.bench.worker", job.to_json()), STAGES
    )


def _measurements(names: Sequence[str], bundle: str | None) -> list[_Measurement]:
    found = [_worker(name, WEBCAM) for name in names]
    if bundle is None:
        return found
    found += [_worker(name, TELEPHONE) for name in names if name == _OF_TELEPHONE]
    frame = f"/job/{WEBCAM}.jpg"
    for image in _SIZES if _FLOAT32 in names else ():
        words = ("python3", "/job/tutorial.py", f"/job/{_FLOAT32}", f"/job/{image}.jpg", "1")
        found.append(_Measurement("full decode + float32", image, words, ("whole",)))
    process = ("process",)
    imports = ("python3", "-c", "import numpy, PIL.Image")
    return [
        *found,
        _Measurement("python", "", ("python3", "-c", "pass"), process),
        _Measurement("python, numpy, Pillow", "", imports, process),
        _Measurement(
            f"bare script, {bundle}",
            WEBCAM,
            ("python3", "/job/bare.py", f"/job/{bundle}", frame),
            process,
        ),
        _Measurement(
            f"bundle predict, {bundle}",
            WEBCAM,
            ("python3", "/job/bundle.pyz", "predict", frame),
            process,
        ),
    ]


def _fill(job: Path, files: Sequence[Path], bundled: Path | None) -> None:
    """What the emulated machine finds in /job."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(edgeemo.__file__).parent, job / "edgeemo", ignore=ignored)
    for script in (tutorial.__file__, _BARE):
        shutil.copy(script, job)
    for file in files:
        shutil.copy(file, job)
    for image, (width, height) in _SIZES.items():
        (job / f"{image}.jpg").write_bytes(camera_frame(width, height))
    if bundled:
        make_bundle(bundled, job / "bundle.pyz")


def count(
    root: Root,
    files: Sequence[Path],
    bundled: Path | None,
    *,
    processors: Sequence[Processor] = PROCESSORS,
) -> tuple[list[Row], list[Row]]:
    """Count on emulated machines, as many at a time as there are cores.

    Args:
        root: The arm64 Debian.
        files: The exported files.
        bundled: The one to measure whole processes with, or None for the stages alone.
        processors: Which Pis'.

    Returns:
        The rows of all processors, and once more those of the last, from a second start.

    Raises:
        EmulationError: If a machine cannot be started or fails.
    """
    measurements = _measurements([file.name for file in files], bundled and bundled.name)
    commands = [each.command for each in measurements]

    def rows(processor: Processor) -> list[Row]:
        steps = run_steps(root, processor, job, commands)
        pairs = zip(measurements, steps, strict=True)
        found = [row for measurement, step in pairs for row in measurement.rows(processor, step)]
        sys.stderr.write(f"{processor.name}: {len(found)} figures\n")
        return found

    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(os.cpu_count()) as threads:
        job = Path(work) / "job"
        job.mkdir()
        _fill(job, files, bundled)
        *first, again = threads.map(rows, [*processors, processors[-1]])
    return list(chain.from_iterable(first)), again


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("models", nargs="+", type=Path, help="a model folder, or exported files")
    parser.add_argument("--out", type=Path, default=Path("docs/device-cost"))
    options = parser.parse_args()
    try:
        root = arm64_root("bookworm")
        if not options.models[0].is_dir():
            rows, _ = count(root, options.models, None)
            print("\n".join(stage_table(rows, WEBCAM)))
            return 0
        folder = ModelFolder(options.models[0])
        rows, again = count(root, folder.exported(), folder.default_file())
    except (EmulationError, edgeemo.EdgeEmoError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    packages = ("numpy", "pillow", "ai-edge-litert", "onnxruntime")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    options.out.with_suffix(".md").write_text(page(rows, again, folder.spec(), versions))
    options.out.with_suffix(".csv").write_text("\n".join(csv_lines(rows)) + "\n")
    print(options.out.with_suffix(".md").read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
