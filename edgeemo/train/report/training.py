"""Sections of the report on the training and on the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.report.document import Code, Section, Table, Text

if TYPE_CHECKING:
    from edgeemo.report.document import Block
    from edgeemo.train.report.content import IllustratedReport, TrainingReport
    from edgeemo.train.report.inputs import FitSummary, ModelImport


def describe_training(page: IllustratedReport) -> Section:
    """Return the section on the training curves, the options and the versions."""
    report = page.report
    blocks: list[Block] = []
    if report.imported:
        blocks.append(Text(_describe_import(report.imported)))
    if report.fit:
        options = [[name, _describe_value(value)] for name, value in report.config.items()]
        blocks += [
            Text(_describe_fit(report.fit, report)),
            *page.select_images("curves", "metrics"),
            Text("All options, which ", Code("config.toml"), " holds, too:"),
            Table(["option", "value"], options, text_columns=2),
        ]
    versions = [[name, version] for name, version in report.versions.items()]
    return Section("Training", [*blocks, Table(["package", "version"], versions, text_columns=2)])


def describe_layers(page: IllustratedReport) -> Section:
    """Return the section on the layers of the network."""
    model = page.report.model
    rows = [
        [
            layer.name,
            layer.kind,
            "×".join(str(side) for side in layer.output_shape) or "–",
            f"{layer.parameters:,}",
        ]
        for layer in model.layers
    ]
    rows.append(["all", "", "", f"{model.parameters:,}"])
    head = ["name", "kind", "output shape", "parameters"]
    return Section("Layers", [Table(head, rows, text_columns=2, has_total=True)])


def _describe_import(found: ModelImport) -> str:
    head = " It gives logits." if found.head == "logit" else ""
    return f"The model was imported. It takes {found.scaling}.{head}"


def _describe_fit(fit: FitSummary, report: TrainingReport) -> str:
    verb = "was interrupted after" if fit.interrupted else "ran"
    early = ", then stopped: the loss no longer improved" if fit.stopped_early else ""
    judge = "test" if fit.validates_on_test else "validation"
    judge = judge if report.validation.n else "training"
    return (
        f"The training {verb} {fit.epochs_run} of {fit.epochs} epochs{early}; the weights are "
        f"those of epoch {fit.best_epoch} (lowest {judge} loss)."
    )


def _describe_value(value: Any) -> str:
    """Return the value of an option in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    return str(value) if value != "" else "–"
