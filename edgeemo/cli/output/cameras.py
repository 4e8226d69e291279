"""Output of ``edgeemo live --list``."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

from edgeemo.cli.output.console import echo, note, print_json
from edgeemo.live.sources.listing import list_cameras
from edgeemo.utils.text import escape_controls, plural

if TYPE_CHECKING:
    from edgeemo.live.sources.listing import CameraEntry

_WIDTH = 80


def show_cameras(*, json: bool) -> None:
    """Print the cameras of this machine, with driver, formats and problem of each.

    Args:
        json: Whether to print one JSON object.
    """
    found = list_cameras()
    if json:
        print_json(
            {
                "cameras": [asdict(each) for each in found.cameras],
                "others": [asdict(each) for each in found.others],
            }
        )
        return
    for each in found.cameras:
        _print(each)
    if not found.cameras:
        note("no camera is connected")
    if found.others:
        names = ", ".join(sorted({each.name for each in found.others}))
        note(f"{plural(len(found.others), 'other node')} (no cameras: {escape_controls(names)})")


def _print(entry: CameraEntry) -> None:
    driver = f" ({entry.driver})" if entry.driver else ""
    echo(escape_controls(f"{entry.source}  {entry.name}{driver}"))
    for line in _group(entry.formats):
        echo(textwrap.fill(line, _WIDTH, initial_indent="  ", subsequent_indent="       "))
    if entry.problem:
        echo(f"  problem: {escape_controls(entry.problem)}")


def _group(formats: tuple[str, ...]) -> list[str]:
    """Return one line per format, with the sizes that it has."""
    groups: dict[str, list[str]] = {}
    for text in formats:
        format, _, size = text.partition(" ")
        if "x" in format:  # a size alone
            format, size = "", text
        groups.setdefault(format, []).append(size)
    return [f"{format} {', '.join(sizes)}".strip() for format, sizes in groups.items()]
