"""Render counted instructions as a page and as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.utils.text import markdown_head, markdown_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.spec import ModelSpec

WEBCAM, TELEPHONE = "640x480", "4000x3000"
SMALL_ENTRY_POINT = "python -m edgeemo.runtime happy-sad photo.jpg"
FIRST_COMMAND = "edgeemo predict photo.jpg"
STAGES = ("decode", "resize", "invoke", "total")

BOARDS = {
    "cortex-a53": "Cortex-A53 (Pi 3)",
    "cortex-a72": "Cortex-A72 (Pi 4)",
    "cortex-a76": "Cortex-A76 (Pi 5)",
}
_FULL = "full decode + float32"
_INT8 = "int8.tflite"
_TEXT = """# Cost of a prediction on the device

Million instructions of one prediction, one thread, on an emulated Raspberry Pi (QEMU's system mode,
whose clock counts them; Debian bookworm, Python 3.11). The counts are repeatable: a second start of
the {again} differed by at most {spread:.2f} % in every figure. Instructions are not milliseconds:
they ignore caches, memory, and instructions that a core executes in parallel. `edgeemo bench`
measures milliseconds on the Pi.

```text
python -m emulation.cost models/practice-plain      # or: make device-cost
```

{versions}.
Network: {network}, the practice faces' in mode plain. Images: drawn JPEG images of {webcam} and
{telephone} pixels. "total" is one call from the file's bytes to the label; "peak MB" is the peak
memory of a process that loads the file and predicts. [device-cost.csv](device-cost.csv) has every
figure.

## From a camera image, {webcam}

{webcam_table}

## From a 12-megapixel photograph

