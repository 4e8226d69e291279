"""A network's layers as a model whose steps also average, mix losses, or ask teachers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras
from edgeemo.train.loop.distillation import make_distillation_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.loop.distillation import Teacher
    from edgeemo.train.loop.ema import ExponentialMovingAverage
    from edgeemo.train.options.options import TrainOptions


def make_student(
    model: Any,
    *,
    options: TrainOptions,
    spec: ModelSpec,
    average: ExponentialMovingAverage | None,
    teachers: Sequence[Teacher],
) -> Any:
    """Return the model that is compiled and fitted for a network.

    Args:
        model: The network, a functional model.
        options: How to train.
        spec: Gives the form of the answer.
        average: Takes in the weights after every step; None for no average.
        teachers: The models to learn from besides the labels.

    Returns:
        `model` itself where the options ask for no average, mix-up or teacher: nothing is added to
        its steps then. Else a `keras.Model` with its layers and variables, and no others.
    """
    if average is None and not teachers and not options.mixup:
        return model
    keras = import_keras()
    weight = options.teacher_weight
    lessons = (
        make_distillation_loss(teachers, temperature=options.teacher_temperature, spec=spec)
        if teachers
        else None
    )

    # What a step needs beyond the layers stays in this closure, so that Keras does not take the
    # averages and the teachers for parts of the model.
    class Student(keras.Model):  # type: ignore[misc, name-defined]
        def train_step(self, data: Any) -> Any:
            logs = super().train_step(data)
            if average is not None:
                average.update()
            return logs

        def compute_loss(
            self,
            x: Any = None,
            y: Any = None,
            y_pred: Any = None,
            sample_weight: Any = None,
            training: bool = True,
        ) -> Any:
            if isinstance(y, tuple):  # mixed: the truths of both images
                stronger, weaker = sample_weight
                loss = super().compute_loss(x, y[0], y_pred, stronger, training)
                loss += super().compute_loss(x, y[1], y_pred, weaker, training)
                sample_weight = stronger + weaker
            else:
                loss = super().compute_loss(x, y, y_pred, sample_weight, training)
            if lessons is None or not training:
                return loss
            return (1 - weight) * loss + weight * lessons(x, y_pred, sample_weight)

        def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            if isinstance(y, tuple):  # the stronger image's class is to be answered
                y, sample_weight = y[0], None
            return super().compute_metrics(x, y, y_pred, sample_weight)

    return Student(model.inputs, model.outputs[0], name=model.name)
