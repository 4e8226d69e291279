"""Fit a network: Adam, cross-entropy, the best weights by validation loss."""

from __future__ import annotations

import csv
import math
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, Any

from edgeemo.errors import TrainingError
from edgeemo.files import replacing
from edgeemo.keras_model import import_keras
from edgeemo.progress import Silent
from edgeemo.train.pipeline import dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from edgeemo.progress import Progress
    from edgeemo.spec import ModelSpec
    from edgeemo.train.pipeline import Pixels


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One row of ``history.csv``.

    Attributes:
        epoch: Its number, from 1.
        loss: Mean cross-entropy over the training split while it was being learnt, in nats.
        accuracy: Share of the training split answered rightly meanwhile, 0 to 1.
        val_loss: Mean cross-entropy over the validation split at the epoch's end; None without one.
        val_accuracy: Share of the validation split answered rightly then; None without one.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None = None
    val_accuracy: float | None = None

    @property
    def score(self) -> float:
        """What the best epoch has least of: the validation loss, without one the training loss."""
        return self.loss if self.val_loss is None else self.val_loss


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What `fit` gives.

    Attributes:
        history: One entry per epoch that ended.
        best_epoch: The epoch whose weights the model now has, from 1.
        interrupted: Whether Ctrl-C ended the training.
    """

    history: tuple[Epoch, ...]
    best_epoch: int
    interrupted: bool


def fit(
    network: Callable[[], Any],
    train: Pixels,
    validation: Pixels,
    *,
    spec: ModelSpec,
    epochs: int,
    batch_size: int,
    seed: int,
    progress: Progress | None = None,
) -> tuple[Any, Fitted]:
    """Train a new network and leave it with the weights of its best epoch.

    The same arguments give the same weights on the same machine and versions. Ctrl-C after an epoch
    has ended keeps the best so far.

    Args:
        network: Makes the network, uncompiled; called after the seed is set.
        train: The training split.
        validation: The validation split; where it is empty the training loss decides.
        spec: Gives the scaling, the form of the answer and the threshold.
        epochs: How often every training picture is seen; at least 1.
        batch_size: Pictures per step; at least 1.
        seed: Fixes the first weights and the order of the pictures.
        progress: Gets a stage of epochs x steps.

    Returns:
        The network and how it went.

    Raises:
        TrainingError: If the loss stops being a number.
        KeyboardInterrupt: If Ctrl-C comes before the first epoch has ended.
    """
    keras = import_keras()
    keras.utils.set_random_seed(seed)
    model = network()
    model.compile(optimizer="adam", loss=_loss(spec), metrics=[_accuracy(keras, spec)])
    model.optimizer.build(model.trainable_variables)  # else the first step is traced twice
    steps = math.ceil(len(train) / batch_size)
    watch = _Watch(model, epochs=epochs, steps=steps, progress=progress or Silent())
    interrupted = False
    try:
        model.fit(
            dataset(train, spec=spec, batch_size=batch_size, shuffle_seed=seed),
            validation_data=dataset(validation, spec=spec, batch_size=batch_size)
            if len(validation)
            else None,
            epochs=epochs,
            shuffle=False,  # the dataset does
            callbacks=[watch.callback(keras)],
            verbose=0,
        )
    except KeyboardInterrupt:
        if watch.best is None:
            raise
        interrupted = True
    return model, watch.finish(interrupted=interrupted)


def write_history(path: Path, history: Iterable[Epoch]) -> Path:
    """Write ``history.csv``: one line per epoch, seven digits; empty where there is no value."""
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([field.name for field in fields(Epoch)])
        for epoch in history:
            number, *values = astuple(epoch)
            writer.writerow([number, *("" if each is None else f"{each:.7g}" for each in values)])
    return path


def _loss(spec: ModelSpec) -> str:
    if spec.activation == "sigmoid":
        return "binary_crossentropy"
    return "sparse_categorical_crossentropy"


def _accuracy(keras: Any, spec: ModelSpec) -> Any:
    """Accuracy as the runtime decides: p >= threshold is class 1, where Keras' own has >."""
    ops = keras.ops

    def right(truth: Any, output: Any) -> Any:
        if spec.activation == "sigmoid":
            answer = ops.cast(output >= spec.threshold, truth.dtype)
        else:
            answer = ops.cast(ops.argmax(output, axis=-1), truth.dtype)
        return ops.cast(ops.equal(truth, answer), "float32")

    return keras.metrics.MeanMetricWrapper(right, name="accuracy")


class _Watch:
    """Keeps the best weights and the history, and tells the progress."""

    def __init__(self, model: Any, *, epochs: int, steps: int, progress: Progress) -> None:
        self._model = model
        self._epochs, self._epoch = epochs, 0
        self._progress = progress
        self._weights: list[Any] = []
        self._last = ""
        self.history: list[Epoch] = []
        self.best: Epoch | None = None
        progress.stage("Training", total=epochs * steps)

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
                f"Interrupted in epoch {self._epoch} of {self._epochs}: "
                f"the best model so far, of epoch {self.best.epoch}, is kept."
            )
        return Fitted(
            history=tuple(self.history), best_epoch=self.best.epoch, interrupted=interrupted
        )

    def _on_epoch_begin(self, epoch: int, _: Mapping[str, float]) -> None:
        self._epoch = epoch + 1

    def _on_step(self, _: int, logs: Mapping[str, float]) -> None:
        self._check(logs["loss"])
        self._progress.advance(
            detail=f"epoch {self._epoch}/{self._epochs}  loss {logs['loss']:.3f}  "
            f"accuracy {logs['accuracy']:.3f}{self._last}"
        )

    def _on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        ended = Epoch(epoch=epoch + 1, **{name: float(value) for name, value in logs.items()})
        self._check(ended.score)
        self.history.append(ended)
        if ended.val_accuracy is not None:
            self._last = f"  validation {ended.val_accuracy:.3f}"
        if self.best is None or ended.score < self.best.score:
            self._weights = self._model.get_weights()
            self.best = ended

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} in epoch {self._epoch}: the training has run away; "
                "try another --seed, a larger --batch-size or another --arch"
            )
