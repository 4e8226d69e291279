"""The check of a folder as a page that shows every group and every suspect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from edgeemo.bulk.bucket_path import make_path
from edgeemo.dataset.check.shortcuts import SHORTCUT_AUC
from edgeemo.dataset.check.summary import (
    PROCESSING_COLUMNS,
    SHORTCUT_COLUMNS,
    describe_figures,
    list_processing,
    list_shortcuts,
)
from edgeemo.errors import ImageError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.preprocess import decode
from edgeemo.model.input_spec import InputSpec
from edgeemo.report.document import (
    Bullets,
    Document,
    Gallery,
    Heading,
    Note,
    Section,
    Table,
    Text,
    Tile,
)
from edgeemo.report.html import to_html
from edgeemo.report.thumbnail import encode_thumbnail
from edgeemo.utils.text import join_and, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edgeemo.dataset.check.groups import DuplicateGroup
    from edgeemo.dataset.check.report import CheckReport
    from edgeemo.report.document import Block
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

MAX_BYTES = 11 * 2**20
"""Greatest size of all thumbnails of a page, which Base64 makes a third larger."""

_SIDE = 96  # of a thumbnail, in pixels
_INPUT = InputSpec(height=_SIDE, width=_SIDE, channels=3)
_GROUPS, _PER_GROUP, _IMAGES, _ROWS = 200, 12, 160, 200  # greatest numbers that are shown


def make_page(report: CheckReport, *, title: str, folder: StrPath, progress: Progress) -> str:
    """Return the check as an HTML page that holds its thumbnails.

    Args:
        report: The check.
        title: Name of the folder in the title.
        folder: Folder of the images.
        progress: Gets a stage.

    Raises:
        MissingExtraError: If Jinja2 is not installed.
    """
    progress.stage("Making the page")
    return to_html(build_document(report, title=title, folder=make_path(folder)))


def build_document(report: CheckReport, *, title: str, folder: Path) -> Document:
    """Return the check as a document; the arguments are those of `make_page`."""
    classes = plural(len(report.labels), "class", "classes")
    return Document(
        title=f"Data check of {title}",
        headline=f"{report.usable:,} usable images of {report.found:,} files, in {classes}.",
        lead=[] if report.findings else [Text("There is nothing to act on or to look at.")],
        warnings=_list_findings(report, "act"),
        warnings_title="To act on",
        sections=[section for section in _build_sections(report, folder) if section.blocks],
    )


class _Thumbnails:
    """Makes thumbnails until a page holds `MAX_BYTES` of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left = MAX_BYTES

    @property
    def is_full(self) -> bool:
        """Return whether the page holds as many as it may."""
        return self._left <= 0

    def show(self, images: Sequence[tuple[str, str]], *, at_most: int) -> list[Block]:
        """Return a gallery of paths with captions, and a note if not all of them are shown."""
        tiles: list[Tile] = []
        for path, caption in images[:at_most]:
            if self.is_full:
                break
            tiles.append(Tile(image=self._make(path), caption=caption, name=path))
        gallery: list[Block] = [Gallery(tiles)] if tiles else []
        return [*gallery, *_note_rest(len(images) - len(tiles), "image")]

    def _make(self, path: str) -> bytes:
        try:
            with open_image((self._folder / path).read_bytes()) as opened:
                thumbnail = encode_thumbnail(decode(opened, _INPUT), _SIDE)
        except (OSError, ImageError):  # it could be read a moment ago
            thumbnail = encode_thumbnail(Image.new("RGB", (_SIDE, _SIDE), "white"), _SIDE)
        self._left -= len(thumbnail)
        return thumbnail


def _build_sections(report: CheckReport, folder: Path) -> Iterator[Section]:
    thumbnails = _Thumbnails(folder)
    findings = _list_findings(report, "look")
    yield Section("To look at", [Bullets(findings)] if findings else [])
    yield Section("Figures", _show_figures(report))
    yield Section("Shortcuts", _show_shortcuts(report))
    yield Section("Processing", _show_processing(report, thumbnails))
    yield from _build_group_sections(report, thumbnails)
    yield Section("Odd and disguised", _show_odd(report, thumbnails))
    yield Section("No face detected", _show_faceless(report, thumbnails))
    yield Section("Unusable", _show_unusable(report))


def _build_group_sections(report: CheckReport, thumbnails: _Thumbnails) -> Iterator[Section]:
    across = [group for group in report.near_duplicates if group.across_classes]
    leaking = [g for g in report.near_duplicates if g.across_splits and not g.across_classes]
    others = [g for g in report.near_duplicates if not g.across_splits and not g.across_classes]
    text = (
        "If two images are the same, at most one label is right, and training excludes both. A "
        "group is a chain in which each image is nearly the same as another: frames of a film may "
        "change class on the way."
    )
    yield Section("Alike in more than one class", _show_groups(text, across, thumbnails))
    text = "A network that was trained on one of these images knows the others: no test of it."
    yield Section("Alike in more than one split", _show_groups(text, leaking, thumbnails))
    yield Section("Suspicious labels", _show_suspects(report, thumbnails))
    text = "Of identical files one is kept. Near-duplicates are all kept, in one split."
    yield Section("Copies and near-duplicates", _show_groups(text, others, thumbnails))


