"""Placement of a search: how many trials train at the same time, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from edgeemo.errors import StudyError
from edgeemo.train.options.shared import CLUSTER, distribution_option
from edgeemo.utils.options import convert_fields


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Number of trials side by side, and the machines that train them.

    Raises:
        StudyError: If a value is wrong.
    """

    workers: Annotated[
        int,
        distribution_option(
            "Trials that are trained at the same time on Ray, on one CPU each (needs the "
            "distributed extra).",
            metavar="N",
            minimum=1,
            maximum=65_536,
            needs=lambda workers: "ray" if workers != 1 else "",
        ),
    ] = 1
    cluster: Annotated[str | None, CLUSTER] = None
    gpus: Annotated[
        float,
        distribution_option(
            "Share of a GPU for each trial: with 0.25 four trials share one.",
            metavar="SHARE",
            minimum=0,
            maximum=64,
            needs=lambda gpus: "ray" if gpus else "",
        ),
    ] = 0.0

    def __post_init__(self) -> None:
        try:
            convert_fields(self)
        except ValueError as error:
            raise StudyError(str(error)) from None
        if self.gpus > 1 and not self.gpus.is_integer():
            raise StudyError("gpus must be at most 1, or a whole number")

    @property
    def is_distributed(self) -> bool:
        """Return whether Ray places the trials; else this process trains one after the other."""
        return self.workers != 1 or self.cluster is not None or self.gpus > 0
