"""Options that several commands of ``edgeemo data`` share."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeemo.cli.options.common import Json
from edgeemo.cli.options.usage import refuse_options
from edgeemo.dataset.write import LinkMode
from edgeemo.train.options.shared import ACCEPT, CLASSES, REVIEW
from edgeemo.utils.options import Argument, Option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.dataset.ingest import Decisions


@dataclass(frozen=True, kw_only=True)
class SourceArguments:
    """Options of a command that reads images."""

    source: Annotated[Path, Argument("Images: one folder per class, or a .zip.", metavar="DIR|ZIP")]
    classes: Annotated[tuple[str, ...] | None, CLASSES] = None
    accept: Annotated[tuple[str, ...], ACCEPT] = ()
    json: Json = False

    def check_selection(self) -> None:
        """Refuse unknown image formats, and fewer than two classes.

        Raises:
            typer.BadParameter: If there are some.
        """
        from edgeemo.dataset import IngestOptions

        with refuse_options():
            IngestOptions(accept=self.accept, classes=self.classes)


@dataclass(frozen=True, kw_only=True)
class RemoteSourceArguments(SourceArguments):
    """Options of a command that reads images wherever they are."""

    source: Annotated[
        Path,
        Argument(
            "Images: one folder per class, here or in a bucket (s3://, gs://); a .zip; or a list "
            "(.csv with the columns path, label and, if need be, split).",
            metavar="DIR|ZIP|CSV|ADDRESS",
        ),
    ]

    def __post_init__(self) -> None:
        from edgeemo.bulk.bucket_path import make_path

        object.__setattr__(self, "source", make_path(self.source))


@dataclass(frozen=True, kw_only=True)
class WritingArguments(SourceArguments):
    """Options of a command that writes images into a new folder."""

    out: Annotated[Path, Option("Folder to make.", metavar="DIR")]
    force: Annotated[bool, Option("Replace a folder that edgeemo wrote itself.")] = False

    @contextmanager
    def open_source(self) -> Iterator[Path]:
        """Open the folder of images, an archive's too; `out` is checked first."""
        from edgeemo.dataset import check_source, open_data
        from edgeemo.dataset.write import DATA_MARKER, check_destination
        from edgeemo.utils.extras import IMAGES, require_packages

        if self.out.resolve() == self.source.resolve():
            raise typer.BadParameter(f"{self.out} is where the images are", param_hint="--out")
        require_packages(IMAGES, purpose="preparing images")
        check_source(self.source)
        check_destination(self.source, self.out, marker=DATA_MARKER, replace=self.force)
        with open_data(self.source) as folder:
            yield folder


@dataclass(frozen=True, kw_only=True)
class LinkingArguments(WritingArguments):
    """Options of a command that copies images or links to them."""

    link: Annotated[
        LinkMode, Option("How to write: a copy of each image, or a link to where it lies.")
    ] = "copy"
    review: Annotated[Path | None, REVIEW] = None

    def read_decisions(self) -> Decisions | None:
        """Read the table of a person's decisions; None if none is given.

        Raises:
            DatasetError: If it cannot be read.
        """
        from edgeemo.dataset import read_decisions

        return read_decisions(self.review) if self.review else None

    def check_link(self) -> None:
        """Refuse links into an archive.

        Raises:
            typer.BadParameter: If there are to be some.
        """
        if self.link != "copy" and not self.source.is_dir():
            raise typer.BadParameter(f"--link {self.link} requires a folder, not a .zip")
