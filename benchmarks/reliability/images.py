"""Measure memory and time of the worst images of each kind, each in a process of its own.

    python -m benchmarks.reliability.run images
    python -m benchmarks.reliability.images [--only WORD ...] [--paths ...] [--folder FOLDER]

Makes the images of `worst_images.py` in a temporary folder. Each must be predicted, or refused in
one line; no process may take more than `MAX_MB` (`MAX_DEVICE_MB` for a bundle), and no image more
than `MAX_SECONDS` of the processor. Photos of 12 megapixels must be predicted. The second form
measures some of them, and its exit status is 1 where one of these is broken.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.machine import wait_for
from benchmarks.reliability.check import Check
from benchmarks.reliability.subjects import SHIPPED, make_face_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_MB, MAX_DEVICE_MB, MAX_SECONDS = 300, 256, 2.0
_TIMEOUT = 120
_PATHS = ("predict", "faces", "check", "annotate", "bundle")
_CHECK = """
import sys
from pathlib import Path
from edgeemo.dataset.ingest.find import LabelledFile
from edgeemo.dataset.ingest.judge import judge_file
from edgeemo.model.tables import Rejected
path = Path(sys.argv[1])
file = LabelledFile(path.name, "a", None)
found = judge_file(path.parent, file, formats={"JPEG", "PNG", "BMP", "GIF", "WEBP"})
if isinstance(found, Rejected) and found.reason != "blank":
    sys.exit(f"error: {found.reason}: {found.detail}")
"""


@dataclass(frozen=True)
class Run:
    """One process: how it ended, its processor time less that of a small image, its memory."""

    status: int
    said: str
    seconds: float
    peak_mb: float

    @property
    def outcome(self) -> str:
        """Return "predicted", "refused", or what is wrong."""
        if self.status == 0 and not self.said:
            return "predicted"
        lines = self.said.splitlines()
        return "refused" if self.status == 1 and len(lines) == 1 else f"WRONG: {self.said[-200:]!r}"


def run_once(command: list[str]) -> Run:
    """Run a process to its end."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            ["timeout", "-s", "KILL", str(_TIMEOUT), *command],
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        usage = wait_for(process)
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    return Run(process.returncode, said, usage.cpu_ms / 1000, usage.peak_mb)


@dataclass
class Worst:
    """The largest figures of a path, and what was beyond its bounds or went wrong."""

    peak_mb: float = 0
    seconds: float = 0
    images: int = 0
    broken: int = 0


def measure() -> list[Check]:
    """Return the checks of the worst images, on a workstation and in a bundle."""
    worst = measure_paths(_PATHS)
    device = worst.pop("bundle")
    paths = ", ".join(worst)
    return [
        _check(f"worst of {device.images} images ({paths})", [*worst.values()], MAX_MB),
        _check(f"worst of {device.images} images in a bundle", [device], MAX_DEVICE_MB),
    ]


def _check(name: str, found: Sequence[Worst], max_mb: int) -> Check:
    peak_mb = max(each.peak_mb for each in found)
    seconds = max(each.seconds for each in found)
    broken = sum(each.broken for each in found)
    return Check(
        name=f"{name}: peak memory, time; neither predicted nor refused in one line",
        measured=f"{peak_mb:.0f} MB, {seconds:.2f} s; {broken}",
        promise=f"≤ {max_mb} MB, ≤ {MAX_SECONDS:.0f} s; 0",
        kept=peak_mb <= max_mb and seconds <= MAX_SECONDS and not broken,
    )


def measure_paths(
    paths: Sequence[str], *, only: Sequence[str] = (), folder: Path | None = None
) -> dict[str, Worst]:
    """Measure every image on some paths, and print a row for each.

    Args:
        paths: Some of `_PATHS`.
        only: Parts of the images' names; all images if there are none.
        folder: A folder with the images, if they are made already.
    """
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary, "images")
        if not folder:  # in a process of its own: memory is inherited by those started here
            place.mkdir()
            maker = Path(__file__).with_name("worst_images.py")
            subprocess.run([sys.executable, str(maker), str(place), *only], check=True)
        chosen = [
            image
            for image in sorted(place.glob("*-*"))
            if not only or any(part in image.name for part in only)
        ]
        print("| path | image | outcome | peak MB | s |\n|---|---|---|---|---|")
        commands = _build_commands(paths, Path(temporary))
        return {path: _measure_path(path, commands[path], chosen) for path in paths}


def _build_commands(paths: Sequence[str], place: Path) -> dict[str, list[str]]:
    python, model = sys.executable, str(SHIPPED / "int8.tflite")
    runtime = [python, "-m", "edgeemo.runtime", model]
    annotate = [python, "-m", "edgeemo", "predict", "--model", model, "--format", "jsonl"]
    commands = {
        "predict": [*runtime, "--no-faces"],
        "faces": [*runtime, "--faces"],
        "check": [python, "-c", _CHECK],
        "annotate": [*annotate, "--no-faces", "--annotate", str(place)],
    }
    if "bundle" in paths:
        commands["bundle"] = [python, str(make_face_bundle(place)), "predict"]
    return commands


def _measure_path(path: str, command: list[str], images: Sequence[Path]) -> Worst:
    missing = str(images[0].with_name("missing.png"))
    start = min(run_once([*command, missing]).seconds for _ in range(2))
    limit = MAX_DEVICE_MB if path == "bundle" else MAX_MB
    worst = Worst(images=len(images))
    for image in images:
        run = run_once([*command, str(image)])
        seconds, outcome = max(0.0, run.seconds - start), run.outcome
        if outcome == "refused" and not image.name.startswith("hostile"):
            outcome = f"WRONG: refused: {run.said.strip()[-160:]}"
        worst.broken += outcome not in ("predicted", "refused")
        worst.peak_mb = max(worst.peak_mb, run.peak_mb)
        worst.seconds = max(worst.seconds, seconds)
        beyond = ", BEYOND ITS BOUNDS" if run.peak_mb > limit or seconds > MAX_SECONDS else ""
        row = f"| {path} | {image.stem} | {outcome}{beyond} | {run.peak_mb:.0f} | {seconds:.2f} |"
        print(row, flush=True)
    print(
        f"| {path} | **worst** | | **{worst.peak_mb:.0f}** | **{worst.seconds:.2f}** |", flush=True
    )
    return worst


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="parts of the images' names")
    parser.add_argument("--paths", nargs="*", default=_PATHS, choices=_PATHS)
    parser.add_argument("--folder", type=Path, help="a folder with the images, if there is one")
    given = parser.parse_args()
    worst = measure_paths(given.paths, only=given.only, folder=given.folder)
    return int(
        any(
            each.broken
            or each.seconds > MAX_SECONDS
            or each.peak_mb > (MAX_DEVICE_MB if path == "bundle" else MAX_MB)
            for path, each in worst.items()
        )
    )


if __name__ == "__main__":
    sys.exit(main())
