"""Options that several commands share, and how their text becomes values."""

from __future__ import annotations

from enum import StrEnum
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
    typer.Option("--data", metavar="DIR|ZIP", help="The images: one folder per class, or a .zip."),
]


class AnswerFormat(StrEnum):
    """How answers are printed."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"


def names(text: str | None) -> tuple[str, ...]:
    """The parts of "a,b,c", without blanks."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def number(text: str | float) -> float:
    """A number or a fraction, such as -1 or 1/127.5; Typer hands the default over as it is.

    Raises:
        typer.BadParameter: If it is neither.
    """
    try:
        numerator, _, denominator = str(text).partition("/")
        return float(numerator) / float(denominator or 1)
    except (ValueError, ZeroDivisionError):
        raise typer.BadParameter(f"{text!r} is not a number or a fraction such as 1/255") from None
