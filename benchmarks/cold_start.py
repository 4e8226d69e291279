"""Cold start and warm speed of the runtime against a bare script, as ratios in one run.

    python benchmarks/cold_start.py MODEL.tflite PICTURE.jpg [--runs 31]

The bare script decodes, loads and invokes the same file with numpy, Pillow and LiteRT and nothing
else. Whole processes are timed in turn (A B A B ...), with the peak memory that the kernel accounts
for each. Warm: `Classifier.predict(bytes)` against decode + resize + invoke, in one process.
Install edgeemo properly for this (``pip install .``): an editable install costs every start 10 ms.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

BARE = """
import sys
import numpy as np
from PIL import Image
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
_, height, width, channels = source["shape"]
picture = Image.open(sys.argv[2])
mode = "L" if channels == 1 else "RGB"
picture.draft(mode, (width, height))
picture = picture.convert(mode).resize((width, height), Image.Resampling.BILINEAR)
pixels = np.asarray(picture).reshape(1, height, width, channels)
if source["dtype"] == np.float32:
    pixels = pixels * np.float32(1 / 255)
interpreter.set_tensor(source["index"], pixels)
interpreter.invoke()
print(interpreter.get_tensor(target["index"]))
"""


def run_once(command: list[str]) -> tuple[float, float]:
    """Wall time in ms and peak memory in MB of one whole process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command[:4])} ...")
    return (time.perf_counter() - start) * 1000, usage.ru_maxrss / 1024


def cold(model: str, picture: str, runs: int) -> None:
    bare = [sys.executable, "-c", BARE, model, picture]
    ours = [sys.executable, "-m", "edgeemo.runtime", model, picture]
    rows = [(run_once(bare), run_once(ours)) for _ in range(runs + 2)][2:]
    ratio = statistics.median(b[0] / a[0] for a, b in rows)
    extra = statistics.median(b[1] - a[1] for a, b in rows)
    print("| cold start, whole process | ms (median) | peak MB (median) |\n|---|---|---|")
    for index, name in enumerate(("bare script", "python -m edgeemo.runtime")):
        ms = statistics.median(row[index][0] for row in rows)
        mb = statistics.median(row[index][1] for row in rows)
        print(f"| {name} | {ms:.0f} | {mb:.1f} |")
    print(f"| **ratio / difference, pair by pair** | **{ratio:.3f} ×** | **{extra:+.1f}** |\n")


def warm(model: str, picture: str, runs: int) -> None:
    import numpy as np
    from PIL import Image

    from edgeemo import Classifier

    classifier = Classifier.load(model)
    spec, data = classifier.spec, Path(picture).read_bytes()
    mode, size = "L" if spec.channels == 1 else "RGB", (spec.width, spec.height)

    def parts() -> None:
        image = Image.open(io.BytesIO(data))
        image.draft(mode, size)
        small = image.convert(mode).resize(size, Image.Resampling.BILINEAR)
        classifier.engine.run(np.asarray(small).reshape(spec.input_shape))

    def timed(function) -> float:
        start = time.perf_counter()
        function()
        return (time.perf_counter() - start) * 1000

    pairs = [(timed(parts), timed(lambda: classifier.predict(data))) for _ in range(runs * 20 + 20)]
    pairs = pairs[20:]
    bare, ours = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
    ratio = statistics.median(b / a for a, b in pairs)
    print("| warm, one picture's bytes to its label | ms (median) |\n|---|---|")
    print(f"| decode + resize + invoke | {bare:.2f} |\n| Classifier.predict(bytes) | {ours:.2f} |")
    print(f"| **ratio, pair by pair** | **{ratio:.3f} ×** |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("picture")
    parser.add_argument("--runs", type=int, default=31)
    options = parser.parse_args()
    packages = [f"{name} {version(name)}" for name in ("numpy", "pillow", "ai-edge-litert")]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(", ".join([machine, *packages]) + "\n")
    cold(options.model, options.picture, options.runs)
    warm(options.model, options.picture, options.runs)


if __name__ == "__main__":
    main()
