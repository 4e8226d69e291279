"""Options of commands that work through very many images.

Every command that predicts imports them: their annotations are evaluated once, with the class, and
no methods are made for a class that is only a part of a command's.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from edgeemo.utils.options import Option

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from edgeemo.bulk.parts import Parts
    from edgeemo.bulk.run import Place
    from edgeemo.bulk.work import Result, Work

bulk_option = partial(Option, group="Many images")

CLUSTER = bulk_option(
    "Ray cluster to work on: HOST:PORT of its head node, or auto on one of its nodes.",
    metavar="ADDRESS",
    default="this machine",
)


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class BulkArguments:
    """Options of where work is done, and of where its results are kept."""

    cluster: Annotated[str | None, CLUSTER] = None
    keep: Annotated[
        str | None,
        bulk_option(
            "Folder, or address of one in a bucket, that keeps the result of each image, as "
            "Parquet files.",
            metavar="DIR|ADDRESS",
        ),
    ] = None
    resume: Annotated[
        bool, bulk_option("Continue the run in --keep, without doing its images again.")
    ] = False
    again: Annotated[bool, bulk_option("Remove the run in --keep, and begin again.")] = False

    def is_bulk(self) -> bool:
        """Return whether any of these options is given."""
        return bool(self.cluster is not None or self.keep is not None or self.resume or self.again)

    def check_bulk(self, *, workers: int | None = None, threads: int = 1) -> None:
        """Refuse options that exclude each other, missing packages, and a cluster without answer.

        Args:
            workers: Of --workers.
            threads: CPUs of each.

        Raises:
            ClusterError: If nothing answers at the address.
            MissingExtraError: If a package is missing.
            OptionError: As `edgeemo.bulk.options.check_options`.
        """
        from edgeemo.bulk.options import check_options

        check_options(cluster=self.cluster, keep=self.keep, resume=self.resume, again=self.again)
        if self.cluster is not None:
            from edgeemo.utils.cluster import check_cluster

            purpose = f"--cluster {self.cluster}"
            check_cluster(self.cluster, cpus=(workers or 1) * threads, purpose=purpose)

    def make_place(self, workers: int | None, *, threads: int = 1) -> "Place":
        """Return where the work is done.

        Args:
            workers: Of --workers.
            threads: CPUs of each.
        """
        from edgeemo.bulk.run import Place

        return Place(
            workers=workers, cluster=self.cluster, threads=threads, isolates=self.keep is not None
        )

    def open_parts(
        self, work: "Work[Any, Result]"
    ) -> "AbstractContextManager[Parts[Result] | None]":
        """Return where the results are kept, as a context manager; None for nowhere.

        Raises:
            OutputError: As `edgeemo.bulk.parts.open_parts`.
        """
        from contextlib import nullcontext

        if self.keep is None:
            return nullcontext()
        from edgeemo.bulk.parts import open_parts

        return open_parts(self.keep, work, resume=self.resume, again=self.again)
