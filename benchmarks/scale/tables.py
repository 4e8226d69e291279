"""Tables in Markdown, and numbers in them with two or three digits."""

from __future__ import annotations

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


class Table:
    """A table, row by row; columns but the first are numbers.

    Args:
        head: Names of the columns.
    """

    def __init__(self, *head: str) -> None:
        self.head = _join(head)
        self._lines = [self.head, "|---|" + "---:|" * (len(head) - 1)]

    def add(self, *cells: str) -> None:
        """Add a row."""
        self._lines.append(_join(cells))

    def __str__(self) -> str:
        return "\n".join(self._lines)


def _join(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def show(value: float) -> str:
    """Return a number with two digits, or three from 100 on."""
    digits = 3 if value >= 100 else 2
    rounded = float(f"{value:.{digits}g}")
    if rounded >= 10:
        return f"{rounded:,.0f}"
    return f"{rounded:.1f}" if rounded >= 1 else f"{rounded:g}"


def show_count(value: float) -> str:
    """Return a count, such as "100 million"."""
    if value >= 1e6:
        return f"{float(f'{value / 1e6:.3g}'):,g} million"
    if value == int(value):
        return f"{value:,.0f}"
    return show(value) if value >= 1 else "1"


def show_bytes(value: float) -> str:
    """Return a number of bytes, such as "4.3 MB"."""
    number = 0
    while value >= 1000 and number < len(_UNITS) - 1:
        value, number = value / 1000, number + 1
    return f"{show(value)} {_UNITS[number]}"


def show_hours(value: float) -> str:
    """Return a duration in hours, or in seconds where it is a short one."""
    return f"{show(value * 3600)} s" if value < 0.1 else show(value)


def show_time(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{show(seconds / unit)} {name}"
    return f"{show(seconds / 86400)} days"
