"""A comparison as tables, for a terminal and for a page: headings and rows of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.text import format_size, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.evaluate.comparison_report import ComparedModel, Comparison
    from edgeemo.evaluate.tables import TableText


def describe_comparison(found: Comparison) -> str:
    """Return the images of a comparison as one line."""
    which = "common test images" if found.shared_test else "images"
    return f"{plural(len(found.models), 'model')} on {found.data}: {found.n:,} {which}"


def tabulate_models(found: Comparison) -> TableText:
    """Return accuracy, size and time of each model; columns that tell nothing are left out."""
    covers = all(model.quality.coverage.value == 1 for model in found.models)
    timed = any(model.latency for model in found.models)
    columns = {
        "model": [model.name for model in found.models],
        "accuracy (95 %)": [_show_accuracy(model) for model in found.models],
        "balanced": [f"{model.balanced_accuracy.value:.3f}" for model in found.models],
    }
    if not covers:
        columns["coverage"] = [f"{model.quality.coverage.value:.3f}" for model in found.models]
        columns["of all"] = [f"{model.quality.right_of_all.value:.3f}" for model in found.models]
    columns["size"] = [format_size(model.size_bytes) for model in found.models]
    if timed:
        columns["ms"] = [_show_latency(model) for model in found.models]
    return tuple(columns), list(zip(*columns.values(), strict=True))


def tabulate_pairs(found: Comparison) -> TableText:
    """Return the first model against each other one."""
    return ("model", "images", "only it right", "only the first right", "p"), [
        (
            pair.candidate,
            f"{pair.n:,}",
            f"{pair.paired.only_candidate_right:,}",
            f"{pair.paired.only_reference_right:,}",
            pair.p_text.removeprefix("= "),
        )
        for pair in found.pairs
    ]


def tabulate_differences(found: Comparison) -> TableText:
    """Return the options of training that differ."""
    return ("option", *(model.name for model in found.models)), [
        (name, *values) for name, values in found.differences.items()
    ]


def tabulate_disagreements(found: Comparison, *, at_most: int) -> TableText:
    """Return images that some models predict rightly, with the prediction of each."""
    return ("image", "true", *(model.name for model in found.models)), [
        (each.path, each.truth, *each.predictions.values())
        for each in found.disagreements[:at_most]
    ]


def list_training_warnings(found: Comparison) -> Iterator[str]:
    """Yield a sentence without its full stop for each model that was trained on the images."""
    for model in found.models:
        if model.trained_on:
            yield (
                f"{model.name} was trained on {model.trained_on:,} of these images, which flatters "
                "it: --exclude-trained"
            )


def _show_accuracy(model: ComparedModel) -> str:
    accuracy = model.quality.accuracy
    return str(accuracy) if accuracy.n else "undefined"


def _show_latency(model: ComparedModel) -> str:
    return f"{model.latency.median_ms:.1f}" if model.latency else ""
