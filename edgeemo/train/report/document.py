"""The report on a model as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.report.document import Document, Text
from edgeemo.train.report import curves, data, predictions

if TYPE_CHECKING:
    from edgeemo.train.report.content import TrainingReport


def build_document(report: TrainingReport) -> Document:
    """Return the content of ``report.md`` and ``report.html``."""
    sections = (
        predictions.answers(report),
        predictions.mistakes(report),
        predictions.batch(report),
        predictions.confidence(report),
        data.data(report),
        data.images(report),
        curves.training(report),
        curves.layers(report),
    )
    return Document(
        title=report.name,
        headline=f"Accuracy on {report.test.n:,} test images: {report.test.accuracy}",
        lead=[
            Text(
                "In brackets, here and below: the 95 % interval, where the true value lies in "
                "95 of 100 such tests."
            ),
            Text(_describe_model(report)),
        ],
        warnings=report.warnings,
        sections=sections,
    )


def _describe_model(report: TrainingReport) -> str:
    """Return a sentence on the input and the output of the model."""
    height, width, channels = report.spec.input_shape
    colour = "grey" if channels == 1 else "RGB"
    rule = (
        f"{report.spec.labels[1]} from a probability of {report.spec.threshold:.3g} on"
        if len(report.spec.labels) == 2
        else "the most probable"
    )
    unsure = report.spec.min_confidence
    doubt = f", “not sure” below a confidence of {unsure:.3g}" if unsure else ""
    return (
        f"A classifier of {', '.join(report.spec.labels)} ({rule}{doubt}): "
        f"{report.training['arch']}, {report.parameters:,} parameters, images of "
        f"{width}×{height} {colour}{_describe_faces(report)}."
    )


def _describe_faces(report: TrainingReport) -> str:
    """Return how the model finds faces in a photo; empty if it takes whole images."""
    faces = report.spec.faces
    if faces is None:
        return ""
    trained = "; it was trained on crops" if faces.cropped else ""
    return f", which are the faces in a photo ({faces.text}{trained})"
