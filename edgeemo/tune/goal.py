"""Goal of a search: objectives, limits, and when to stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from edgeemo.errors import TrainingError
from edgeemo.tune.limits import NetworkLimits
from edgeemo.tune.trials import Objective
from edgeemo.utils.options import Option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.train.loop.history import Epoch
    from edgeemo.tune.limits import Footprint

SecondObjective = Literal["none", "size", "params", "macs"]

SECOND_OBJECTIVES: Mapping[SecondObjective, str] = {
    "none": "",
    "size": "int8_bytes",
    "params": "parameters",
    "macs": "multiply_adds",
}
"""Second objectives, and the field of `Footprint` that each one minimises."""


_goal = partial(Option, group="Goal")


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Goal of a search: its objectives, its limits, and when it ends.

    Attributes:
        limits: Limits of a network; networks over a limit are not trained.
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
    second: Annotated[
        SecondObjective, _goal("Cost to minimise, too: no trial is stopped early then.")
    ] = "none"
    limits: NetworkLimits = field(default_factory=NetworkLimits)

    @property
    def directions(self) -> list[str]:
        """Return "maximize" or "minimize" for each objective, as Optuna takes them."""
        first = "maximize" if self.objective == "accuracy" else "minimize"
        return [first] if self.second == "none" else [first, "minimize"]

    def get_value(self, epoch: Epoch) -> float:
        """Return the first objective after an epoch."""
        found = epoch.val_accuracy if self.objective == "accuracy" else epoch.val_loss
        if found is None:
            raise TrainingError("the validation split is empty; add images")
        return found

    def get_values(self, epoch: Epoch, network: Footprint) -> list[float]:
        """Return all objectives of a trial: after its best epoch, and of its network."""
        first = self.get_value(epoch)
        if self.second == "none":
            return [first]
        return [first, float(getattr(network, SECOND_OBJECTIVES[self.second]))]
