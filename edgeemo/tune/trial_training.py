"""The training of one trial."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any, Protocol

from edgeemo.errors import TrainingError
from edgeemo.model.keras import import_keras
from edgeemo.train.data.pipeline import TrainingData
from edgeemo.train.loop.fit import fit
from edgeemo.train.networks.network import build_network, make_spec
from edgeemo.tune.study import Pruned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.loop.history import Epoch
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.tune.goal import Goal
    from edgeemo.tune.limits import Footprint
    from edgeemo.utils.progress import Progress


class TrainedTrial(Protocol):
    """Receiver of what the training of a trial gives, as `edgeemo.tune.study.RunningTrial`."""

    number: int

    def save(self, **values: Any) -> None:
        """Store fields of `Trial`."""

    def report(self, epoch: int, value: float) -> None:
        """Report the first objective; raises `Pruned` to end the training."""

    def complete(self, values: Sequence[float]) -> None:
        """End the trial with the values of its objectives."""

    def prune(self, reason: str) -> None:
        """End the trial because it is poor."""


def train_trial(
    trial: TrainedTrial,
    options: TrainOptions,
    *,
    footprint: Footprint,
    splits: Mapping[Any, Pixels],
    labels: tuple[str, ...],
    goal: Goal,
    progress: Progress,
) -> None:
    """Train the network of a trial.

    Args:
        trial: Receives the result.
        options: The options that were drawn.
        footprint: Costs of the network.
        splits: The splits "train" and "validation".
        labels: The class labels.
        goal: The objectives.
        progress: Advances by one per epoch.

    Raises:
        KeyboardInterrupt: On Ctrl-C. And all that `edgeemo.train.loop.fit.fit` raises, except for a
            loss that diverges, which makes a trial a poor one.
    """
    spec = make_spec(labels, options)
    reporter = _TrialProgress(trial, goal=goal, epochs=options.epochs, progress=progress)
    if options.tensorboard:
        options = dataclasses.replace(
            options, tensorboard=options.tensorboard / f"trial-{trial.number}"
        )
    try:
        _, fitted = fit(
            lambda: build_network(spec, options),
            TrainingData(train=splits["train"], validation=splits["validation"], spec=spec),
            options=options,
            on_epoch=reporter.on_epoch,
            progress=reporter,
        )
    except Pruned:
        reporter.save_result()
        trial.prune("half of the trials were better at that epoch")
    except TrainingError as error:
        reporter.save_result()
        trial.prune(str(error).partition(":")[0])
    else:
        if fitted.interrupted:
            raise KeyboardInterrupt
        best = reporter.save_result()
        if best is not None:
            trial.complete(goal.get_values(best, footprint))
    finally:
        reporter.finish()
        import_keras().utils.clear_session()


class _TrialProgress:
    """Progress of a trial's training: to the study after each epoch, to the user in between."""

    def __init__(self, trial: TrainedTrial, *, goal: Goal, epochs: int, progress: Progress) -> None:
        self._trial, self._goal, self._epochs = trial, goal, epochs
        self._progress = progress
        self._best: Epoch | None = None
        self._done = 0
        self._began = time.monotonic()

    def on_epoch(self, epoch: Epoch) -> None:
        """Report an epoch to the study, which ends the trial if it is poor."""
        self._done += 1
        self._progress.advance()
        if self._best is None or epoch.score < self._best.score:
            self._best = epoch
        self._trial.report(epoch.epoch, self._goal.get_value(self._best))

    def save_result(self) -> Epoch | None:
        """Store the best epoch and return it; None if none has ended."""
        best = self._best
        result: dict[str, Any] = {"epochs_run": self._done}
        result["seconds"] = round(time.monotonic() - self._began, 1)
        if best is not None:
            result.update(accuracy=best.val_accuracy, loss=best.val_loss, epoch=best.epoch)
        self._trial.save(result=result)
        return best

    def finish(self) -> None:
        """Advance by the epochs that will not be trained."""
        self._progress.advance(self._epochs - self._done)

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Do nothing: the search is one stage."""

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        """Show the position of the training, also between epochs."""
        self._progress.advance(0, detail=f"trial {self._trial.number}  {detail}")

    def note(self, text: str) -> None:
        """Do nothing: notes of `fit` are about a training that is kept."""
