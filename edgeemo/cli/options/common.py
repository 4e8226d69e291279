"""Options that several commands share, declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

from edgeemo.utils.options import Option

MODELS = Path("models")
"""Default place of model folders."""

DEFAULT_MODEL = (
    "by default that of 'edgeemo models': the default set there, else the newest exported one "
    "under models/, else happy-sad, which edgeemo includes"
)
"""End of the help of an option that names a model."""

Json: TypeAlias = Annotated[
    bool, Option("Print one JSON object and nothing else to standard output.")
]
Html: TypeAlias = Annotated[Path | None, Option("Page with images to write, too.", metavar="FILE")]
Force: TypeAlias = Annotated[bool, Option("Replace what exists.")]
Data: TypeAlias = Annotated[
    Path | None, Option("Images: one folder per class, or a .zip.", metavar="DIR|ZIP")
]

Threads: TypeAlias = Annotated[
    int | None,
    Option(
        "Threads per prediction.",
        default="the folder's recorded default, else 1",
        minimum=1,
        group="Speed",
    ),
]
Workers: TypeAlias = Annotated[
    int | None,
    Option(
        "Images predicted at the same time.", default="cores / threads", minimum=1, group="Speed"
    ),
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


def check_html(path: Path | None) -> None:
    """Refuse a page that cannot be a file.

    Raises:
        typer.BadParameter: If it is a folder, or in a folder that does not exist.
    """
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        import typer

        raise typer.BadParameter(f"{path} is not a file in a folder", param_hint="--html")