JPEG is decoded at a reduced scale; [faces.md](faces.md#cost-on-the-device) has a photo with faces,
and the parts of its cost. The last row of each processor is the usual way of tutorials: a
full decode, a resize that distorts, division by 255, float32.

{telephone_table}

## Overhead, and gain over the usual way

{ratios}

## A whole process, from start to prediction

Python, its imports, loading, one prediction of a {webcam} image, and the exit.

{processes}

The last two detect and predict the faces in a drawn photo with happy-sad, whose file both read;
newcomers run `edgeemo predict`.

## Goals

{goals}

Those of photos with faces are in [faces.md](faces.md#cost-on-the-device).
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured figure.

    Attributes:
        processor: QEMU's name for it.
        file: The exported file, or what else was run.
        image: Its size in pixels, or "".
        stage: "decode", "resize", "invoke", "total" (from bytes to label, warm), or "process"
            (from the process's start to its end).
        instructions: Millions; the median of the runs.
        peak_mb: Peak memory of the process, in MB (2 to the power of 20 bytes).
    """

    processor: str
    file: str
    image: str
    stage: str
    instructions: float
    peak_mb: float

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return the processor, file, image and stage."""
        return (self.processor, self.file, self.image, self.stage)


def render_page(rows: Sequence[Row], again: Sequence[Row], spec: ModelSpec, versions: str) -> str:
    """Return the page, in Markdown.

    Args:
        rows: Of all processors.
        again: Of one of them, from a second start.
        spec: The network's.
        versions: Packages and versions, as text.
    """
    return _TEXT.format(
        again=BOARDS[again[0].processor],
        spread=compute_spread(rows, again),
        versions=versions,
        network=f"{spec.width}×{spec.height}×{spec.channels}",
        webcam=WEBCAM,
        telephone=TELEPHONE,
        webcam_table="\n".join(build_stage_table(rows, WEBCAM)),
        telephone_table="\n".join(build_stage_table(rows, TELEPHONE)),
        ratios="\n".join(_build_ratios(rows)),
        processes="\n".join(_build_processes(rows)),
        goals="\n".join(_build_goals(rows)),
    )


def build_stage_table(rows: Sequence[Row], image: str) -> list[str]:
    """Return one line per processor and file: its stages and its peak memory."""
    lines = markdown_head(["processor", "file", *STAGES, "peak MB"], words=2)
    for processor, file in dict.fromkeys(
        (row.processor, row.file) for row in rows if row.image == image
    ):
        found = {row.stage: row for row in rows if row.key[:3] == (processor, file, image)}
        if "total" in found:
            cells = [f"{found[name].instructions:.1f}" if name in found else "" for name in STAGES]
            peak_mb = f"{found['total'].peak_mb:.0f}"
            lines.append(markdown_row([BOARDS[processor], file, *cells, peak_mb]))
    return lines


def render_csv(rows: Sequence[Row]) -> list[str]:
    """Return the rows as comma-separated values, after a heading."""
    lines = ["processor,file,image,stage,million_instructions,peak_mb"]
    return lines + [
        f'{row.processor},"{row.file}",{row.image},{row.stage},'
        f"{row.instructions:.2f},{row.peak_mb:.1f}"
        for row in rows
    ]


def compute_spread(rows: Sequence[Row], again: Sequence[Row]) -> float:
    """Return the largest difference between two starts, in percent."""
    first = {row.key: row.instructions for row in rows}
    return max(100 * abs(row.instructions / first[row.key] - 1) for row in again)


def _build_ratios(rows: Sequence[Row]) -> list[str]:
    counts = {row.key: row.instructions for row in rows}
    lines = markdown_head(
        ["processor", "image", "total / stages, int8", "usual way / total, int8"], words=2
    )
    for processor, board in BOARDS.items():
        for image in (WEBCAM, TELEPHONE):
            decode, resize, invoke, total = (
                counts[processor, _INT8, image, stage] for stage in STAGES
            )
            full = counts[processor, _FULL, image, "total"]
            ratio = total / (decode + resize + invoke)
            cells = (f"{ratio:.3f} ×", f"{full / total:.2f} ×")
            lines.append(markdown_row([board, image, *cells]))
    return lines


def _build_processes(rows: Sequence[Row]) -> list[str]:
    lines = markdown_head(["processor", "process", "million instructions", "peak MB"], words=2)
    for row in rows:
        if row.stage == "process":
            cells = (f"{row.instructions:.0f}", f"{row.peak_mb:.1f}")
            lines.append(markdown_row([BOARDS[row.processor], row.file, *cells]))
    return lines


def _build_goals(rows: Sequence[Row]) -> list[str]:
    """Return what was promised, the figures, and whether they meet it."""
    found = {row.key: row for row in rows}
    overheads, gains, starts, memory = [], [], [], []
    for processor in BOARDS:
        decode, resize, invoke, total = (
            found[processor, _INT8, TELEPHONE, stage].instructions for stage in STAGES
        )
        overheads.append(total / (decode + resize + invoke))
        gains.append(found[processor, _FULL, TELEPHONE, "total"].instructions / total)
        first, small = (
            found[processor, name, WEBCAM, "process"] for name in (FIRST_COMMAND, SMALL_ENTRY_POINT)
        )
        starts.append(first.instructions / small.instructions)
        memory.append(first.peak_mb - small.peak_mb)
    goals = (
        ("12 megapixels: total over its stages, at most 1.1 ×", overheads, 1.1, "{:.3f} ×"),
        ("12 megapixels: usual way over total, at least 3.5 ×", gains, -3.5, "{:.2f} ×"),
        (f"`{FIRST_COMMAND}` over the small entry point, at most 1.15 ×", starts, 1.15, "{:.3f} ×"),
        ("the same, memory: at most 5 MB more", memory, 5, "{:+.1f} MB"),
    )
    lines = markdown_head(["goal", *BOARDS.values(), "met"], words=1)
    for text, values, limit, form in goals:
        is_met = max(values) <= limit if limit > 0 else min(values) >= -limit
        cells = [form.format(value) for value in values]
        lines.append(markdown_row([text, *cells, "yes" if is_met else "no"]))
    return lines
