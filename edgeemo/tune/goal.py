"""What is searched for, and how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from edgeemo.errors import TrainingError
from edgeemo.tune.limits import Limits
from edgeemo.tune.record import Objective
from edgeemo.utils.options import Option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.train.loop.history import Epoch
    from edgeemo.tune.limits import Footprint

Second = Literal["none", "size", "params", "macs"]

SECONDS: Mapping[Second, str] = {
    "none": "",
    "size": "int8_bytes",
    "params": "parameters",
    "macs": "multiply_adds",
}
"""What may be a second objective, and the field of `Footprint` that it is."""


_goal = partial(Option, group="Goal")


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What is searched for, and how long.

    Attributes:
        limits: Limits of a network; others are not trained.
    """

    trials: Annotated[
        int,
        _goal(
            "Trials in the study, those of earlier runs and of other machines included.", minimum=1
        ),
    ] = 30
    timeout: Annotated[
        float | None,
        _goal(
            "Minutes after which no trial begins.", metavar="MINUTES", default="no limit", minimum=0
        ),
    ] = None
    objective: Annotated[Objective, _goal("Measure of the validation images to optimise.")] = (
        "accuracy"
    )
    second: Annotated[Second, _goal("Cost to minimise, too: no trial is ended early then.")] = (
        "none"
    )
    limits: Limits = field(default_factory=Limits)

    @property
    def directions(self) -> list[str]:
        """For each value of a trial, what is better."""
        first = "maximize" if self.objective == "accuracy" else "minimize"
        return [first] if self.second == "none" else [first, "minimize"]

    def value(self, epoch: Epoch) -> float:
        """The first objective."""
        found = epoch.val_accuracy if self.objective == "accuracy" else epoch.val_loss
        if found is None:
            raise TrainingError("no image is left to validate with; add images")
        return found

    def values(self, epoch: Epoch, network: Footprint) -> list[float]:
        """All objectives."""
        first = self.value(epoch)
        if self.second == "none":
            return [first]
        return [first, float(getattr(network, SECONDS[self.second]))]
