"""The network and the spec that the options of a training describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.model.spec import ModelSpec
from edgeemo.train.networks.architectures import build
from edgeemo.train.options.faces import build_face_settings

if TYPE_CHECKING:
    from edgeemo.train.options.options import TrainOptions


def build_network(spec: ModelSpec, options: TrainOptions) -> Any:
    """Build the network of the options with its initial weights.

    Args:
        spec: Gives the shape of the input and the number of classes.
        options: Give the architecture and where its weights come from.

    Returns:
        A `keras.Model` that is not compiled.

    Raises:
        TrainingError: As `edgeemo.train.networks.architectures.build`.
    """
    return build(
        options.arch,
        input_shape=spec.input_shape,
        classes=len(spec.labels),
        weights=options.from_,
        labels=spec.labels,
    )


def make_spec(labels: tuple[str, ...], options: TrainOptions) -> ModelSpec:
    """Return the spec of a model with these labels, trained with these options.

    Raises:
        FaceModelError: If the face detector's file cannot be used.
        SpecError: If labels, threshold or face settings are invalid.
    """
    return ModelSpec(
        labels=labels,
        height=options.side,
        width=options.side,
        channels=options.channels,
        activation="sigmoid" if len(labels) == 2 else "softmax",
        threshold=options.threshold,
        background=options.background,
        faces=build_face_settings(options),
    )
