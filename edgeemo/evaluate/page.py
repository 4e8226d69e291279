"""An evaluation as a page of HTML, with the images of the worst mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.evaluate.tables import (
    describe_evaluation,
    list_warnings,
    name_model,
    tabulate_classes,
    tabulate_confusion,
    tabulate_figures,
    tabulate_reliability,
    tabulate_slices,
    tabulate_unknown,
)
from edgeemo.evaluate.thumbnails import make_thumbnail
from edgeemo.report.document import (
    Bullets,
    Code,
    Document,
    Gallery,
    Note,
    Section,
    Table,
    Text,
    Tile,
)
from edgeemo.report.html import to_html
from edgeemo.utils.extras import require_packages
from edgeemo.utils.files import check_writable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeemo.evaluate.report import Evaluation, ShownImage
    from edgeemo.evaluate.tables import TableText
    from edgeemo.report.document import Block

_FIGURES = (
    "Accuracy is the share of right labels among the predicted ones, coverage the share of images "
    "that get one. Every interval is a 95 % interval."
)
_SLICES = "A slice is worse where its whole interval is below the accuracy of all images."
_RELIABILITY = (
    "Confidence is the probability of the predicted class. In each bin of equally many images the "
    "share of right predictions should be the confidence."
)


def check_page(path: Path) -> None:
    """Check that a page can be made and written, before any slow work.

    Raises:
        MissingExtraError: If Jinja2 is not installed.
        OSError: If the file cannot be written.
    """
    require_packages(("jinja2",), purpose="--html")
    check_writable(path.parent)


def make_page(found: Evaluation, folder: Path) -> str:
    """Return an evaluation as a page of HTML that holds its images.

    Args:
        found: The evaluation.
        folder: The folder of the images.

    Raises:
        MissingExtraError: If Jinja2 is not installed.
    """
    return to_html(build_document(found, folder))


def build_document(found: Evaluation, folder: Path) -> Document:
    """Return an evaluation as a document; the arguments are those of `make_page`."""
    accuracy, coverage = found.overall.accuracy, found.overall.coverage.value
    right = f"{round(accuracy.value * accuracy.n):,} of {accuracy.n:,} predicted labels are right"
    return Document(
        title=f"Evaluation of {name_model(found)} on {Path(found.data).name}",
        headline=f"Accuracy {accuracy}: {right}; {coverage:.1%} of the images get one.",
        lead=[
            Text(f"{describe_evaluation(found)}."),
            Text("Model file: ", Code(found.model), ", SHA-256 ", Code(found.sha256), "."),
        ],
        warnings=[f"{_capitalise(text)}." for text in list_warnings(found)],
        sections=[section for section in _list_sections(found, folder) if section.blocks],
    )


def _list_sections(found: Evaluation, folder: Path) -> Iterator[Section]:
    yield Section("Figures", [_table(tabulate_figures(found)), Text(_FIGURES)])
    yield Section("Classes", [_table(tabulate_classes(found))])
    yield Section(
        "Confusion matrix",
        [_table(tabulate_confusion(found)), Note("Rows are the true classes.")],
    )
    yield Section(
        "Classes that the model does not know",
        [_table(tabulate_unknown(found))] if found.unknown else [],
    )
    slices: list[Block] = [_table(tabulate_slices(found)), Text(_SLICES)]
    yield Section("Slices", slices if found.slices else [])
    yield Section("Most confident mistakes", _show_mistakes(found, folder))
    yield Section("Images without a label", _show_withheld(found, folder))
    yield Section("Confidence", _show_reliability(found))
    yield Section(
        "Notes", [Bullets([f"{_capitalise(note)}." for note in found.notes])] if found.notes else []
    )


def _show_mistakes(found: Evaluation, folder: Path) -> list[Block]:
    if not found.mistakes:
        return [Text("None.")]
    shown, count = len(found.mistakes), found.mistake_count
    text = f"{shown:,} of {count:,}, by the probability of the predicted class. "
    advice = "Look for wrong labels, and for what the images have in common."
    return [Text(text, advice), _show(found.mistakes, folder, good=False)]


def _show_withheld(found: Evaluation, folder: Path) -> list[Block]:
    if not found.withheld_images:
        return []
    total = sum(found.withheld.values())
    text = f"{len(found.withheld_images):,} of {total:,}."
    return [Text(text), _show(found.withheld_images, folder, good=None)]


def _show_reliability(found: Evaluation) -> list[Block]:
    if not found.calibration:
        return []
    verdict = f"{_capitalise(found.calibration.verdict)}."
    return [
        _table(tabulate_reliability(found)),
        Text(_RELIABILITY),
        Text("Calibration error: ", verdict),
    ]


def _show(images: Sequence[ShownImage], folder: Path, *, good: bool | None) -> Gallery:
    tiles = [
        Tile(
            image=make_thumbnail(folder / each.path, each.box),
            caption=f"{each.prediction}{f' {each.confidence:.0%}' if each.confidence else ''}\n"
            f"true: {each.truth}",
            name=each.path,
            good=good,
        )
        for each in images
    ]
    return Gallery(tiles)


def _table(table: TableText) -> Table:
    return Table(*table)


def _capitalise(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
