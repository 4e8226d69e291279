"""Count the instructions of single int8 layers on the Raspberry Pis' processors.

    python benchmarks/edge_parts.py [--out docs/edge-parts.csv]

Instructions of one invoke of a network with a layer, less one without it, on an emulated
Cortex-A53, A72 and A76; every layer gives as many channels as it takes, but for stems, which take
one. Prints a Markdown table of million instructions, and of instructions per multiply-add.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from edge import count_invokes
from edge_table import COUNTED, read_csv, write_csv

from edgeemo.export.tflite import convert_to_tflite
from edgeemo.model.keras import import_keras
from edgeemo.utils.text import markdown_head, markdown_row

WIDTHS = {
    48: (16, 24, 32),
    24: (16, 24, 32, 40, 48, 64),
    12: (24, 32, 48, 64, 96, 128),
    6: (48, 64, 96, 128),
}
"""Side of the image in pixels to numbers of channels."""

PARTS = ("3x3", "3x3 stride 2", "1x1", "depthwise 3x3", "depthwise 5x5", "add", "maximum 2x2")
STEMS = ("stem 3x3", "stem 3x3 stride 2", "stem 5x5 stride 2", "stem 7x7 stride 2")
STEM_SIDE, STEM_WIDTHS = 48, (8, 16, 24, 32)
_NOTHING = "nothing"

Layer = tuple[str, int, int]
"""Kind of a layer, side of its input in pixels, number of its output channels."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/edge-parts.csv"))
    out = parser.parse_args().out
    if not out.exists():
        rows = measure(list_layers())
        write_csv(out, list(rows[0]), rows)
    print("\n".join(build_table(read_csv(out))))


def list_layers() -> list[Layer]:
    found = [(_NOTHING, STEM_SIDE, 1)]
    found += [(stem, STEM_SIDE, width) for stem in STEMS for width in STEM_WIDTHS]
    for side, widths in WIDTHS.items():
        found += [(part, side, width) for part in (_NOTHING, *PARTS) for width in widths]
    return found


def measure(layers: list[Layer]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as work:
        files = []
        for number, layer in enumerate(layers):
            files.append(Path(work) / f"{number}.tflite")
            files[-1].write_bytes(convert(*layer))
        counts = count_invokes(files)
    place = {layer: number for number, layer in enumerate(layers)}
    rows = []
    for part, side, width in layers:
        if part == _NOTHING:
            continue
        without = place[_find_baseline(part, side, width)]
        row = {"part": part, "side": side, "width": width}
        row["multiply_adds"] = count_multiply_adds(part, side, width)
        for processor, name in COUNTED.items():
            found = counts[processor]
            row[name] = f"{(found[place[part, side, width]] - found[without]) / 1e6:.3f}"
        rows.append(row)
    return rows


def _find_baseline(part: str, side: int, width: int) -> Layer:
    """Return the network to compare with."""
    if part == "add":
        return ("1x1", side, width)
    return (_NOTHING, side, 1 if part in STEMS else width)


def count_multiply_adds(part: str, side: int, width: int) -> int:
    """Count as `edgeemo.train.networks.cost` does: 0 for an addition and a maximum."""
    if part in ("add", "maximum 2x2"):
        return 0
    kernel = int(part.removeprefix("stem ").removeprefix("depthwise ")[0])
    positions = (side // 2 if part.endswith("stride 2") else side) ** 2
    inputs = 1 if part.startswith(("stem", "depthwise")) else width
    return positions * kernel**2 * inputs * width


def convert(part: str, side: int, width: int) -> bytes:
    """Return an int8 network of one such layer, the mean over the image and one sigmoid."""
    keras = import_keras()
    channels = 1 if part in STEMS else width
    image = keras.Input(batch_shape=(1, side, side, channels), name="image")
    values = keras.layers.GlobalAveragePooling2D()(_add_layer(keras.layers, part, width, image))
    output = keras.layers.Dense(1, activation="sigmoid")(values)
    images = np.random.default_rng(0).random((3, side, side, channels)).astype(np.float32)
    images[0].flat[:2] = 0, 1
    model = keras.Model(image, {"prob": output}, name="edgeemo")
    content = convert_to_tflite(model, "int8", calibration=images)
    keras.backend.clear_session()
    return content


def _add_layer(layers: Any, part: str, width: int, image: Any) -> Any:
    if part == _NOTHING:
        return image
    if part == "maximum 2x2":
        return layers.MaxPooling2D(2)(image)
    if part == "add":
        return layers.Add()([layers.Conv2D(width, 1, activation="relu")(image), image])
    kernel = int(part.removeprefix("stem ").removeprefix("depthwise ")[0])
    more = {
        "padding": "same",
        "activation": "relu",
        "strides": 2 if part.endswith("stride 2") else 1,
    }
    if part.startswith("depthwise"):
        return layers.DepthwiseConv2D(kernel, **more)(image)
    return layers.Conv2D(width, kernel, **more)(image)


def build_table(rows: list[dict[str, str]]) -> list[str]:
    names = list(COUNTED.values())
    heads = ["layer", "pixels", "channels", "multiply-adds, M", *(name.upper() for name in names)]
    heads += [f"{name.upper()} per multiply-add" for name in names]
    lines = markdown_head(heads)
    for row in rows:
        products = int(row["multiply_adds"]) / 1e6
        cells = [row["part"], row["side"], row["width"], f"{products:.2f}" if products else ""]
        cells += [f"{float(row[name]):.2f}" for name in names]
        cells += [f"{float(row[name]) / products:.2f}" if products else "" for name in names]
        lines.append(markdown_row(cells))
    return lines


if __name__ == "__main__":
    main()
