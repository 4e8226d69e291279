"""Measure memory and time of the worst images of each kind, each in a process of its own.

    python benchmarks/reliability/images.py [--bundle NAME.pyz] [--only WORD ...] [--paths ...]

Makes the images of `worst_images.py` in a temporary folder. Each must be predicted, or refused in
one line; no process may take more than `MAX_MB` (`MAX_DEVICE_MB` for a bundle), and no image more
than `MAX_SECONDS` of the processor. Photos of 12 megapixels must be predicted. Exit status 1 where
one of these is broken.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from machine import describe, wait_for

MAX_MB, MAX_DEVICE_MB, MAX_SECONDS = 300, 256, 2.0
_TIMEOUT = 120
_ROOT = Path(__file__).parents[2]
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=str(_ROOT / "models/happy-sad/int8.tflite"))
    parser.add_argument("--bundle", help="a bundle that finds faces")
    parser.add_argument("--only", nargs="*", default=[], help="parts of the images' names")
    parser.add_argument("--paths", nargs="*", default=["predict", "faces", "check", "annotate"])
    parser.add_argument("--folder", help="a folder with the images, if they are made already")
    options = parser.parse_args()
    python, runtime = sys.executable, [sys.executable, "-m", "edgeemo.runtime", options.model]
    annotate = [python, "-m", "edgeemo", "predict", "--model", options.model, "--format", "jsonl"]
    with tempfile.TemporaryDirectory() as temporary:
        commands = {
            "predict": [*runtime, "--no-faces"],
            "faces": [*runtime, "--faces"],
            "check": [python, "-c", _CHECK],
            "annotate": [*annotate, "--no-faces", "--annotate", temporary],
        }
        commands = {name: commands[name] for name in options.paths}
        if options.bundle:
            commands["bundle"] = [python, options.bundle, "predict"]
        folder = Path(options.folder or temporary)
        if not options.folder:  # in a process of its own: memory is inherited by those started here
            maker = Path(__file__).with_name("worst_images.py")
            subprocess.run([python, maker, folder, *options.only], check=True)
        print(describe("numpy", "pillow", "ai-edge-litert") + "\n")
        return measure(folder, commands, options.only)


def measure(folder: Path, commands: dict[str, list[str]], only: list[str]) -> int:
    small = folder / "small.ppm"
    small.with_suffix(".bmp").write_bytes(b"")
    broken = 0
    print("| path | image | outcome | peak MB | s |\n|---|---|---|---|---|")
    for path, command in commands.items():
        start = min(run_once([*command, str(folder / "missing.png")]).seconds for _ in range(2))
        worst = [0.0, 0.0]
        for image in sorted(folder.glob("*-*")):
            if only and not any(part in image.name for part in only):
                continue
            run = run_once([*command, str(image)])
            seconds = max(0.0, run.seconds - start)
            limit = MAX_DEVICE_MB if path == "bundle" else MAX_MB
            outcome = run.outcome
            if outcome == "refused" and not image.name.startswith("hostile"):
                outcome = f"WRONG: refused: {run.said.strip()[-160:]}"
            if run.peak_mb > limit or seconds > MAX_SECONDS:
                outcome += ", BEYOND ITS BOUNDS"
            broken += outcome not in ("predicted", "refused")
            worst = [max(worst[0], run.peak_mb), max(worst[1], seconds)]
            print(
                f"| {path} | {image.stem} | {outcome} | {run.peak_mb:.0f} | {seconds:.2f} |",
                flush=True,
            )
        print(f"| {path} | **worst** | | **{worst[0]:.0f}** | **{worst[1]:.2f}** |", flush=True)
    print(f"\n{broken} broken")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
