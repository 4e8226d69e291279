"""The report on a model as a page: ``report.md`` and ``report.html``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.report.document import Document, Section, Steps, Text
from edgeemo.train.report.agreement import describe_agreement
from edgeemo.train.report.attention import describe_attention
from edgeemo.train.report.by_collection import describe_collections
from edgeemo.train.report.confidence import describe_calibration
from edgeemo.train.report.data import describe_data, show_training_images
from edgeemo.train.report.results import (
    describe_mistakes,
    describe_results,
    show_confusion,
    show_predictions,
)
from edgeemo.train.report.training import describe_layers, describe_training

if TYPE_CHECKING:
    from edgeemo.train.report.content import IllustratedReport, ModelSummary


def build_document(page: IllustratedReport) -> Document:
    """Return the report as a document."""
    report = page.report
    return Document(
        title=report.name,
        headline=f"Accuracy on {report.test.n:,} test images: {report.test.accuracy}",
        lead=[
            Text(
                "Figures in parentheses are 95 % intervals: the true value lies within them in 95 "
                "of 100 such tests."
            ),
            Text(_describe_model(report.model)),
        ],
        warnings=report.warnings,
        sections=(
            *list_next_steps(page),
            describe_results(page),
            *describe_collections(page),
            *describe_agreement(page),
            show_confusion(page),
            describe_mistakes(page),
            *describe_attention(page),
            show_predictions(page),
            describe_calibration(page),
            describe_data(page),
            show_training_images(page),
            describe_training(page),
            describe_layers(page),
        ),
    )


def list_next_steps(page: IllustratedReport) -> list[Section]:
    """Return the section on what to do next."""
    steps = [(step.finding, step.command) for step in page.report.next_steps]
    return [Section("Next steps", [Steps(steps)])] if steps else []


def _describe_model(model: ModelSummary) -> str:
    """Return a sentence on the input and the output of the model."""
    height, width, channels = model.input_shape
    colour = "grey" if channels == 1 else "RGB"
    rule = (
        f"{model.labels[1]} from a probability of {model.threshold:.3g} on"
        if len(model.labels) == 2
        else "the most probable"
    )
    least = model.min_confidence
    unsure = f", “not sure” below a confidence of {least:.3g}" if least else ""
    return (
        f"A classifier of {', '.join(model.labels)} ({rule}{unsure}): {model.architecture}, "
        f"{model.parameters:,} parameters, images of {width}×{height} {colour}"
        f"{_describe_faces(model)}."
    )


def _describe_faces(model: ModelSummary) -> str:
    """Return how the model detects faces in a photo; empty if it takes whole images."""
    if model.faces is None:
        return ""
    trained = "; it was trained on crops" if model.faces.cropped else ""
    return f", which are the faces in a photo ({model.faces.text}{trained})"
