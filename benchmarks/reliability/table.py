"""The generated block of docs/reliability.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.text import markdown_head, markdown_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.reliability.check import Check
    from benchmarks.reliability.parts import Result

_BEGIN, _END = "<!-- make reliability: begin -->\n", "<!-- make reliability: end -->\n"


def build_block(results: Mapping[str, Result], *, further: Sequence[Check] = ()) -> str:
    """Return the tables of checks and of times, and the machines.

    Args:
        results: Results by the names of the parts.
        further: Checks of no part.
    """
    lines = markdown_head(["check", "measured", "promise", "kept?"], words=4)
    for check in [*(each for result in results.values() for each in result.checks), *further]:
        kept = "yes" if check.kept else "**no**"
        lines.append(markdown_row([check.name, check.measured, check.promise, kept]))
    lines += ["", *markdown_head(["part", "seconds", "seconds of processor time"])]
    for name, result in results.items():
        lines.append(markdown_row([f"`{name}`", f"{result.wall_s:,.0f}", f"{result.cpu_s:,.0f}"]))
    machines = dict.fromkeys(result.machine for result in results.values())
    return "\n".join([*lines, "", *machines, ""])


def replace_block(page: str, block: str) -> str:
    """Return a page with another generated block.

    Raises:
        ValueError: If the page lacks the marks between which it goes.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("the page lacks the marks of the generated block")
    return f"{before}{begin}\n{block}\n{end}{after}"
