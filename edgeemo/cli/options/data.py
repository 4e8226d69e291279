"""The options that several commands of ``edgeemo data`` share."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

Source: TypeAlias = Annotated[
    Path, typer.Argument(metavar="DIR|ZIP", help="The images: one folder per class, or a .zip.")
]
Out: TypeAlias = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to make.")]
Accept: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--accept",
        metavar="A,B",
        help="Formats to take besides JPEG, PNG and BMP: webp, gif.",
        show_default="none",
    ),
]
Replace: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Replace a folder that edgeemo wrote itself.")
]


@contextmanager
def opened(source: Path, out: Path) -> Iterator[Path]:
    """The folder of images; `out` is looked at before an archive is unpacked."""
    from edgeemo.dataset import open_data

    if out.resolve() == source.resolve():
        raise typer.BadParameter(f"{out} is where the images are", param_hint="--out")
    with open_data(source) as folder:
        yield folder
