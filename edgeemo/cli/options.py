"""Options that several commands share, and how their text becomes values."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

MODELS = Path("models")

Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON object and nothing else to standard output.")
]
Force: TypeAlias = Annotated[bool, typer.Option("--force", help="Replace what exists.")]
Data: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR|ZIP", help="The pictures: one folder per class, or a .zip."
    ),
]


def names(text: str | None) -> tuple[str, ...]:
    """The parts of "a,b,c", without blanks."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def number(text: str) -> float:
    """A number or a fraction, such as 0.00392 or 1/255.

    Raises:
        typer.BadParameter: If it is neither.
    """
    try:
        return float(Fraction(text.replace(" ", "")))
    except (ValueError, ZeroDivisionError):
        raise typer.BadParameter(f"{text!r} is not a number or a fraction such as 1/255") from None
