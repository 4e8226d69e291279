"""Count the instructions of the edge family on the Raspberry Pis' processors, before any training.

    python benchmarks/edge.py [NAME ...] [--out docs/edge-model.csv]
    python benchmarks/edge.py --plot docs/edge-model.png

Builds each network with random weights for 48x48 grey faces and two classes, exports it to int8 and
counts the instructions of one invoke on an emulated Cortex-A53, A72 and A76; instructions do not
depend on the weights. Members of the table are not measured again. Without names the list is
`MEMBERS`. ``--plot`` plots the accuracies, which ``benchmarks/edge_accuracy.py`` fills in, against
the instructions.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from edge_table import COLUMNS, COUNTED, Rows, build_table, plot, read_members, write_csv

from edgeemo.dataset import draw_faces
from edgeemo.engines.litert import LiteRTEngine
from edgeemo.export.calibration_images import complete_range
from edgeemo.export.convert import Converter
from edgeemo.export.graph import build_deployed
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.container import seal, unseal_bytes
from edgeemo.model.keras import import_keras
from edgeemo.model.spec import ModelSpec
from edgeemo.train.networks.architectures import build
from edgeemo.train.networks.cost import measure_costs
from emulation.processors import PROCESSORS
from emulation.root import make_root
from emulation.system_mode import run_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

MEMBERS = (
    "edge-c24-c48x2m-c96x2m-c128m",
    "edge-c8d-s16-s32x2d-s64x2d",
    "edge-c8d-c16-c32x2d-c48d",
    "edge-c8-c16x2m-c32x2m-c64m",
    "edge-c16d-c16x2-c32x3d-c64d",
    "edge-c16d-c32x3-c48x2d-c64d",
    "edge-c16-c32x2m-c48x2m-c64m",
    "edge-c16-c32x3m-c48x2m-c64m",
    "edge-c32d-c32x2-c48x3d-c48d",
    "edge-c16d-r16x2-r32x2d-r48d",
    "edge-c16d-r32-r32x2d-r48d",
    "edge-c16d-r32x2-r48d-c64d",
    "edge-c16-c32m-r32-r48m-c64m",
    "edge-c16-c32m-r32-r48m-r48m",
    "edge-c16-r32m-r32x2m-c64m",
    "edge-c16-r32m-r48m-c64m",
    "edge-c16-r16-r32m-r32m-c64m",
    "edge-c24d-r24x2-r40d-c64d",
    "edge-c24-r24m-r40m-c64m",
    "edge-c32d-s48-s64x3d-s128x3d",
    "edge-c16-s32x2m-s64x4m-s128x2m",
    "edge-c16-c32m-s64x4m-s96x4m",
    "edge-c32-c32m-s64x4m-s128x3m",
    "edge-c16-c32x2m-s64x4m-s96x3m",
    "edge-c16-s48x2m-s64x3k5m-s96x3m",
    "edge-c16-c32m-r32-s64x4m-s96x3m",
    "edge-c16-c32m-r32-s64x3m-s128x2m",
    "edge-c16-c32m-r32-i32x3m-s96x2m",
    "edge-c16d-i24x2-i32x3d-i48x2e3d",
    "edge-c16-i24m-i24x2-i32x3m-i48m",
    "edge-c16d-i16x2-i24x3d-i40x2d",
    "edge-c32d-i32x2e2-i48x3e2d-i64x2e2d",
    "edge-c16-f24e2m-f32x2e2m-f48e2m",
    "edge-c16-f32m-f32e2-f48e2m-c64m",
    "edge-c16d-f32x2e2-f48e2d-c64d",
    "edge-c16-c32m-f32e2-i48x2e2m-s96x2m",
    "edge-c16-c32m-i48x3e1-i64x4e1m-i96x2e1m",
    "edge-c16d-r32x2-r48d-c48d",
    "edge-c16-c32m-r32-r32x2m-r48m",
    "edge-c16-c32m-r32-r40m-r48m",
    "edge-c16-c32m-r32-r48m-s96x2m",
    "edge-c16d-r32x2-s64x3d-s96x2d",
)
"""Members of the table; the first is a plain network beyond the limits, for comparison."""

SPEC = ModelSpec(labels=("happy", "sad"), height=48, width=48, channels=1)
FACES = 64
BATCH = 13
"""Number of members that one start of the emulated machines counts."""
_OPERATORS = {
    "QUANTIZE", "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "ADD", "MEAN", "FULLY_CONNECTED",
    "LOGISTIC", "DELEGATE",
}  # fmt: skip
_INVOKES = Path(__file__).with_name("invokes.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="members of the family (default: the list)")
    parser.add_argument("--out", type=Path, default=Path("docs/edge-model.csv"))
    parser.add_argument("--plot", type=Path, help="PNG of the plot; requires accuracies")
    options = parser.parse_args()
    rows = read_members(options.out)
    missing = [name for name in options.names or MEMBERS if name not in rows]
    for batch in (missing[at : at + BATCH] for at in range(0, len(missing), BATCH)):
        rows.update(measure(batch))
        write_csv(options.out, COLUMNS, rows.values())
    print("\n".join(build_table(rows.values())))
    if options.plot:
        plot(options.plot, list(rows.values()))


def measure(names: Sequence[str]) -> Rows:
    """Return the rows of members, without accuracies."""
    with tempfile.TemporaryDirectory() as work:
        pixels = draw_pixels(Path(work) / "faces")
        rows, files = {}, []
        for number, name in enumerate(names):
            rows[name], content = export(name, pixels)
            files.append(Path(work) / f"{number}.tflite")
            files[-1].write_bytes(content)
            print(f"{name}: {len(content):,} bytes", flush=True)
        for processor, counts in count_invokes(files).items():
            for name, count in zip(names, counts, strict=True):
                rows[name][COUNTED[processor]] = f"{count / 1e6:.3f}"
    return rows


def draw_pixels(folder: Path) -> np.ndarray:
    """Return drawn faces that span 0 to 255: (N, 48, 48, 1) uint8."""
    drawn = sorted(draw_faces(folder, count=FACES, size=SPEC.height).rglob("*.png"))
    drawn += sorted(folder.rglob("*.jpg"))
    return complete_range(np.stack([preprocess(path, SPEC) for path in drawn]))


def export(name: str, pixels: np.ndarray) -> tuple[dict[str, str], bytes]:
    """Return a member's row, without instructions and accuracies, and its int8 file."""
    keras = import_keras()
    keras.utils.set_random_seed(0)
    model = build(name, input_shape=SPEC.input_shape, classes=2)
    images = pixels * np.float32(SPEC.scale)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # so that one step makes its statistics those of the faces
    model(images, training=True)
    converter = Converter(build_deployed(model, SPEC), SPEC, images)
    content = seal(converter.convert("int8", "tflite"), SPEC, format="tflite")
    operations = LiteRTEngine(unseal_bytes(content, name=f"{name}.tflite")).operations
    if operations.count("DELEGATE") != 1 or not set(operations) <= _OPERATORS:
        raise SystemExit(
            f"{name}: XNNPACK does not run it as one partition: {sorted(set(operations))}"
        )
    cost = measure_costs(model)
    row = {
        "name": name,
        "parameters": str(cost.parameters),
        "multiply_adds": str(cost.multiply_adds),
        "int8_bytes": str(len(content)),
    }
    keras.backend.clear_session()
    return row, content


def count_invokes(files: Sequence[Path]) -> dict[str, list[int]]:
    """Count the instructions of one invoke of each file: processor to one number per file."""
    root, counts = make_root("bookworm"), {}
    with tempfile.TemporaryDirectory() as work:
        job = Path(work) / "job"
        job.mkdir()
        for file in (*files, _INVOKES):
            shutil.copy(file, job)
        inside = [f"/job/{file.name}" for file in files]
        for processor in PROCESSORS:
            command = ["python3", f"/job/{_INVOKES.name}", *inside]
            (step,) = run_steps(root, processor, job, [command])
            found = json.loads(step.stdout)
            counts[processor.name] = [found[path] for path in inside]
    return counts


if __name__ == "__main__":
    main()
