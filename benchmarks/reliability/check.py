"""A row of the table of the reliability campaign."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Check:
    """One promise, measured.

    Attributes:
        name: The inputs, and the figures in their order: "100 bundles: predicted / tracebacks".
        measured: The figures.
        promise: Their limits.
        kept: Whether the figures are within them.
    """

    name: str
    measured: str
    promise: str
    kept: bool


def check_counts(name: str, counts: list[int]) -> Check:
    """Return the check of counts, each of which must be 0."""
    return Check(
        name=name,
        measured=" / ".join(f"{count:,}" for count in counts),
        promise=" / ".join("0" for _ in counts),
        kept=not any(counts),
    )