def _list_findings(report: CheckReport, level: str) -> list[str]:
    return [finding.text for finding in report.findings if finding.level == level]


def _show_figures(report: CheckReport) -> list[Block]:
    rows = [
        [split, *(f"{counts[label]:,}" for label in report.labels)]
        for split, counts in report.counts.items()
    ]
    figures = [[name, text] for name, text in describe_figures(report).items()]
    return [
        Table(["usable images", *report.labels], rows),
        Table(["figure", "value"], figures, text_columns=2),
    ]


def _show_shortcuts(report: CheckReport) -> list[Block]:
    if not report.shortcuts:
        return []
    text = (
        "AUC of one number alone for a class against the others: 0.5 is chance, 1 is perfect. A "
        f"shortcut (marked) has {SHORTCUT_AUC:g} or more: a network may learn it instead of faces."
    )
    marked = [number for number, each in enumerate(report.shortcuts) if each.flagged]
    rows = [
        (measure, meaning, f"{auc}, shortcut" if is_shortcut else auc)
        for measure, is_shortcut, meaning, auc in list_shortcuts(report)
    ]
    measure, _, meaning, auc = SHORTCUT_COLUMNS
    return [Text(text), Table((measure, meaning, auc), rows, text_columns=2, marked=marked)]


def _show_processing(report: CheckReport, thumbnails: _Thumbnails) -> list[Block]:
    rows = list_processing(report)
    if not rows:
        return []
    text = (
        "Images that were changed after a camera took them. The shares are of the images in which "
    )
    blocks: list[Block] = [
        Text(f"{text}the kind can be measured."),
        Table(PROCESSING_COLUMNS, rows, text_columns=2),
    ]
    for one in report.processing:
        images = [(row.path, row.detail) for row in report.processed if row.reason == one.kind]
        if images:
            blocks += [Heading(one.kind), *thumbnails.show(images, at_most=_PER_GROUP)]
    return blocks


def _show_groups(
    text: str, groups: Sequence[DuplicateGroup], thumbnails: _Thumbnails
) -> list[Block]:
    blocks: list[Block] = []
    shown = 0
    for group in groups[:_GROUPS]:
        if thumbnails.is_full:
            break
        images = [(path, "") for path in group.paths]
        blocks.append(Heading(_describe_group(group)))
        blocks += thumbnails.show(images, at_most=_PER_GROUP)
        shown += 1
    return [Text(text), *blocks, *_note_rest(len(groups) - shown, "group")] if groups else []


def _describe_group(group: DuplicateGroup) -> str:
    parts = [
        f"{len(group.paths):,} images",
        "identical files" if group.identical else "near-duplicates",
        join_and(group.labels),
        join_and(group.splits),
    ]
    return ", ".join(part for part in parts if part)


def _show_suspects(report: CheckReport, thumbnails: _Thumbnails) -> list[Block]:
    suspects = [
        (one.path, f"labelled {one.label}\nlooks {one.suggested}, {one.confidence:.2f}")
        for one in report.label_check.suspects
    ]
    text = (
        "A simple classifier that was not trained on the image contradicts its label. It is right "
        f"for {report.label_check.accuracy or 0:.0%} of the images, so many of these labels are "
        "right. The strongest contradiction comes first."
    )
    return _show_images(text, suspects, thumbnails)


def _show_odd(report: CheckReport, thumbnails: _Thumbnails) -> list[Block]:
    odd = [(row.path, f"{row.reason}\n{row.detail}") for row in (*report.odd, *report.disguised)]
    return _show_images("Usable, but worth a look.", odd, thumbnails)


def _show_faceless(report: CheckReport, thumbnails: _Thumbnails) -> list[Block]:
    faceless = [(path, "") for path in (report.faces.none if report.faces else ())]
    text = "The detector misses faces in profile, in the dark and at the edge."
    return _show_images(text, faceless, thumbnails)


def _show_images(
    text: str, images: Sequence[tuple[str, str]], thumbnails: _Thumbnails
) -> list[Block]:
    return [Text(text), *thumbnails.show(images, at_most=_IMAGES)] if images else []


def _show_unusable(report: CheckReport) -> list[Block]:
    rows = [[row.path, row.reason, row.detail] for row in report.unusable]
    if not rows:
        return []
    return [
        Text("Training excludes these files."),
        Table(["file", "reason", "detail"], rows[:_ROWS], text_columns=3),
        *_note_rest(len(rows) - _ROWS, "file"),
    ]


def _note_rest(count: int, noun: str) -> list[Block]:
    """Return a note on what is not shown, if anything."""
    if count <= 0:
        return []
    are = plural(count, f"more {noun} is", f"more {noun}s are")
    return [Note(f"{are} not shown; --json lists all.")]
