"""The generated block of docs/reliability.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.text import markdown_head, markdown_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.reliability.check import Check
    from benchmarks.reliability.parts import Result


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


def build_fuzzing_block(rows: Sequence[Mapping[str, str]]) -> str:
    """Return the table of the fuzzers."""
    names = ["CPU hours", "without a new fault", "inputs", "branches taken", "faults found"]
    lines = markdown_head(["target", *names])
    for row in rows:
        cells = [f"`{row['target']}`", row["cpu_hours"], row["clean_cpu_hours"]]
        cells += [f"{int(row[name]):,}" for name in ("inputs", "branches", "faults")]
        lines.append(markdown_row(cells))
    return "\n".join([*lines, ""])


def replace_block(page: str, name: str, block: str) -> str:
    """Return a page with another generated block.

    Args:
        page: The page.
        name: Name of the block in the marks around it.
        block: The new lines.

    Raises:
        ValueError: If the page lacks the marks.
    """
    first, last = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, begin, rest = page.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"the page lacks the marks of {name}")
    return f"{before}{begin}\n{block}\n{end}{after}"
