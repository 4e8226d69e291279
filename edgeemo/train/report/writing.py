"""Make a model folder's report out of what is known of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.model.folder import PLOTS, REPORT_HTML, REPORT_JSON, REPORT_MD
from edgeemo.model.keras import find_reference_model, load_keras
from edgeemo.report.document import Plot
from edgeemo.report.html import to_html
from edgeemo.report.markdown import to_markdown
from edgeemo.train.data.augment import draw_augmented_sheet
from edgeemo.train.data.augmentations import AUGMENTATIONS
from edgeemo.train.networks.summary import summarize_layers
from edgeemo.train.report import galleries, plots
from edgeemo.train.report.confidence import certainty
from edgeemo.train.report.content import TrainingReport
from edgeemo.train.report.document import build_document
from edgeemo.train.report.evaluation import Mistake
from edgeemo.train.report.warnings import warnings
from edgeemo.utils.files import write_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.model.folder import ModelFolder
    from edgeemo.report.document import Gallery
    from edgeemo.train.report.confidence import Certainty
    from edgeemo.train.report.evaluation import Evaluation
    from edgeemo.train.report.inputs import FolderContents


def write_report(
    folder: ModelFolder, contents: FolderContents, test: Evaluation, validation: Evaluation
) -> None:
    """Draw the images of a model folder and write its report as JSON, Markdown and HTML.

    Args:
        folder: The model folder; the original is in it.
        contents: What is known of it.
        test: The original's answers on the test split.
        validation: The same on the validation split.

    Raises:
        MissingExtraError: If matplotlib or Jinja2 is not installed.
    """
    sure = certainty(test, spec=contents.spec)
    mistakes = _mistakes(contents, test)
    report = TrainingReport(
        name=contents.name,
        spec=contents.spec,
        training=contents.training,
        layers=summarize_layers(
            load_keras(find_reference_model(folder), input_shape=contents.spec.input_shape)
        ),
        counts=contents.counts,
        set_aside=contents.dataset.summary.rejected,
        test=test.report,
        validation=validation.report,
        certainty=sure,
        mistakes=mistakes,
        warnings=warnings(
            contents.counts, test.report, fitted=contents.fitted, training=contents.training
        ),
        images=_draw(folder.path, contents, test, certainty=sure, mistakes=mistakes),
    )
    document = build_document(report)
    folder.write_json(REPORT_JSON, report.to_dict())
    write_file(folder.file(REPORT_MD), to_markdown(document))
    write_file(folder.file(REPORT_HTML), to_html(document, folder=folder.path))


def _mistakes(contents: FolderContents, test: Evaluation) -> tuple[Mistake, ...]:
    """Return the most confident wrong predictions, the worst first."""
    samples = [sample for sample in contents.dataset.samples if sample.split == "test"]
    return tuple(
        Mistake(
            path=samples[row].path,
            truth=contents.spec.labels[test.truth[row]],
            answer=contents.spec.labels[test.predicted[row]],
            confidence=float(test.confidence[row]),
        )
        for row in test.worst()[: galleries.WORST]
    )


def _draw(
    folder: Path,
    contents: FolderContents,
    test: Evaluation,
    *,
    certainty: Certainty,
    mistakes: Sequence[Mistake],
) -> dict[str, Plot | Gallery]:
    """Draw every image there is something to draw for, by name."""
    (folder / PLOTS).mkdir()
    spec, seed = contents.spec, contents.training["seed"]
    shown, train = contents.pixels["test"], contents.pixels["train"]
    drawn: dict[str, Plot | Gallery] = {
        "classes": plots.plot_classes(folder, contents.counts),
        "samples": galleries.samples(folder, train, spec=spec, seed=seed),
        "confusion": plots.plot_confusion(folder, test, labels=spec.labels),
        "predictions": galleries.predictions(folder, shown, test, spec=spec, seed=seed),
        "reliability": plots.plot_reliability(folder, certainty),
    }
    if mistakes:
        drawn["mistakes"] = galleries.worst_mistakes(folder, shown, test, mistakes)
    if contents.fitted is not None:
        drawn["curves"] = plots.plot_curves(folder, contents.fitted)
        if contents.fitted.history[0].tracked:
            drawn["metrics"] = plots.plot_metrics(folder, contents.fitted)
    augmented = contents.training.get("augment", "none")
    if augmented != "none":
        path = f"{PLOTS}/augmented.png"
        chosen = AUGMENTATIONS[augmented]
        draw_augmented_sheet(folder / path, train, spec=spec, augmentation=chosen, seed=seed)
        drawn["augmented"] = Plot(path, f"Training images, and below with {augmented} augmentation")
    return drawn
