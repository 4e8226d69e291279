"""A trial that is trained in a process of Ray's, of which the study knows nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.train.keeper import Keeper, KeeperProxy
from edgeemo.tune.study import Pruned
from edgeemo.tune.trial_training import train_trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.train.data.shared_splits import SharedSplits
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.tune.goal import Goal
    from edgeemo.tune.limits import Footprint

_POLL_SECONDS = 0.05
SPLITS = ("train", "validation")


@dataclass(frozen=True, kw_only=True)
class TrialTask:
    """A trial, as the process that trains it needs it.

    Attributes:
        number: Number in the study.
        options: The options that were drawn.
        footprint: Costs of the network.
        images: The splits of all input sizes, named by `name_split`.
        labels: The class labels.
        goal: The objectives.
    """

    number: int
    options: TrainOptions
    footprint: Footprint
    images: SharedSplits
    labels: tuple[str, ...]
    goal: Goal


class TrialKeeper(Keeper):
    """Knows which trials are to end early, too."""

    def __init__(self, images: SharedSplits) -> None:
        super().__init__(images)
        self._decisions: dict[tuple[int, int], bool] = {}

    def decide(self, trial: int, epoch: int, ends: bool) -> None:
        """Note whether a trial is to end after an epoch."""
        self._decisions[trial, epoch] = ends

    def read_decision(self, trial: int, epoch: int) -> bool | None:
        """Return whether a trial is to end after an epoch; None if it is not yet known."""
        return self._decisions.get((trial, epoch))


def name_split(split: str, options: TrainOptions) -> str:
    """Return the name of a split at the input size of some options."""
    return f"{split}-{options.side}-{options.channels}"


def train_remotely(task: TrialTask, keeper: Any) -> None:
    """Train a trial; what comes of it goes to the keeper.

    Args:
        task: The trial.
        keeper: Handle of the `TrialKeeper`.
    """
    proxy = KeeperProxy(keeper)
    splits = {
        split: proxy.open_split(task.images, name_split(split, task.options)) for split in SPLITS
    }
    train_trial(
        _RemoteTrial(task.number, proxy),
        task.options,
        footprint=task.footprint,
        splits=splits,
        labels=task.labels,
        goal=task.goal,
        progress=proxy,
    )


class _RemoteTrial:
    """The study's trial from here; see `edgeemo.tune.study.RunningTrial`."""

    def __init__(self, number: int, keeper: KeeperProxy) -> None:
        self.number, self._keeper = number, keeper

    def save(self, **values: Any) -> None:
        self._keeper.call("send", "save", self.number, values)

    def report(self, epoch: int, value: float) -> None:
        self._keeper.call("send", "report", self.number, epoch, value)
        while (ends := self._keeper.call("read_decision", self.number, epoch)) is None:
            time.sleep(_POLL_SECONDS)
        if ends:
            raise Pruned

    def complete(self, values: Sequence[float]) -> None:
        self._keeper.call("send", "complete", self.number, list(values))

    def prune(self, reason: str) -> None:
        self._keeper.call("send", "prune", self.number, reason)
