"""Fit a network and leave it with the weights of its best epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.errors import TrainingError
from edgeemo.keras_model import import_keras
from edgeemo.progress import Silent
from edgeemo.train.architectures import set_frozen
from edgeemo.train.augment import AUGMENTATIONS
from edgeemo.train.checkpoint import State
from edgeemo.train.history import Epoch
from edgeemo.train.objective import class_weights, loss, optimizer, usual_lr
from edgeemo.train.pipeline import dataset, training_dataset
from edgeemo.train.tracking import metrics, tensorboard_callback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from edgeemo.progress import Progress
    from edgeemo.spec import ModelSpec
    from edgeemo.train.checkpoint import Checkpoint
    from edgeemo.train.distributed.shard import Shard
    from edgeemo.train.options import TrainOptions
    from edgeemo.train.pipeline import Pixels

_FINE = 0.1
"""What the learning rate is multiplied by once a backbone's own, pretrained weights learn, too."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
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


@dataclass(frozen=True, kw_only=True)
class _Phase:
    """Epochs that are trained alike.

    Attributes:
        epochs: Their numbers, from 0.
        frozen: Whether only the head learns.
        lr: Learning rate at its start.
    """

    epochs: range
    frozen: bool
    lr: float


def fit(
    network: Callable[[], Any],
    train: Pixels,
    validation: Pixels,
    *,
    spec: ModelSpec,
    options: TrainOptions,
    checkpoint: Checkpoint | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    progress: Progress | None = None,
    shard: Shard | None = None,
) -> tuple[Any, Fitted]:
    """Train a network and leave it with the weights of its best epoch.

    The same arguments give the same weights on the same machine and versions, also where the
    training was interrupted and goes on from a checkpoint. Ctrl-C after an epoch has ended keeps
    the best so far.

    Args:
        network: Makes the network, uncompiled; called after the seed is set.
        train: The training split.
        validation: The validation split; where it is empty the training loss decides.
        spec: Gives the scaling, the form of the answer and the threshold.
        options: How to train.
        checkpoint: Where to keep the state, and whence to go on where it holds one.
        on_epoch: Called after every epoch; what it raises ends the training.
        progress: Gets a stage of epochs x steps.
        shard: This process's part of every batch, where several train together.

    Returns:
        The network and how it went.

    Raises:
        TrainingError: If the loss stops being a number.
        ModelFolderError: If the checkpoint is damaged.
        KeyboardInterrupt: If Ctrl-C comes before the first epoch has ended.
    """
    keras = import_keras()
    keras.utils.set_random_seed(options.seed)
    model = network()
    steps = math.ceil(len(train) / options.batch_size)
    watch = _Watch(
        model,
        options=options,
        steps=steps,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
        progress=progress or Silent(),
    )
    state = checkpoint.read() if checkpoint and checkpoint.exists else None
    if state:
        watch.go_on(state)
    interrupted = False
    try:
        for phase in _phases(options, done=len(watch.history)):
            if watch.stopped_early:
                break
            _prepare(model, phase, spec=spec, options=options, steps=steps)
            if state:
                _restore(model, state, optimizer=phase.epochs.start < len(state.history))
                state = None
            _fit_phase(
                model, phase, watch, train, validation, spec=spec, options=options, shard=shard
            )
    except KeyboardInterrupt:
        if watch.best is None:
            raise
        interrupted = True
    if state:  # nothing was left to train
        _restore(model, state, optimizer=False)
    return model, watch.finish(interrupted=interrupted)


def _phases(options: TrainOptions, *, done: int) -> Iterator[_Phase]:
    """What is left to train after so many epochs."""
    lr = options.lr or usual_lr(options.optimizer)
    frozen = min(options.frozen_epochs, options.epochs)
    if done < frozen:
        yield _Phase(epochs=range(frozen), frozen=True, lr=lr)
    if frozen < options.epochs:
        fine = _FINE if options.weights != "none" else 1.0
        yield _Phase(epochs=range(frozen, options.epochs), frozen=False, lr=lr * fine)


def _prepare(
    model: Any, phase: _Phase, *, spec: ModelSpec, options: TrainOptions, steps: int
) -> None:
    set_frozen(model, frozen=phase.frozen, pretrained=options.weights != "none")
    model.compile(
        optimizer=optimizer(
            options.optimizer,
            lr=phase.lr,
            schedule=options.schedule,
            steps=steps * len(phase.epochs),
        ),
        loss=loss(options.loss, spec=spec, label_smoothing=options.label_smoothing),
        metrics=metrics(options.metrics, spec=spec),
    )
    model.optimizer.build(model.trainable_variables)  # else the first step is traced twice


def _fit_phase(
    model: Any,
    phase: _Phase,
    watch: _Watch,
    train: Pixels,
    validation: Pixels,
    *,
    spec: ModelSpec,
    options: TrainOptions,
    shard: Shard | None,
) -> None:
    keras = import_keras()
    first = max(phase.epochs.start, len(watch.history))
    callbacks = [watch.callback(keras)]
    if options.tensorboard:
        callbacks.append(tensorboard_callback(keras, options.tensorboard))
    augmentation = AUGMENTATIONS[options.augment] if options.augment != "none" else None
    model.fit(
        training_dataset(
            train,
            spec=spec,
            batch_size=options.batch_size,
            seed=options.seed,
            epochs=range(first, phase.epochs.stop),
            augmentation=augmentation,
            shard=shard,
        ),
        validation_data=dataset(validation, spec=spec, batch_size=options.batch_size, shard=shard)
        if len(validation)
        else None,
        initial_epoch=first,
        epochs=phase.epochs.stop,
        steps_per_epoch=math.ceil(len(train) / options.batch_size),
        class_weight=class_weights(train.truth, len(spec.labels))
        if options.class_weights
        else None,
        shuffle=False,  # the dataset does
        callbacks=callbacks,
        verbose=0,
    )


def _restore(model: Any, state: State, *, optimizer: bool) -> None:
    """Give a compiled model a state's variables; the optimiser's only within one phase."""
    pairs = list(zip(_variables(model), state.model, strict=True))
    if optimizer:
        pairs += zip(model.optimizer.variables, state.optimizer, strict=True)
    for variable, value in pairs:
        variable.assign(value)


def _variables(model: Any) -> list[Any]:
    """Weights and the state of random layers; of metrics nothing is kept between epochs."""
    return list(model.variables)


class _Watch:
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
    ) -> None:
        self._model = model
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

    def callback(self, keras: Any) -> Any:
        """Itself as a Keras callback, whose base class exists only once Keras is imported."""
        return keras.callbacks.LambdaCallback(
            on_epoch_begin=self._on_epoch_begin,
            on_train_batch_end=self._on_step,
            on_epoch_end=self._on_epoch_end,
        )

    def finish(self, *, interrupted: bool) -> Fitted:
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
        return Fitted(
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
        ended = Epoch.of(epoch + 1, logs)
        self._check(ended.score)
        self.history.append(ended)
        if ended.val_accuracy is not None:
            self._last = f"  validation {ended.val_accuracy:.3f}"
        if self.best is None or ended.score < self.best.score:
            self._weights = self._model.get_weights()
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
                model=[variable.numpy() for variable in _variables(self._model)],
                optimizer=[variable.numpy() for variable in self._model.optimizer.variables],
                best_weights=self._weights,
            )
        )

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} in epoch {self._epoch}: the training has run away; "
                "try a smaller --lr, another --seed or a larger --batch-size"
            )
