"""Compare the runtime's cold start and warm speed with a bare script's, as ratios in one run.

    python benchmarks/cold_start.py MODEL.tflite IMAGE.jpg [--bundle NAME.pyz] [--runs 31]

The bare script decodes, loads and invokes the same file with numpy, Pillow and LiteRT and nothing
else. Two further rows find faces with happy-sad: `edgeemo predict`, which newcomers run, and the
runtime with the same model. Whole processes run in turn (A B C A B C ...), timed by the clock and
by the processor, which other processes disturb less, with the peak memory that the kernel accounts
for each. Warm: `Classifier.predict(bytes)` against decode + resize + invoke, in one process.
Install edgeemo properly for this (``pip install .``): an editable install costs every start 10 ms.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from machine import describe, wait_for

from edgeemo.model.folder import SHIPPED, shipped_folder
from edgeemo.utils.text import markdown_head, markdown_row

RUNTIME = (sys.executable, "-m", "edgeemo.runtime")
EDGEEMO = (sys.executable, "-m", "edgeemo")
BARE = Path(__file__).with_name("bare.py").read_text(encoding="utf-8")
_COLUMNS = (
    "cold start, whole process", "ms", "processor ms", "peak MB", "x bare, clock",
    "x bare, processor", "MB above bare",
)  # fmt: skip


@dataclass(frozen=True)
class Start:
    """One whole process: milliseconds on the clock and of the processor, and peak megabytes."""

    wall_ms: float
    processor_ms: float
    peak_mb: float


def run_once(command: list[str]) -> Start:
    """Run a process to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    usage = wait_for(process)
    wall = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command[:4])} ...")
    return Start(wall * 1000, usage.cpu_ms, usage.peak_mb)


def measure_cold(model: str, image: str, bundle: str | None, runs: int) -> None:
    """Print one row for each way to start, compared with the first."""
    commands = {
        "bare script": [sys.executable, "-c", BARE, model, image],
        "python -m edgeemo.runtime": [*RUNTIME, model, image],
    }
    if bundle:
        commands["python NAME.pyz predict"] = [sys.executable, bundle, "predict", image]
    shipped = shipped_folder(SHIPPED).choose_default_file()
    commands["python -m edgeemo.runtime happy-sad"] = [*RUNTIME, str(shipped), image]
    commands["edgeemo predict, which takes happy-sad"] = [*EDGEEMO, "predict", image]
    commands["edgeemo --version"] = [*EDGEEMO, "--version"]
    rows = [list(map(run_once, commands.values())) for _ in range(runs + 2)][2:]
    print("\n".join(markdown_head(_COLUMNS, words=len(_COLUMNS))))
    for index, name in enumerate(commands):
        pairs = [(row[index], row[0]) for row in rows]
        cells = [
            f"{median(ours.wall_ms for ours, _ in pairs):.0f}",
            f"{median(ours.processor_ms for ours, _ in pairs):.0f}",
            f"{median(ours.peak_mb for ours, _ in pairs):.1f}",
            f"{median(ours.wall_ms / bare.wall_ms for ours, bare in pairs):.3f}",
            f"{median(ours.processor_ms / bare.processor_ms for ours, bare in pairs):.3f}",
            f"{median(ours.peak_mb - bare.peak_mb for ours, bare in pairs):+.1f}",
        ]
        print(markdown_row([name, *cells]))
    print()


def measure_warm(model: str, image: str, runs: int) -> None:
    import numpy as np
    from PIL import Image

    from edgeemo import Classifier

    classifier = Classifier.load(model)
    spec, data = classifier.spec, Path(image).read_bytes()
    mode, size = "L" if spec.channels == 1 else "RGB", (spec.width, spec.height)

    def run_parts() -> None:
        opened = Image.open(io.BytesIO(data))
        opened.draft(mode, size)
        small = opened.convert(mode).resize(size, Image.Resampling.BILINEAR)
        classifier.engine.run(np.asarray(small).reshape(spec.input_shape))

    def time_ms(function) -> float:
        start = time.process_time()
        function()
        return (time.process_time() - start) * 1000

    pairs = [
        (time_ms(run_parts), time_ms(lambda: classifier.predict(data)))
        for _ in range(runs * 20 + 20)
    ]
    pairs = pairs[20:]
    bare, ours = (median(pair[i] for pair in pairs) for i in (0, 1))
    ratio = median(b / a for a, b in pairs)
    print("| warm, one image's bytes to its label | processor ms |\n|---|---|")
    print(f"| decode + resize + invoke | {bare:.2f} |\n| Classifier.predict(bytes) | {ours:.2f} |")
    print(f"| **ratio, pair by pair** | **{ratio:.3f} ×** |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("image")
    parser.add_argument("--bundle", help="a bundle of the same file")
    parser.add_argument("--runs", type=int, default=31)
    options = parser.parse_args()
    print(describe("numpy", "pillow", "ai-edge-litert") + "\n")
    measure_cold(options.model, options.image, options.bundle, options.runs)
    measure_warm(options.model, options.image, options.runs)


if __name__ == "__main__":
    main()
