"""The monitor of a training: history, best weights, early stopping, checkpoint, progress."""

from __future__ import annotations

import math
import time
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
    """The outcome of `edgeemo.train.loop.fit.fit`.

    Attributes:
        history: One entry per completed epoch.
        best_epoch: The epoch whose weights the model has, from 1.
        interrupted: Whether Ctrl-C ended the training.
        stopped_early: Whether early stopping ended the training.
        out_of_time: Whether the limit of time ended the training.
    """

    history: tuple[Epoch, ...]
    best_epoch: int
    interrupted: bool = False
    stopped_early: bool = False
    out_of_time: bool = False


class FitMonitor:
    """Keeper of the best weights, the history and the checkpoint; reports progress.

    Args:
        model: The model that is fitted.
        options: The training options.
        steps: Batches per epoch.
        checkpoint: Where to write the state; None to write none.
        on_epoch: Called after every epoch.
        progress: Receives a stage of epochs x steps.
        ema: The moving average whose weights are kept; None for those of the model.
        deadline: Time of `time.monotonic` at which the training ends.
    """

    def __init__(
        self,
        model: Any,
        *,
        options: TrainOptions,
        steps: int,
        checkpoint: Checkpoint | None,
        on_epoch: Callable[[Epoch], None] | None,
        progress: Progress,
        ema: ExponentialMovingAverage | None = None,
        deadline: float = math.inf,
    ) -> None:
        self._model = model
        self._ema = ema
        self._options, self._epoch = options, 0
        self._steps = steps
        self._checkpoint = checkpoint
        self._on_epoch = on_epoch
        self._progress = progress
        self._weights: list[Any] = []
        self._val_accuracy = ""
        self._deadline, self._epoch_began = deadline, 0.0
        self.stopped_early = self.out_of_time = False
        self.history: list[Epoch] = []
        self.best: Epoch | None = None
        progress.stage("Training", total=options.epochs * steps)

    def resume(self, state: State) -> None:
        """Continue from the state of an interrupted training."""
        self.history = list(state.history)
        self.best = state.best
        self._weights = list(state.best_weights)
        self._progress.note(f"Resuming after epoch {len(self.history)}.")
        self._progress.advance(len(self.history) * self._steps)
        self._stop_early()

    def make_callbacks(self, keras: Any) -> list[Any]:
        """Return the Keras callbacks to fit with; their base class needs an imported Keras."""
        monitor = keras.callbacks.LambdaCallback(
            on_epoch_begin=self._on_epoch_begin,
            on_train_batch_end=self._on_step,
            on_epoch_end=self._on_epoch_end,
        )
        return [monitor] if self._ema is None else [self._ema.make_callback(keras), monitor]

    def finish(self, *, interrupted: bool) -> FitResult:
        """Give the model its best weights and return the outcome.

        Raises:
            TrainingError: If no epoch was completed.
        """
        if self.best is None:
            raise TrainingError("no epoch was completed; there is no model to keep")
        self._model.set_weights(self._weights)
        if interrupted:
            self._progress.note(describe_interruption(self._epoch, self._options, self.best))
        if self.out_of_time:
            self._progress.note(
                f"{self._options.minutes:g} minutes are over after epoch {len(self.history)} of "
                f"{self._options.epochs}; the weights are those of epoch {self.best.epoch}."
            )
        if self.stopped_early:
            self._progress.note(
                f"Early stopping after epoch {len(self.history)}: none of the last "
                f"{self._options.early_stopping} epochs was better than epoch {self.best.epoch}."
            )
        return FitResult(
            history=tuple(self.history),
            best_epoch=self.best.epoch,
            interrupted=interrupted,
            stopped_early=self.stopped_early,
            out_of_time=self.out_of_time,
        )

    def _on_epoch_begin(self, epoch: int, _: Mapping[str, float]) -> None:
        self._epoch, self._epoch_began = epoch + 1, time.monotonic()

    def _on_step(self, _: int, logs: Mapping[str, float]) -> None:
        self._check(logs["loss"])
        self._progress.advance(
            detail=f"epoch {self._epoch}/{self._options.epochs}  loss {logs['loss']:.3f}  "
            f"accuracy {logs['accuracy']:.3f}{self._val_accuracy}"
        )

    def _on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        ended = Epoch.from_logs(epoch + 1, logs)
        self._check(ended.score)
        self.history.append(ended)
        if ended.val_accuracy is not None:
            self._val_accuracy = f"  validation {ended.val_accuracy:.3f}"
        if self.best is None or ended.score < self.best.score:
            self._weights = (self._ema or self._model).get_weights()
            self.best = ended
        self._stop_early()
        self._stop_in_time()
        self._write_checkpoint()
        if self._on_epoch:
            self._on_epoch(ended)

    def _stop_early(self) -> None:
        """Stop where the last epochs, frozen ones not counted, were no better than the best."""
        patience = self._options.early_stopping
        since = max(self.best.epoch if self.best else 0, self._options.frozen_epochs)
        if patience and len(self.history) - since >= patience:
            self._model.stop_training = self.stopped_early = True

    def _stop_in_time(self) -> None:
        """Stop where another epoch like the last one would end after the deadline."""
        now = time.monotonic()
        if 2 * now - self._epoch_began > self._deadline:
            self._model.stop_training = True
            self.out_of_time = not self.stopped_early and self._epoch < self._options.epochs

    def _write_checkpoint(self) -> None:
        """Write a checkpoint, unless that would cost more time than it saves."""
        if not self._checkpoint or not self.best or not self._checkpoint.is_worth_writing():
            return
        self._checkpoint.write(
            State(
                history=tuple(self.history),
                best=self.best,
                model=[variable.numpy() for variable in self._model.variables],
                optimizer=[variable.numpy() for variable in self._model.optimizer.variables],
                best_weights=self._weights,
                ema=[variable.numpy() for variable in self._ema.variables] if self._ema else (),
            )
        )

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} in epoch {self._epoch}: the training diverged; "
                "try a smaller --lr, another --seed or a larger --batch-size"
            )


def describe_interruption(epoch: int, options: TrainOptions, best: Epoch) -> str:
    """Return the note on a training that Ctrl-C ended.

    Args:
        epoch: The epoch that was interrupted, from 1.
        options: Give the number of epochs.
        best: The epoch whose weights are kept.
    """
    return (
        f"Interrupted in epoch {epoch} of {options.epochs}: the best weights so far, those of "
        f"epoch {best.epoch}, are kept."
    )
