"""Options of commands that work through very many images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from edgeemo.errors import OptionError
from edgeemo.utils.options import Option

if TYPE_CHECKING:
    from edgeemo.bulk.parts import Parts
    from edgeemo.bulk.run import Place
    from edgeemo.bulk.work import Result, Work

_option = partial(Option, group="Many images")


@dataclass(frozen=True, kw_only=True)
class BulkArguments:
    """Options of where work is done, and of where its results are kept."""

    cluster: Annotated[
        str | None,
        _option(
            "Ray cluster to work on: HOST:PORT of its head node, or auto on one of its nodes.",
            metavar="ADDRESS",
            default="this machine",
            needs=lambda _: "ray",
        ),
    ] = None
    keep: Annotated[
        str | None,
        _option(
            "Folder, or address of one in a bucket, that keeps the result of each image, as "
            "Parquet files.",
            metavar="DIR|ADDRESS",
            needs=lambda _: "pyarrow",
        ),
    ] = None
    resume: Annotated[
        bool, _option("Continue the run in --keep, without doing its images again.")
    ] = False
    again: Annotated[bool, _option("Remove the run in --keep, and begin again.")] = False

    def check_bulk(self) -> None:
        """Refuse options that exclude each other, and missing packages.

        Raises:
            OptionError: If --resume and --again are given together, or one without --keep.
            MissingExtraError: If a package is missing.
        """
        from edgeemo.utils.extras import require_packages_of_options

        if self.keep is None and (self.resume or self.again):
            raise OptionError(f"{'--resume' if self.resume else '--again'} requires --keep")
        if self.resume and self.again:
            raise OptionError("--resume excludes --again")
        require_packages_of_options(self)

    def make_place(self, workers: int | None) -> Place:
        """Return where the work is done.

        Args:
            workers: Of --workers.
        """
        from edgeemo.bulk.run import Place

        return Place(workers=workers, cluster=self.cluster)

    def open_parts(self, work: Work[Any, Result]) -> Parts[Result] | None:
        """Return where the results are kept; None for nowhere.

        Raises:
            OutputError: As `Parts`.
        """
        from edgeemo.bulk.parts import Parts

        if self.keep is None:
            return None
        return Parts(self.keep, work, resume=self.resume, again=self.again)
