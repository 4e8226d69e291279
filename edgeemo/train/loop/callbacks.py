"""What is kept of a training while it runs: history, best weights, checkpoint, progress."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.errors import TrainingError
from edgeemo.train.loop.checkpoint import State
from edgeemo.train.loop.history import Epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgeemo.train.loop.checkpoint import Checkpoint
    from edgeemo.train.loop.ema import ExponentialMovingAverage
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """What `fit` gives.

    Attributes:
        history: One entry per epoch that ended.
        best_epoch: The epoch whose weights the model now has, from 1.
        interrupted: Whether Ctrl-C ended the training.
        stopped_early: Whether it ended because no epoch was better any more.
    """

    history: tuple[Epoch, ...]
    best_epoch: int
    interrupted: bool = False
    stopped_early: bool = False


class FitMonitor:
    """Keeps the best weights, the history and the checkpoint, and tells the progress."""

    def __init__(
        self,
        model: Any,
        *,
        options: TrainOptions,
        steps: int,
        checkpoint: Checkpoint | None,
        on_epoch: Callable[[Epoch], None] | None,
        progress: Progress,
        average: ExponentialMovingAverage | None = None,
    ) -> None:
        self._model = model
        self._average = average
        self._options, self._epoch = options, 0
        self._steps = steps
        self._checkpoint = checkpoint
        self._on_epoch = on_epoch
        self._progress = progress
        self._weights: list[Any] = []
        self._last = ""
        self.stopped_early = False
        self.history: list[Epoch] = []
        self.best: Epoch | None = None
        progress.stage("Training", total=options.epochs * steps)

    def go_on(self, state: State) -> None:
        """Take over what an interrupted training has reached."""
        self.history = list(state.history)
        self.best = state.best
        self._weights = list(state.best_weights)
        self._progress.note(f"Going on after epoch {len(self.history)}.")
        self._progress.advance(len(self.history) * self._steps)
        self._stop_if_hopeless()

    def callbacks(self, keras: Any) -> list[Any]:
        """Itself as Keras callbacks, whose base class exists only once Keras is imported."""
        itself = keras.callbacks.LambdaCallback(
            on_epoch_begin=self._on_epoch_begin,
            on_train_batch_end=self._on_step,
            on_epoch_end=self._on_epoch_end,
        )
        return [itself] if self._average is None else [self._average.make_callback(keras), itself]

    def finish(self, *, interrupted: bool) -> FitResult:
        """Give the model its best weights."""
        if self.best is None:
            raise TrainingError("no epoch has ended; there is no model to keep")
        self._model.set_weights(self._weights)
        if interrupted:
            self._progress.note(
                f"Interrupted in epoch {self._epoch} of {self._options.epochs}: "
                f"the best model so far, of epoch {self.best.epoch}, is kept."
            )
        if self.stopped_early:
            self._progress.note(
                f"Stopped after epoch {len(self.history)}: none of the last "
                f"{self._options.early_stopping} was better than epoch {self.best.epoch}."
            )
        return FitResult(
            history=tuple(self.history),
            best_epoch=self.best.epoch,
            interrupted=interrupted,
            stopped_early=self.stopped_early,
        )

    def _on_epoch_begin(self, epoch: int, _: Mapping[str, float]) -> None:
        self._epoch = epoch + 1

    def _on_step(self, _: int, logs: Mapping[str, float]) -> None:
        self._check(logs["loss"])
        self._progress.advance(
            detail=f"epoch {self._epoch}/{self._options.epochs}  loss {logs['loss']:.3f}  "
            f"accuracy {logs['accuracy']:.3f}{self._last}"
        )

    def _on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        ended = Epoch.from_logs(epoch + 1, logs)
        self._check(ended.score)
        self.history.append(ended)
        if ended.val_accuracy is not None:
            self._last = f"  validation {ended.val_accuracy:.3f}"
        if self.best is None or ended.score < self.best.score:
            self._weights = (self._average or self._model).get_weights()
            self.best = ended
        self._stop_if_hopeless()
        self._keep()
        if self._on_epoch:
            self._on_epoch(ended)

    def _stop_if_hopeless(self) -> None:
        patience = self._options.early_stopping
        since = max(self.best.epoch if self.best else 0, self._options.frozen_epochs)
        if patience and len(self.history) - since >= patience:
            self._model.stop_training = self.stopped_early = True

    def _keep(self) -> None:
        """Write a checkpoint, unless that would cost more than it saves."""
        if not self._checkpoint or not self.best or not self._checkpoint.is_worth_writing():
            return
        self._checkpoint.write(
            State(
                history=tuple(self.history),
                best=self.best,
                model=[variable.numpy() for variable in variables(self._model)],
                optimizer=[variable.numpy() for variable in self._model.optimizer.variables],
                best_weights=self._weights,
                average=[each.numpy() for each in self._average.variables] if self._average else (),
            )
        )

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} in epoch {self._epoch}: the training has run away; "
                "try a smaller --lr, another --seed or a larger --batch-size"
            )


def variables(model: Any) -> list[Any]:
    """Weights and the state of random layers; of metrics nothing is kept between epochs."""
    return list(model.variables)
