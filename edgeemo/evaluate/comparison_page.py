"""A comparison as a page of HTML, with images on which the models disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.evaluate.comparison_tables import (
    describe_comparison,
    list_training_warnings,
    tabulate_differences,
    tabulate_models,
    tabulate_pairs,
)
from edgeemo.evaluate.thumbnails import make_thumbnail
from edgeemo.report.document import Bullets, Document, Gallery, Section, Table, Text, Tile
from edgeemo.report.html import to_html
from edgeemo.utils.text import join_and

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edgeemo.evaluate.comparison_report import Comparison, Disagreement
    from edgeemo.report.document import Block

_MODELS = (
    "Accuracy is the share of right classes among the predicted ones, with its 95 % interval; "
    "balanced is its mean over the classes, coverage the share of images that get a class, of all "
    "the share of all images that are predicted rightly. ms is the median time of a prediction, "
    "where the model was benched."
)
_PAIRS = (
    "On the images for which both models predict a class. p is McNemar's exact test: the "
    "probability of a difference this large by chance alone."
)


def make_comparison_page(found: Comparison, folder: Path) -> str:
    """Return a comparison as a page of HTML that holds its images.

    Args:
        found: The comparison.
        folder: The folder of the images.

    Raises:
        MissingExtraError: If Jinja2 is not installed.
    """
    return to_html(build_document(found, folder))


def build_document(found: Comparison, folder: Path) -> Document:
    """Return a comparison as a document; the arguments are those of `make_comparison_page`."""
    names = [model.name for model in found.models]
    verdicts = [f"{pair.verdict}." for pair in found.pairs]
    return Document(
        title=f"Comparison of {join_and(names)}",
        headline=" ".join(verdicts),
        lead=[Text(f"{describe_comparison(found)}.")],
        warnings=[f"{text}." for text in list_training_warnings(found)],
        sections=[section for section in _list_sections(found, folder) if section.blocks],
    )


def _list_sections(found: Comparison, folder: Path) -> Iterator[Section]:
    yield Section("Models", [Table(*tabulate_models(found)), Text(_MODELS)])
    yield Section(f"Against {found.models[0].name}", [Table(*tabulate_pairs(found)), Text(_PAIRS)])
    yield Section("Images that only some predict rightly", _show_disagreements(found, folder))
    columns, rows = tabulate_differences(found)
    differences: list[Block] = [Table(columns, rows, text_columns=len(columns))] if rows else []
    yield Section("Options of the trainings that differ", differences)
    files = [f"{each.name}: {each.path} (SHA-256 {each.sha256})" for each in found.models]
    yield Section("Files", [Bullets(files)])
    yield Section("Notes", [Bullets([f"{note}." for note in found.notes])] if found.notes else [])


def _show_disagreements(found: Comparison, folder: Path) -> list[Block]:
    if not found.disagreements:
        return []
    text = f"{len(found.disagreements):,} of {found.disagreement_count:,}."
    return [Text(text), Gallery([_make_tile(each, folder) for each in found.disagreements])]


def _make_tile(each: Disagreement, folder: Path) -> Tile:
    predictions = [f"{name}: {label}" for name, label in each.predictions.items()]
    return Tile(
        image=make_thumbnail(folder / each.path, each.box),
        caption="\n".join([f"true: {each.truth}", *predictions]),
        name=each.path,
    )
