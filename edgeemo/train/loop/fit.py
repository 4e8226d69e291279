"""Fit a network and leave it with the weights of its best epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras
from edgeemo.train.data.augmentations import AUGMENTATIONS
from edgeemo.train.data.batches import make_dataset, make_training_dataset
from edgeemo.train.data.mixup import Mixup
from edgeemo.train.loop.callbacks import FitMonitor, variables
from edgeemo.train.loop.distillation import check_teacher_outputs, check_teachers, load_teachers
from edgeemo.train.loop.ema import ExponentialMovingAverage
from edgeemo.train.loop.losses import compute_class_weights, default_lr, make_loss, make_optimizer
from edgeemo.train.loop.student import make_student
from edgeemo.train.loop.tracking import make_metrics, make_tensorboard_callback
from edgeemo.train.networks.architectures import set_frozen
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.distributed.shard import Shard
    from edgeemo.train.loop.callbacks import FitResult
    from edgeemo.train.loop.checkpoint import Checkpoint, State
    from edgeemo.train.loop.distillation import Teacher
    from edgeemo.train.loop.history import Epoch
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.progress import Progress

_FINE = 0.1
"""What the learning rate is multiplied by once a backbone's own, pretrained weights learn, too."""


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
    teachers: Sequence[Teacher] | None = None,
) -> tuple[Any, FitResult]:
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
        teachers: The models that the options name, where they are loaded already.

    Returns:
        The network and how it went.

    Raises:
        TrainingError: If the loss stops being a number, or a teacher does not fit.
        ModelFolderError: If the checkpoint is damaged, or a teacher cannot be loaded.
        KeyboardInterrupt: If Ctrl-C comes before the first epoch has ended.
    """
    keras = import_keras()
    if teachers is None:
        teachers = load_teachers(options)
        check_teachers(teachers, spec)
    check_teacher_outputs(teachers, train, spec)
    keras.utils.set_random_seed(options.seed)  # now that the teachers have drawn what they draw
    model = network()
    average = ExponentialMovingAverage(model, options.ema) if options.ema else None
    learner = make_student(model, options=options, spec=spec, average=average, teachers=teachers)
    steps = math.ceil(len(train) / options.batch_size)
    watch = FitMonitor(
        learner,
        options=options,
        steps=steps,
        average=average,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
        progress=progress or Silent(),
    )
    state = checkpoint.read() if checkpoint and checkpoint.exists else None
    if state:
        watch.go_on(state)
    interrupted = False
    try:
        for phase in _plan_phases(options, done=len(watch.history)):
            if watch.stopped_early:
                break
            _compile(learner, phase, spec=spec, options=options, steps=steps)
            if state:
                _restore(learner, state, optimizer=phase.epochs.start < len(state.history))
                if average:
                    average.restore(state.average)
                state = None
            _fit_phase(
                learner, phase, watch, train, validation, spec=spec, options=options, shard=shard
            )
    except KeyboardInterrupt:
        if watch.best is None:
            raise
        interrupted = True
    return model, watch.finish(interrupted=interrupted)


def _plan_phases(options: TrainOptions, *, done: int) -> Iterator[_Phase]:
    """What is left to train after so many epochs."""
    lr = options.lr or default_lr(options.optimizer)
    frozen = min(options.frozen_epochs, options.epochs)
    if done < frozen:
        yield _Phase(epochs=range(frozen), frozen=True, lr=lr)
    if frozen < options.epochs:
        fine = _FINE if options.weights != "none" else 1.0
        yield _Phase(epochs=range(frozen, options.epochs), frozen=False, lr=lr * fine)


def _compile(
    model: Any, phase: _Phase, *, spec: ModelSpec, options: TrainOptions, steps: int
) -> None:
    set_frozen(model, frozen=phase.frozen, pretrained=options.weights != "none")
    model.compile(
        optimizer=make_optimizer(
            options.optimizer,
            lr=phase.lr,
            schedule=options.schedule,
            steps=steps * len(phase.epochs),
        ),
        loss=make_loss(options.loss, spec=spec, label_smoothing=options.label_smoothing),
        metrics=make_metrics(options.metrics, spec=spec),
    )
    model.optimizer.build(model.trainable_variables)  # else the first step is traced twice


def _fit_phase(
    model: Any,
    phase: _Phase,
    watch: FitMonitor,
    train: Pixels,
    validation: Pixels,
    *,
    spec: ModelSpec,
    options: TrainOptions,
    shard: Shard | None,
) -> None:
    keras = import_keras()
    first = max(phase.epochs.start, len(watch.history))
    callbacks = watch.callbacks(keras)
    if options.tensorboard:
        callbacks.append(make_tensorboard_callback(keras, options.tensorboard))
    augmentation = AUGMENTATIONS[options.augment] if options.augment != "none" else None
    counts = compute_class_weights(train.truth, len(spec.labels)) if options.class_weights else {}
    mixup = Mixup(alpha=options.mixup, weights=tuple(counts.values())) if options.mixup else None
    model.fit(
        make_training_dataset(
            train,
            spec=spec,
            batch_size=options.batch_size,
            seed=options.seed,
            epochs=range(first, phase.epochs.stop),
            augmentation=augmentation,
            mixup=mixup,
            shard=shard,
        ),
        validation_data=make_dataset(
            validation, spec=spec, batch_size=options.batch_size, shard=shard
        )
        if len(validation)
        else None,
        initial_epoch=first,
        epochs=phase.epochs.stop,
        steps_per_epoch=math.ceil(len(train) / options.batch_size),
        class_weight=counts if counts and not mixup else None,  # which weighs each half by itself
        shuffle=False,  # the dataset does
        callbacks=callbacks,
        verbose=0,
    )


def _restore(model: Any, state: State, *, optimizer: bool) -> None:
    """Give a compiled model a state's variables; the optimiser's only within one phase."""
    pairs = list(zip(variables(model), state.model, strict=True))
    if optimizer:
        pairs += zip(model.optimizer.variables, state.optimizer, strict=True)
    for variable, value in pairs:
        variable.assign(value)
