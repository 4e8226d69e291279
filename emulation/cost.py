"""Count the instructions of a prediction on the Raspberry Pis' processors.

    python -m emulation.cost MODEL_FOLDER [--out docs/device-cost]    (or: make device-cost)
    python -m emulation.cost FILE...

A folder's exported files are measured stage by stage and as whole processes, and the figures are
written as a page and a table (.md, .csv). Files alone are measured stage by stage and printed.
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

from edgeemo.bench import draw_camera_frame, draw_photo
from edgeemo.bundle import make_bundle
from edgeemo.model.folder import SHIPPED, ModelFolder, shipped_folder
from edgeemo.utils.command import run_command
from emulation import tutorial
from emulation.cost_page import (
    FIRST_COMMAND,
    SMALL_ENTRY_POINT,
    STAGES,
    TELEPHONE,
    WEBCAM,
    Row,
    build_stage_table,
    render_csv,
    render_page,
)
from emulation.live_cost import find_section
from emulation.processors import PROCESSORS
from emulation.root import EmulationError, make_root
from emulation.system_mode import run_steps
from emulation.user_mode import run_python
from emulation.workers import make_job, read_round, worker_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulation.processors import Processor
    from emulation.root import Root
    from emulation.system_mode import Step

_SIZES = {WEBCAM: (640, 480), TELEPHONE: (4000, 3000)}
_RUNS = {WEBCAM: 3, TELEPHONE: 3}  # after three that are not counted
_OF_TELEPHONE = "int8.tflite"  # decoding is the same for all
_FLOAT32 = "float32.tflite"
_PHOTO = "photo"  # of the size of a webcam's image
_COMPILED = (
    "cli", "cli/commands", "cli/options", "cli/output", "engines", "imaging", "imaging/faces",
    "model", "runtime", "utils",
)  # fmt: skip
_BARE = Path(__file__).resolve().parents[1] / "benchmarks" / "bare.py"


@dataclass(frozen=True)
class _Measurement:
    """A command, and how to read its rows."""

    file: str
    image: str
    command: tuple[str, ...]
    stages: tuple[str, ...]

    def rows(self, processor: Processor, step: Step) -> list[Row]:
        counts = {"process": [step.instructions / 1e6]}
        peak_mb = step.peak_mb
        if self.stages == STAGES:
            found = read_round(step, f"{self.file} on {processor.name}")
            counts, peak_mb = found["warm_ms"], found["peak_mb"]
        elif self.stages == ("total",):
            counts = {"total": [each / 1e6 for each in json.loads(step.stdout)]}
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


def _measure_stages(file: str, image: str) -> _Measurement:
    return _Measurement(file, image, worker_command(file, image, runs=_RUNS[image]), STAGES)


def _list_measurements(names: Sequence[str], bundle: str | None) -> list[_Measurement]:
    found = [_measure_stages(name, WEBCAM) for name in names]
    if bundle is None:
        return found
    found += [_measure_stages(name, TELEPHONE) for name in names if name == _OF_TELEPHONE]
    frame = f"/job/{WEBCAM}.jpg"
    for image in _SIZES if _FLOAT32 in names else ():
        words = ("python3", "/job/tutorial.py", f"/job/{_FLOAT32}", f"/job/{image}.jpg", "1")
        found.append(_Measurement("full decode + float32", image, words, ("total",)))
    process = ("process",)
    imports = ("python3", "-c", "import numpy, PIL.Image")
    bare = ("python3", "/job/bare.py", f"/job/{bundle}", frame)
    predict = ("python3", "/job/bundle.pyz", "predict", frame)
    shipped = f"/job/models/{SHIPPED}/{shipped_folder().choose_default_file().name}"
    runtime = ("python3", "-m", "edgeemo.runtime", shipped, f"/job/{_PHOTO}.jpg")
    first = ("python3", "-m", "edgeemo", "predict", f"/job/{_PHOTO}.jpg")
    return [
        *found,
        _Measurement("python", "", ("python3", "-c", "pass"), process),
        _Measurement("python, numpy, Pillow", "", imports, process),
        _Measurement(f"bare script, {bundle}", WEBCAM, bare, process),
        _Measurement(f"bundle predict, {bundle}", WEBCAM, predict, process),
        _Measurement(SMALL_ENTRY_POINT, WEBCAM, runtime, process),
        _Measurement(FIRST_COMMAND, WEBCAM, first, process),
    ]


def count_instructions(
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
        processors: Which Pis' processors.

    Returns:
        The rows of all processors, and once more those of the last, from a second start.

    Raises:
        EmulationError: If a machine cannot be started or fails.
    """
    measurements = _list_measurements([file.name for file in files], bundled and bundled.name)
    commands = [each.command for each in measurements]

    def count(processor: Processor) -> list[Row]:
        steps = run_steps(root, processor, job, commands)
        pairs = zip(measurements, steps, strict=True)
        found = [row for measurement, step in pairs for row in measurement.rows(processor, step)]
        sys.stderr.write(f"{processor.name}: {len(found)} figures\n")
        return found

    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(os.cpu_count()) as threads:
        job = Path(work) / "job"
        frames = {image: draw_camera_frame(*size) for image, size in _SIZES.items()}
        make_job(job, [*files, Path(tutorial.__file__), _BARE], {**frames, _PHOTO: draw_photo()})
        if bundled:
            make_bundle(bundled, job / "bundle.pyz")
            shutil.copytree(shipped_folder().path, job / "models" / SHIPPED)
            _compile(root, job / "edgeemo")
        *first, again = threads.map(count, [*processors, processors[-1]])
    return list(chain.from_iterable(first)), again


def _compile(root: Root, package: Path) -> None:
    """Compile what the two entry points import, as an installation does."""
    folders = [package / name for name in _COMPILED]
    mode = ("--invalidation-mode", "unchecked-hash")
    words = ["-m", "compileall", "-q", "-l", *mode, package, *folders]
    done = run_python(root, PROCESSORS[0], words)
    if done.returncode:
        raise EmulationError(f"edgeemo cannot be compiled: {(done.stderr or done.stdout).strip()}")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("models", nargs="+", type=Path, help="a model folder, or exported files")
    parser.add_argument("--out", type=Path, default=Path("docs/device-cost"))
    options = parser.parse_args()
    return run_command(lambda: _write_page(options.models, options.out))


def _write_page(models: Sequence[Path], out: Path) -> int:
    root = make_root("bookworm")
    if not models[0].is_dir():
        rows, _ = count_instructions(root, models, None)
        print("\n".join(build_stage_table(rows, WEBCAM)))
        return 0
    folder = ModelFolder(models[0])
    rows, again = count_instructions(root, folder.list_exported(), folder.choose_default_file())
    packages = ("numpy", "pillow", "ai-edge-litert", "onnxruntime")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    page = render_page(rows, again, folder.read_spec(), versions)
    written = out.with_suffix(".md")
    live = find_section(written.read_text()) if written.exists() else ""
    written.write_text(f"{page}\n{live}" if live else page)
    out.with_suffix(".csv").write_text("\n".join(render_csv(rows)) + "\n")
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
