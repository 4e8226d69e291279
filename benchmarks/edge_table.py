"""The table of the edge family's members: as CSV, as Markdown, and as a plot."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.report.plots import draw_figure
from edgeemo.utils.files import write_file
from edgeemo.utils.text import markdown_head, markdown_row
from emulation.processors import PROCESSORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MAX_BYTES, MAX_A72, MAX_A76 = 120_000, 8.0, 3.0
"""Limits: bytes of the file, million instructions."""

COUNTED = {processor.name: processor.name.replace("cortex-", "") for processor in PROCESSORS}
ACCURACIES = ("accuracy_float", "accuracy_int8")
COLUMNS = ("name", "parameters", "multiply_adds", "int8_bytes", *COUNTED.values(), *ACCURACIES)

Rows = dict[str, dict[str, str]]
"""A table: name to its row."""


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read the rows of a table."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table; a missing cell is empty."""
    lines = [",".join(columns)]
    lines += [",".join(str(row.get(column, "")) for column in columns) for row in rows]
    write_file(path, "\n".join(lines) + "\n")


def read_members(path: Path) -> Rows:
    """Read the table of the members; empty if there is none."""
    return {row["name"]: row for row in read_csv(path)} if path.exists() else {}


def is_within_limits(row: dict[str, str]) -> bool:
    """Return whether a member is within the limits."""
    return (
        int(row["int8_bytes"]) <= MAX_BYTES
        and float(row["a72"]) <= MAX_A72
        and float(row["a76"]) <= MAX_A76
    )


def build_table(rows: Iterable[dict[str, str]]) -> list[str]:
    """Return the table for a page, with accuracies if a member has them."""
    rows = list(rows)
    known = [column for column in ACCURACIES if any(row.get(column) for row in rows)]
    heads = ["network", "parameters", "multiply-adds, M", "int8 file, kB", "A53", "A72", "A76"]
    heads += [column.replace("_", ", ") for column in known]
    lines = markdown_head(heads)
    for row in rows:
        cells = [
            f"`{row['name']}`" + ("" if is_within_limits(row) else " (beyond)"),
            f"{int(row['parameters']):,}",
            f"{int(row['multiply_adds']) / 1e6:.1f}",
            f"{int(row['int8_bytes']) / 1000:.0f}",
            *(f"{float(row[column]):.1f}" for column in COUNTED.values()),
            *(f"{float(row[column]):.3f}" if row.get(column) else "" for column in known),
        ]
        lines.append(markdown_row(cells))
    return lines


def find_pareto_front(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Return the members that none beats in accuracy for as few instructions, cheapest first."""
    found: list[dict[str, str]] = []
    for row in sorted(rows, key=lambda row: (float(row["a72"]), -float(row[ACCURACIES[1]]))):
        if not found or float(row[ACCURACIES[1]]) > float(found[-1][ACCURACIES[1]]):
            found.append(row)
    return found


def plot(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Plot the accuracy of int8 against instructions on the A72; a dot's area is the file size."""
    known = [row for row in rows if row.get(ACCURACIES[1])]
    if not known:
        raise SystemExit("no accuracies yet: benchmarks/edge_accuracy.py measures them")
    places = {row["name"]: (float(row["a72"]), float(row[ACCURACIES[1]])) for row in known}
    middle = np.mean([x for x, _ in places.values()])
    with draw_figure(path, width=8, height=5) as drawn:
        axis = drawn.subplots()
        axis.scatter(
            *zip(*places.values(), strict=True),
            s=[int(row["int8_bytes"]) / 1000 for row in known],
            color=["#0969da" if is_within_limits(row) else "#8c959f" for row in known],
            alpha=0.6,
            label="area: file size; grey: beyond a limit",
        )
        front = [row["name"] for row in find_pareto_front(known)]
        axis.plot(
            *zip(*(places[name] for name in front), strict=True),
            lw=1, color="#57606a", label="Pareto front",
        )  # fmt: skip
        for name in front:
            right = places[name][0] > middle
            axis.annotate(
                name, places[name], xytext=(-7, 3) if right else (7, -9), size=7,
                textcoords="offset points", ha="right" if right else "left",
            )  # fmt: skip
        axis.axvline(MAX_A72, ls=":", color="#cf222e", label="limit")
        axis.set(xlabel="million instructions, Cortex-A72", ylabel="accuracy, int8 file")
        axis.grid(alpha=0.3)
        axis.legend(loc="lower right", frameon=False)
