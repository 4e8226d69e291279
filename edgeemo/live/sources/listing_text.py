"""The cameras of a machine as ``edgeemo live --list`` shows them, in text and in JSON."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

from edgeemo.utils.text import escape_controls, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgeemo.live.sources.listing import CameraEntry, CameraList

_WIDTH = 80


def show_cameras(
    found: CameraList, *, as_json: bool, echo: Callable[[str], None], note: Callable[[str], None]
) -> None:
    """Print cameras, with driver, formats and problem of each.

    Args:
        found: The cameras.
        as_json: Whether to print one JSON object.
        echo: Prints a line to standard output.
        note: Prints a line to standard error.
    """
    if as_json:
        cameras, others = map(asdict, found.cameras), map(asdict, found.others)
        echo(json.dumps({"cameras": list(cameras), "others": list(others)}, indent=2))
        return
    for each in found.cameras:
        for line in _describe(each):
            echo(line)
    if not found.cameras:
        note("no camera is connected")
    if found.others:
        names = ", ".join(sorted({each.name for each in found.others}))
        note(f"{plural(len(found.others), 'other node')} (no cameras: {escape_controls(names)})")


def _describe(entry: CameraEntry) -> Iterator[str]:
    driver = f" ({entry.driver})" if entry.driver else ""
    yield escape_controls(f"{entry.source}  {entry.name}{driver}")
    for line in _group(entry.formats):
        yield textwrap.fill(line, _WIDTH, initial_indent="  ", subsequent_indent="       ")
    if entry.problem:
        yield f"  problem: {escape_controls(entry.problem)}"


def _group(formats: tuple[str, ...]) -> list[str]:
    """Return one line per format, with the sizes that it has."""
    groups: dict[str, list[str]] = {}
    for text in formats:
        format, _, size = text.partition(" ")
        if "x" in format:  # a size alone
            format, size = "", text
        groups.setdefault(format, []).append(size)
    return [f"{format} {', '.join(sizes)}".strip() for format, sizes in groups.items()]
