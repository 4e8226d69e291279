"""What is searched for, and how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from edgeemo.errors import TrainingError
from edgeemo.tune.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.train.loop.history import Epoch
    from edgeemo.tune.limits import Footprint
    from edgeemo.tune.record import Objective

Second = Literal["none", "size", "params", "macs"]

SECONDS: Mapping[Second, str] = {
    "none": "",
    "size": "int8_bytes",
    "params": "parameters",
    "macs": "multiply_adds",
}
"""What may be a second objective, and the field of `Footprint` that it is."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What is searched for, and how long.

    Attributes:
        trials: Trials that the study shall hold, those of earlier runs and other machines included.
        minutes: After so many minutes no trial is begun any more; None for no such end.
        objective: What of the validation split is best: the "accuracy" or the "loss".
        second: A cost to keep small as well; "none" for the objective alone.
        limits: What a network must keep to; others are not trained.
    """

    trials: int = 30
    minutes: float | None = None
    objective: Objective = "accuracy"
    second: Second = "none"
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
