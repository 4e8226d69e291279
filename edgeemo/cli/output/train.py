"""Output of ``edgeemo train``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.cli.output.console import note, print_facts, print_json, warn

if TYPE_CHECKING:
    from edgeemo.train import TrainedModel
    from edgeemo.train.report import TrainingReport


def print_trained(model: TrainedModel, *, json: bool) -> None:
    """Print a trained model with its figures and warnings, as a table or as JSON."""
    from edgeemo.model.folder import REPORT_HTML
    from edgeemo.utils.serialize import to_plain

    if json:
        print_json({"folder": model.folder.path, **to_plain(model.report)})
        return
    print_facts(_list_facts(model.report), title=model.folder.path)
    for warning in model.report.warnings:
        warn(warning)
    _print_steps(model.report)
    note(f"report: {model.folder.file(REPORT_HTML)}")


def _print_steps(report: TrainingReport) -> None:
    for number, step in enumerate(report.next_steps, 1):
        note(f"next step {number}: {step.finding}\n    {step.command}")


def _list_facts(report: TrainingReport) -> dict[str, str]:
    model, test = report.model, report.test
    height, width, channels = model.input_shape
    images = [f"{_count_images(report, split):,} {split}" for split in report.data.counts]
    excluded = [f"{count:,} {reason}" for reason, count in report.data.excluded.items()]
    facts = {
        "network": f"{model.architecture}, {model.parameters:,} parameters",
        "input": f"{width}x{height} {'grey' if channels == 1 else 'RGB'}",
        "labels": ", ".join(model.labels),
        "images": ", ".join(images),
        "excluded": ", ".join(excluded) or "none",
        "test accuracy": f"{test.accuracy}, n = {test.n:,}",
        "test F1 (mean)": str(test.macro.f1),
    }
    if test.auc:
        facts["test AUC"] = str(test.auc)
    if report.pretrained and report.pretrained.predicted:
        paired = report.pretrained.paired
        facts[report.pretrained.name] = (
            f"{paired.candidate} on {report.pretrained.where}; this model {paired.reference}"
        )
    for each in report.collections:
        facts[f"test accuracy, {each.name}"] = f"{each.test.accuracy}, n = {each.test.n:,}"
    return facts


def _count_images(report: TrainingReport, split: str) -> int:
    """Return the number of images of a split, with those of classes that have shares."""
    if report.collections:
        return sum(each.counts[split] for each in report.collections)
    return sum(report.data.counts[split].values())
