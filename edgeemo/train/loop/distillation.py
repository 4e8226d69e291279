"""Distillation: a network learns from the probabilities of trained models besides the labels.

G. Hinton, O. Vinyals and J. Dean, "Distilling the knowledge in a neural network", 2015: the loss
is ``(1 - w) * loss of the label + w * T ** 2 * cross-entropy between the teacher's and the
network's probabilities``, both from logits divided by the temperature T; the factor keeps the size
of the gradient. Several teachers teach the mean of their probabilities. They see the very images
that the network sees, and do not learn.

`keras.distillation` does not do: its `Distiller` takes one teacher, ignores sample weights, and its
`LogitsDistillation` expects logits, of which one (a sigmoid's) gives a loss of 0 (decision 8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.model.keras import import_keras

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.loop.ema import ExponentialMovingAverage
    from edgeemo.train.loop.teachers import Teacher
    from edgeemo.train.options.options import TrainOptions


def make_distillation_loss(
    teachers: Sequence[Teacher], *, temperature: float, spec: ModelSpec
) -> Callable[[Any, Any, Any], Any]:
    """Make the teachers' part of the loss.

    Args:
        teachers: At least one.
        temperature: T, above 0.
        spec: Gives the activation.

    Returns:
        Function of images (B, H, W, C), the network's probabilities for them, and sample weights
        ((B,) or None), to the mean loss in nats, a scalar.
    """
    keras = import_keras()
    ops, losses = keras.ops, keras.losses
    sigmoid = spec.activation == "sigmoid"
    kind = losses.BinaryCrossentropy if sigmoid else losses.CategoricalCrossentropy
    of_probabilities, of_logits = kind(), kind(from_logits=True)
    activate = ops.sigmoid if sigmoid else ops.softmax
    predictors = [_make_predictor(keras, teacher.model) for teacher in teachers]

    def to_logits(output: Any) -> Any:
        output = ops.clip(output, keras.config.epsilon(), 1 - keras.config.epsilon())
        return ops.log(output) - (ops.log(1 - output) if sigmoid else 0)

    def compute_loss(images: Any, output: Any, sample_weight: Any) -> Any:
        taught = ops.mean(ops.stack([predict(images) for predict in predictors]), axis=0)
        if temperature == 1:
            return of_probabilities(taught, output, sample_weight)
        softened = activate(to_logits(taught) / temperature)
        return temperature**2 * of_logits(softened, to_logits(output) / temperature, sample_weight)

    return compute_loss


def _make_predictor(keras: Any, model: Any) -> Callable[[Any], Any]:
    """Return a function of images to a teacher's probabilities, for use within a step."""
    if keras.backend.backend() != "jax":
        return lambda images: model(images, training=False)
    values = [
        [np.asarray(variable) for variable in variables]  # constants of the step
        for variables in (model.trainable_variables, model.non_trainable_variables)
    ]
    return lambda images: model.stateless_call(*values, images, training=False)[0]


def make_student(
    model: Any,
    *,
    options: TrainOptions,
    spec: ModelSpec,
    ema: ExponentialMovingAverage | None,
    teachers: Sequence[Teacher],
    soft: bool = False,
    cuts: tuple[Callable[[Any], Any], Callable[[Any], Any]] | None = None,
) -> Any:
    """Return the model to compile and fit: one whose steps also distil, mix losses and average.

    The loss of a distribution is the mean of the losses of the classes, weighted by their shares.
    With cross-entropy that is the loss of a soft label; it holds for focal loss, too.

    Args:
        model: The network, a functional model.
        options: The training options.
        spec: Gives the activation.
        ema: The moving average to update after every step; None for none.
        teachers: The teachers; empty for none.
        soft: Whether the training images have distributions instead of classes.
        cuts: What a step of training and one of validation do to their data first, on JAX.

    Returns:
        `model` itself without moving average, mix-up, teachers, distributions and cuts: nothing is
        added to its steps then. Else a `keras.Model` with its layers and variables, and no others.
    """
    if ema is None and not teachers and not options.mixup and not soft and cuts is None:
        return model
    keras = import_keras()
    weight, temperature = options.teacher_weight, options.teacher_temperature
    distil = (
        make_distillation_loss(teachers, temperature=temperature, spec=spec) if teachers else None
    )

    # What a step needs beyond the layers stays in this closure, so that Keras does not take the
    # averages and the teachers for parts of the model.
    class Student(keras.Model):  # type: ignore[misc, name-defined]
        def train_step(self, *args: Any) -> Any:  # the data; on JAX the state before them
            *state, data = args
            logs = super().train_step(*state, cuts[0](data) if cuts else data)
            if ema is not None and not state:  # on JAX its callback does
                ema.update()
            return logs

        def test_step(self, *args: Any) -> Any:
            *state, data = args
            return super().test_step(*state, cuts[1](data) if cuts else data)

        def compute_loss(
            self,
            x: Any = None,
            y: Any = None,
            y_pred: Any = None,
            sample_weight: Any = None,
            training: bool = True,
        ) -> Any:
            if isinstance(y, dict):  # distributions, mixed or not
                label, target, loss = y["label"], y["target"], 0.0
                for k in range(target.shape[1]):
                    truth = keras.ops.full_like(label, k)
                    loss += super().compute_loss(x, truth, y_pred, target[:, k], training)
                sample_weight = keras.ops.sum(target, axis=1)
            elif isinstance(y, tuple):  # mixed: the classes of both images
                stronger, weaker = sample_weight
                loss = super().compute_loss(x, y[0], y_pred, stronger, training)
                loss += super().compute_loss(x, y[1], y_pred, weaker, training)
                sample_weight = stronger + weaker
            else:
                loss = super().compute_loss(x, y, y_pred, sample_weight, training)
            if distil is None or not training:
                return loss
            return (1 - weight) * loss + weight * distil(x, y_pred, sample_weight)

        def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            if isinstance(y, tuple):  # the stronger image's class is the one to predict
                y, sample_weight = y[0], None
            elif isinstance(y, dict):
                y = y["label"]
            return super().compute_metrics(x, y, y_pred, sample_weight)

    return Student(model.inputs, model.outputs[0], name=model.name)
