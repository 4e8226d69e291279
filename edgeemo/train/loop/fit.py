"""Fit a network, and leave it with the weights of its best epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras
from edgeemo.train.data.augmentations import AUGMENTATIONS
from edgeemo.train.data.batches import make_dataset, make_training_dataset
from edgeemo.train.data.mixup import Mixup
from edgeemo.train.loop.callbacks import FitMonitor
from edgeemo.train.loop.distillation import make_student
from edgeemo.train.loop.ema import make_ema
from edgeemo.train.loop.int8_aware import make_int8_aware
from edgeemo.train.loop.losses import (
    balance_targets,
    compute_class_weights,
    default_lr,
    make_loss,
    make_optimizer,
)
from edgeemo.train.loop.teachers import check_teacher_outputs, check_teachers, load_teachers
from edgeemo.train.loop.tracking import make_metrics, make_tensorboard_callback
from edgeemo.train.networks.architectures import set_frozen
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.data.pipeline import Pixels, TrainingData
    from edgeemo.train.data.shard import Shard
    from edgeemo.train.loop.callbacks import FitResult
    from edgeemo.train.loop.checkpoint import Checkpoint, State
    from edgeemo.train.loop.history import Epoch
    from edgeemo.train.loop.teachers import Teacher
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.progress import Progress

_FINE_TUNING = 0.1
"""Factor of the learning rate once the pretrained weights of a backbone are trained, too."""


@dataclass(frozen=True, kw_only=True)
class _Phase:
    """Epochs that are trained alike.

    Attributes:
        epochs: Numbers of the epochs, from 0.
        frozen: Whether only the head is trained.
        lr: Learning rate at the start.
    """

    epochs: range
    frozen: bool
    lr: float


def fit(
    network: Callable[[], Any],
    data: TrainingData,
    *,
    options: TrainOptions,
    checkpoint: Checkpoint | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    progress: Progress | None = None,
    shard: Shard | None = None,
    teachers: Sequence[Teacher] | None = None,
    deadline: float = math.inf,
) -> tuple[Any, FitResult]:
    """Fit a network, and leave it with the weights of its best epoch.

    The same arguments give the same weights on the same machine and versions, also where the
    training was interrupted and resumed from a checkpoint. Ctrl-C after an epoch was completed
    keeps the best weights so far.

    Args:
        network: Builds the network, uncompiled; called after the seed is set.
        data: The images and the spec. Without validation images the training loss decides which
            epoch is best.
        options: The training options.
        checkpoint: Where to write the state; a state that it holds is resumed.
        on_epoch: Called after every epoch; an exception that it raises ends the training.
        progress: Receives a stage of epochs x steps.
        shard: This worker's part of every batch, where several train together.
        teachers: The teachers that the options name, where they are loaded already.
        deadline: Time of `time.monotonic` at which the training ends, with its best epoch.

    Returns:
        The network and the outcome.

    Raises:
        TrainingError: If the training diverges, or a teacher does not fit the network.
        ModelFolderError: If the checkpoint is damaged, or a teacher cannot be loaded.
        KeyboardInterrupt: If Ctrl-C comes before the first epoch is completed.
    """
    keras = import_keras()
    if teachers is None:
        teachers = load_teachers(options)
        check_teachers(teachers, data.spec)
    if shard is None:  # else the process that starts the workers does
        check_teacher_outputs(teachers, data.train, data.spec)
    keras.utils.set_random_seed(options.seed)  # after the teachers, which draw random numbers, too
    model = network()
    ema = make_ema(model, options.ema) if options.ema else None
    steps = math.ceil(len(data.train) / options.batch_size)
    network_to_fit = model
    if options.int8_aware:
        network_to_fit = make_int8_aware(model, steps=steps * options.epochs // 2)
    student = make_student(
        network_to_fit,
        options=options,
        spec=data.spec,
        ema=ema,
        teachers=teachers,
        soft=data.train.targets is not None,
        cuts=shard.make_cuts(len(data.train), len(data.validation)) if shard else None,
    )
    monitor = FitMonitor(
        student,
        options=options,
        steps=steps,
        ema=ema,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
        progress=progress or Silent(),
        deadline=deadline,
    )
    state = checkpoint.read() if checkpoint and checkpoint.exists else None
    if state:
        monitor.resume(state)
    interrupted = False
    try:
        for phase in _plan_phases(options, completed=len(monitor.history)):
            if monitor.stopped_early or monitor.out_of_time:
                break
            _compile(student, phase, spec=data.spec, options=options, steps=steps)
            if state:
                _restore(student, state, optimizer=phase.epochs.start < len(state.history))
                if ema:
                    ema.restore(state.ema)
                state = None
            _fit_phase(student, phase, monitor, data, options=options, shard=shard)
    except KeyboardInterrupt:
        if monitor.best is None:
            raise
        interrupted = True
    return model, monitor.finish(interrupted=interrupted)


def _plan_phases(options: TrainOptions, *, completed: int) -> Iterator[_Phase]:
    """Yield the phases that are left after so many completed epochs."""
    lr = options.lr or default_lr(options.optimizer)
    frozen = min(options.frozen_epochs, options.epochs)
    if completed < frozen:
        yield _Phase(epochs=range(frozen), frozen=True, lr=lr)
    if frozen < options.epochs:
        factor = _FINE_TUNING if options.from_ != "none" else 1.0
        yield _Phase(epochs=range(frozen, options.epochs), frozen=False, lr=lr * factor)


def _compile(
    model: Any, phase: _Phase, *, spec: ModelSpec, options: TrainOptions, steps: int
) -> None:
    set_frozen(model, frozen=phase.frozen, pretrained=options.from_ != "none")
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
    monitor: FitMonitor,
    data: TrainingData,
    *,
    options: TrainOptions,
    shard: Shard | None,
) -> None:
    keras = import_keras()
    spec, batch_size = data.spec, options.batch_size
    first = max(phase.epochs.start, len(monitor.history))
    callbacks = monitor.make_callbacks(keras)
    if options.tensorboard:
        callbacks.append(make_tensorboard_callback(keras, options.tensorboard))
    train, weights = _weight_classes(data, options)
    mixup = Mixup(alpha=options.mixup, weights=tuple(weights.values())) if options.mixup else None
    batches = make_training_dataset(
        train,
        spec=spec,
        batch_size=batch_size,
        seed=options.seed,
        epochs=range(first, phase.epochs.stop),
        augmentation=AUGMENTATIONS[options.augment] if options.augment != "none" else None,
        mixup=mixup,
        shard=shard,
    )
    validation = None
    if len(data.validation):
        validation = make_dataset(data.validation, spec=spec, batch_size=batch_size, shard=shard)
    model.fit(
        batches,
        validation_data=validation,
        initial_epoch=first,
        epochs=phase.epochs.stop,
        steps_per_epoch=math.ceil(len(data.train) / batch_size),
        class_weight=weights if weights and not mixup else None,  # mix-up weighs each image itself
        shuffle=False,  # the dataset does
        callbacks=callbacks,
        verbose=0,
    )


def _weight_classes(data: TrainingData, options: TrainOptions) -> tuple[Pixels, dict[int, float]]:
    """Return the training split and the class weights; in its targets they are applied."""
    train = data.train
    if not options.class_weights:
        return train, {}
    if train.targets is not None:
        return replace(train, targets=balance_targets(train.targets)), {}
    return train, compute_class_weights(train.truth, len(data.spec.labels))


def _restore(model: Any, state: State, *, optimizer: bool) -> None:
    """Assign a state's variables to a compiled model; the optimizer's within its phase only."""
    pairs = list(zip(model.variables, state.model, strict=True))
    if optimizer:
        pairs += zip(model.optimizer.variables, state.optimizer, strict=True)
    for variable, value in pairs:
        variable.assign(value)
