"""The network that options ask for: its spec, its first weights, its confidence, its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo import __version__
from edgeemo.model.folder import KERAS
from edgeemo.model.spec import ModelSpec, Provenance
from edgeemo.train.networks.architectures import build
from edgeemo.train.options.faces import build_face_settings
from edgeemo.train.output_folder import make_timestamp
from edgeemo.train.report.evaluation import predict_split
from edgeemo.train.temperature import calibrate
from edgeemo.utils.files import sha256_file

if TYPE_CHECKING:
    from edgeemo.model.folder import ModelFolder
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.train.temperature import Calibration


def build_network(spec: ModelSpec, options: TrainOptions) -> Any:
    """The network that these options ask for, with its first weights, not compiled."""
    return build(
        options.arch,
        input_shape=spec.input_shape,
        classes=len(spec.labels),
        weights=options.weights,
    )


def make_spec(labels: tuple[str, ...], options: TrainOptions) -> ModelSpec:
    """The spec of a model with these classes that these options ask for."""
    return ModelSpec(
        labels=labels,
        height=options.side,
        width=options.side,
        channels=options.channels,
        activation="sigmoid" if len(labels) == 2 else "softmax",
        threshold=options.threshold,
        faces=build_face_settings(options),
    )


def calibrate_on_validation(
    model: Any, validation: Pixels, spec: ModelSpec, options: TrainOptions
) -> tuple[ModelSpec, Calibration | None]:
    """Calibrate on images that are neither trained nor tested on; without any, leave it."""
    if options.validates_on_test or not len(validation):
        return spec, None
    outputs = predict_split(model, validation, spec=spec)
    scores = np.array([spec.scores(row) for row in outputs.tolist()])
    return calibrate(
        model, scores, validation.truth, spec=spec, target_accuracy=options.target_accuracy
    )


def save_network(model: Any, folder: ModelFolder, options: TrainOptions) -> Provenance:
    """Write the weights without the optimiser's, which would treble the file."""
    bare = build(
        options.arch, input_shape=model.input_shape[1:], classes=max(2, model.output_shape[-1])
    )
    bare.set_weights(model.get_weights())
    path = folder.file(KERAS)
    bare.save(path)
    if options.save_keras and options.save_keras != KERAS:
        folder.file(options.save_keras).hardlink_to(path)
    return Provenance(
        edgeemo_version=__version__, source_sha256=sha256_file(path), date=make_timestamp()
    )
