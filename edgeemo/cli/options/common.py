"""Options that several commands share, declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

from edgeemo.utils.options import Option

MODELS = Path("models")
"""Default place of model folders."""

DEFAULT_MODEL = (
    "by default that of 'edgeemo models': the default set there, else the newest under models/, "
    "else happy-sad, which edgeemo includes"
)
"""End of the help of an option that names a model."""

Json: TypeAlias = Annotated[
    bool, Option("Print one JSON object and nothing else to standard output.")
]
Force: TypeAlias = Annotated[bool, Option("Replace what exists.")]
Data: TypeAlias = Annotated[
    Path | None, Option("Images: one folder per class, or a .zip.", metavar="DIR|ZIP")
]

TrainingData: TypeAlias = Annotated[
    tuple[Path, ...] | None,
    Option(
        "Images: one folder per class, or a .zip. Give it again for each further collection.",
        metavar="DIR|ZIP",
        repeats=True,
    ),
]


class OutputFormat(StrEnum):
    """Format of printed predictions."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"
