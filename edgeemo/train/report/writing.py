"""Write the report on a model into its folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgeemo.model.folder import REPORT_HTML, REPORT_JSON, REPORT_MD
from edgeemo.model.keras import find_reference_model, load_keras
from edgeemo.report.document import Gallery
from edgeemo.report.html import to_html
from edgeemo.report.markdown import to_markdown
from edgeemo.train.data.source import describe_source, list_paths
from edgeemo.train.networks.summary import summarize_layers
from edgeemo.train.options.record import record_options
from edgeemo.train.report.agreement import report_soft_labels
from edgeemo.train.report.attention import draw_attention
from edgeemo.train.report.by_collection import report_collections
from edgeemo.train.report.calibration import measure_calibration
from edgeemo.train.report.content import (
    ConfidenceSummary,
    DataSummary,
    IllustratedReport,
    ModelSummary,
    TrainingReport,
)
from edgeemo.train.report.document import build_document
from edgeemo.train.report.doubtful import find_doubtful_labels
from edgeemo.train.report.evaluation import list_mistakes
from edgeemo.train.report.images import draw_images
from edgeemo.train.report.next_steps import suggest_next_steps
from edgeemo.train.report.pretrained import compare_with_pretrained
from edgeemo.train.report.warnings import collect_warnings
from edgeemo.utils.files import write_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.tables import Split
    from edgeemo.report.document import Plot
    from edgeemo.train.report.agreement import SoftLabelReport
    from edgeemo.train.report.attention import Attention
    from edgeemo.train.report.evaluation import Evaluation, Mistake
    from edgeemo.train.report.inputs import FolderContents
    from edgeemo.utils.progress import Progress


def write_report(
    folder: ModelFolder,
    contents: FolderContents,
    *,
    test: Evaluation,
    validation: Evaluation,
    progress: Progress | None = None,
) -> TrainingReport:
    """Draw the images of a model folder and write its report as JSON, Markdown and HTML.

    Args:
        folder: The model folder, which holds the reference model.
        contents: Its contents.
        test: Predictions of the reference model on the test split.
        validation: The same on the validation split.
        progress: Gets a stage for the comparison with a shipped model.

    Returns:
        The report.

    Raises:
        MissingExtraError: If matplotlib or Jinja2 is not installed.
    """
    mistakes = list_mistakes(test, contents.test_samples, labels=contents.spec.labels)
    calibration = measure_calibration(test, spec=contents.spec)
    images = draw_images(
        folder.path, contents, test=test, calibration=calibration, mistakes=mistakes
    )
    model = load_keras(find_reference_model(folder), input_shape=contents.spec.input_shape)
    attention = _draw_attention(folder, contents, model, test, images)
    pretrained, faces = compare_with_pretrained(contents, test, progress=progress)
    report = TrainingReport(
        name=contents.out.name,
        folder=str(contents.out),
        model=_summarise_model(model, contents),
        data=_summarise_data(contents),
        test=test.report,
        validation=validation.report,
        collections=report_collections(contents, test),
        attention=attention,
        faces=faces,
        pretrained=pretrained,
        doubtful_labels=_find_doubtful(contents, test=test, validation=validation),
        soft_labels=_report_soft_labels(contents, test),
        confidence=ConfidenceSummary(
            test=calibration, validation=contents.run.calibration if contents.run else None
        ),
        mistakes=mistakes,
        warnings=_collect_warnings(contents, test),
        fit=contents.run.summarise() if contents.run else None,
        imported=contents.imported,
        config=record_options(contents.run.options) if contents.run else {},
        versions=contents.versions,
        plots=tuple(_list_paths(images.values())),
    )
    report = replace(report, next_steps=suggest_next_steps(report))
    document = build_document(IllustratedReport(report, images))
    folder.write_json(REPORT_JSON, report)
    write_file(folder.file(REPORT_MD), to_markdown(document))
    write_file(folder.file(REPORT_HTML), to_html(document, folder=folder.path))
    return report


def _draw_attention(
    folder: ModelFolder,
    contents: FolderContents,
    model: Any,
    test: Evaluation,
    images: dict[str, Plot | Gallery],
) -> Attention | None:
    """Add the images of what the network looks at, and return its figures."""
    attention, gallery = draw_attention(
        folder.path,
        model,
        contents.pixels["test"],
        evaluation=test,
        spec=contents.spec,
        seed=contents.origin.seed,
    )
    if gallery:
        images["attention"] = gallery
    return attention


def _summarise_model(model: Any, contents: FolderContents) -> ModelSummary:
    spec = contents.spec
    layers = summarize_layers(model)
    return ModelSummary(
        architecture=contents.origin.arch,
        input_shape=spec.input_shape,
        output_count=spec.output_count,
        activation=spec.activation,
        labels=spec.labels,
        threshold=spec.threshold,
        min_confidence=spec.min_confidence,
        faces=spec.faces,
        parameters=sum(layer.parameters for layer in layers),
        layers=layers,
    )


def _summarise_data(contents: FolderContents) -> DataSummary:
    summary = contents.dataset.summary
    return DataSummary(
        source=describe_source(contents.data),
        paths=tuple(map(str, list_paths(contents.data))),
        counts=contents.counts,
        excluded=summary.rejected,
        ingest=summary,
    )


def _report_soft_labels(contents: FolderContents, test: Evaluation) -> SoftLabelReport | None:
    soft_labels = contents.run.soft_labels if contents.run else None
    if soft_labels is None:
        return None
    return report_soft_labels(soft_labels, contents.test_samples, test)


def _find_doubtful(
    contents: FolderContents, *, test: Evaluation, validation: Evaluation
) -> tuple[Mistake, ...]:
    labels, run = contents.spec.labels, contents.run
    found: list[Mistake] = []
    splits: list[tuple[Split, Evaluation]] = [("test", test)]
    if not (run and run.options.validates_on_test):
        splits.append(("validation", validation))
    for split, evaluation in splits:
        found += find_doubtful_labels(evaluation, contents.list_samples(split), labels=labels)
    return tuple(sorted(found, key=lambda each: -each.confidence))


def _collect_warnings(contents: FolderContents, test: Evaluation) -> tuple[str, ...]:
    run, imported = contents.run, contents.imported
    doubt = imported.doubt if imported else None
    found = collect_warnings(
        contents.counts,
        test.report,
        fit=run.summarise() if run else None,
        calibration=run.calibration if run else None,
        seen_in_train=contents.dataset.summary.test_seen_in_train,
        processing=contents.dataset.summary.processing,
    )
    again = f"With these options {doubt}: import the model again." if doubt else ""
    return (again, *found) if again else found


def _list_paths(images: Iterable[Plot | Gallery]) -> Iterable[str]:
    for image in images:
        plot = image.sheet if isinstance(image, Gallery) else image
        if plot:
            yield plot.path
