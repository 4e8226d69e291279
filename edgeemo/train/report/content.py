"""The report on a model as data, which is the content of ``report.json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.dataset import IngestSummary
    from edgeemo.metrics import ClassificationReport
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.report.document import Gallery, Plot
    from edgeemo.train.networks.summary import LayerRow
    from edgeemo.train.report.agreement import SoftLabelReport
    from edgeemo.train.report.attention import Attention
    from edgeemo.train.report.by_collection import CollectionReport
    from edgeemo.train.report.calibration import CalibrationReport
    from edgeemo.train.report.evaluation import Mistake
    from edgeemo.train.report.inputs import FitSummary, ModelImport
    from edgeemo.train.report.next_steps import NextStep
    from edgeemo.train.report.pretrained import FaceCoverage, PretrainedResult
    from edgeemo.train.temperature import FittedTemperature


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """The model.

    Attributes:
        architecture: Name of the network, or "imported".
        input_shape: Height, width and channels of an image.
        output_count: Number of outputs.
        activation: "sigmoid" or "softmax".
        labels: Class names.
        threshold: Probability from which the second of two labels is predicted.
        min_confidence: Confidence below which it predicts "not sure"; 0 for none.
        faces: How it detects faces; None if it takes whole images.
        parameters: Number of weights.
        layers: The layers.
    """

    architecture: str
    input_shape: tuple[int, int, int]
    output_count: int
    activation: str
    labels: tuple[str, ...]
    threshold: float
    min_confidence: float
    faces: FaceSettings | None
    parameters: int
    layers: tuple[LayerRow, ...]


@dataclass(frozen=True, kw_only=True)
class DataSummary:
    """The images.

    Attributes:
        source: Their folder or .zip, as the user named it.
        paths: Each folder or .zip of them apart.
        counts: Number of images by split and label.
        excluded: Number of excluded files by reason.
        ingest: Summary of the ingest.
    """

    source: str
    paths: tuple[str, ...] = ()
    counts: Mapping[str, Mapping[str, int]]
    excluded: Mapping[str, int]
    ingest: IngestSummary


@dataclass(frozen=True, kw_only=True)
class ConfidenceSummary:
    """How well the confidence is calibrated.

    Attributes:
        test: On the test split.
        validation: What was fitted on the validation split; None without a fit.
    """

    test: CalibrationReport
    validation: FittedTemperature | None


@dataclass(frozen=True, kw_only=True)
class TrainingReport:
    """The report on a trained or imported model.

    Attributes:
        name: Name of the model folder.
        folder: Path of the model folder, as the user named it.
        model: The model.
        data: The images.
        test: Quality of the predictions on the test split.
        validation: The same on the validation split.
        collections: Each of several collections apart; empty for one folder of images.
        attention: What the network looks at in test images; None without one.
        faces: Faces in the test images; None for crops of faces.
        pretrained: A shipped model on the test images; None where none has the classes.
        doubtful_labels: Test and validation images that look mislabelled.
        next_steps: What to do next.
        soft_labels: Soft labels, and how far they agree; None where images have hard labels.
        confidence: Calibration of the confidence.
        mistakes: Wrong predictions on the test split, the most confident first; of many, the first.
        warnings: What the figures do not show, in sentences.
        fit: The training; None for an imported model.
        imported: Origin of an imported model, else None.
        config: Every option of the training, by name; empty for an imported model.
        versions: Versions of the packages.
        plots: Paths of the image files in the model folder.
    """

    name: str
    folder: str = ""
    model: ModelSummary
    data: DataSummary
    test: ClassificationReport
    validation: ClassificationReport
    collections: tuple[CollectionReport, ...] = ()
    attention: Attention | None = None
    faces: FaceCoverage | None = None
    pretrained: PretrainedResult | None = None
    doubtful_labels: tuple[Mistake, ...] = ()
    next_steps: tuple[NextStep, ...] = ()
    soft_labels: SoftLabelReport | None = None
    confidence: ConfidenceSummary
    mistakes: tuple[Mistake, ...]
    warnings: tuple[str, ...]
    fit: FitSummary | None
    imported: ModelImport | None
    config: Mapping[str, Any]
    versions: Mapping[str, str]
    plots: tuple[str, ...]


@dataclass(frozen=True)
class IllustratedReport:
    """A report with its images.

    Attributes:
        report: The report.
        images: Plots and galleries by name: "curves", "metrics", "confusion", "reliability",
            "mistakes", "attention", "predictions", "classes", "samples", "augmented"; some may be
            absent.
    """

    report: TrainingReport
    images: Mapping[str, Plot | Gallery]

    def select_images(self, *names: str) -> list[Plot | Gallery]:
        """Return those of the named images that exist."""
        return [self.images[name] for name in names if name in self.images]
