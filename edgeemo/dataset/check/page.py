"""A check as a page: every group and every suspect to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.errors import ImageError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.preprocess import decode
from edgeemo.model.spec import InputSpec
from edgeemo.report.html import render, thumbnail
from edgeemo.utils.text import join_and

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from edgeemo.dataset.check.groups import DuplicateGroup
    from edgeemo.dataset.check.report import CheckReport
    from edgeemo.utils.progress import Progress

MAX_BYTES = 15 * 2**20
"""Most that the thumbnails of a page may take together."""

_SIDE = 96  # of a thumbnail, in pixels
_SEEN = InputSpec(height=_SIDE, width=_SIDE, channels=3)
_GROUPS, _PER_GROUP, _SUSPECTS, _ROWS = 200, 12, 160, 200  # most that are shown


def check_page(checked: CheckReport, *, title: str, folder: Path, progress: Progress) -> str:
    """The check as an HTML page that holds its thumbnails.

    Args:
        checked: What to show.
        title: What to call the folder.
        folder: Where the images lie.
        progress: Who is told that thumbnails are made.

    Raises:
        MissingExtraError: If Jinja2 is not installed.
    """
    progress.stage("Making the page")
    tiles = _Tiles(folder)
    return render(
        "data_check.html",
        title=f"{title}: what is in it",
        check=checked,
        sections=[section for section in _sections(checked, tiles) if section["blocks"]],
    )


class _Tiles:
    """Makes thumbnails until the page holds enough of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left = MAX_BYTES

    def many(
        self, shown: Iterable[tuple[str, Sequence[str]]], *, at_most: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Tiles for paths with lines of text, and how many there was no room for."""
        shown = list(shown)
        tiles = []
        for path, lines in shown[:at_most]:
            source = self._source(path)
            if source is None:
                break
            tiles.append({"source": source, "alt": "", "lines": lines, "name": path, "good": None})
        return tiles, len(shown) - len(tiles)

    def _source(self, path: str) -> str | None:
        if self._left <= 0:
            return None
        try:
            with open_image((self._folder / path).read_bytes()) as opened:
                image = decode(opened, _SEEN)
        except (OSError, ImageError):
            return "data:,"  # it was there a moment ago; the page says the rest
        source = thumbnail(image, _SIDE)
        self._left -= len(source)
        return source


def _sections(checked: CheckReport, tiles: _Tiles) -> Iterator[dict[str, Any]]:
    across = [group for group in checked.alike if group.across_classes]
    leaking = [g for g in checked.alike if g.across_splits and not g.across_classes]
    others = [g for g in checked.alike if not g.across_splits and not g.across_classes]
    yield _groups(
        "Alike in more than one class",
        "Where two are one and the same image, at most one label is right, and training leaves "
        "both out. A group is a chain, each nearly the same as another of it: frames of a film may "
        "rightly change class on the way.",
        across,
        tiles,
    )
    yield _groups(
        "Alike in more than one split",
        "A network that has seen one of them has seen the others: such a test proves nothing.",
        leaking,
        tiles,
    )
    yield _suspects(checked, tiles)
    yield _groups(
        "Copies and near-duplicates",
        "Of the same bytes one is kept. Near-duplicates are all kept, in one split.",
        others,
        tiles,
    )
    odd = [(row.path, [row.reason, row.detail]) for row in (*checked.odd, *checked.disguised)]
    yield _gallery("Odd and disguised", "Usable, but look at them.", odd, tiles)
    faceless = checked.faces.none if checked.faces else ()
    no_face: list[tuple[str, list[str]]] = [(path, []) for path in faceless]
    text = "The detector misses faces in profile, in the dark and at the edge."
    yield _gallery("No face found", text, no_face, tiles)
    yield _unusable(checked)


def _groups(
    title: str, text: str, groups: Sequence[DuplicateGroup], tiles: _Tiles
) -> dict[str, Any]:
    blocks = []
    for group in groups[:_GROUPS]:
        images, more = tiles.many(((path, []) for path in group.paths), at_most=_PER_GROUP)
        if not images:
            break
        blocks.append({"kind": "gallery", "head": _caption(group), "tiles": images, "more": more})
    return {"title": title, "text": text, "blocks": blocks, "more": len(groups) - len(blocks)}


def _caption(group: DuplicateGroup) -> str:
    parts = [
        f"{len(group.paths):,} images",
        "the same bytes" if group.identical else "nearly the same",
        join_and(group.labels),
        join_and(group.splits),
    ]
    return ", ".join(part for part in parts if part)


def _suspects(checked: CheckReport, tiles: _Tiles) -> dict[str, Any]:
    shown = [
        (one.path, [f"labelled {one.label}", f"looks {one.suggested}, {one.confidence:.2f}"])
        for one in checked.mislabels.suspects
    ]
    text = (
        "A suspicion: a simple classifier that was not shown the image contradicts its label. "
        f"It is right on {checked.mislabels.accuracy or 0:.0%} of the images, so many of these "
        "are labelled well. The strongest contradiction comes first."
    )
    return _gallery("Labels in doubt", text, shown, tiles)


def _gallery(
    title: str, text: str, shown: Sequence[tuple[str, Sequence[str]]], tiles: _Tiles
) -> dict[str, Any]:
    images, more = tiles.many(shown, at_most=_SUSPECTS)
    block = {"kind": "gallery", "head": "", "tiles": images, "more": more}
    return {"title": title, "text": text, "blocks": [block] if shown else [], "more": 0}


def _unusable(checked: CheckReport) -> dict[str, Any]:
    rows = [[row.path, row.reason, row.detail] for row in checked.unusable]
    block = {"kind": "table", "rows": rows[:_ROWS], "more": max(len(rows) - _ROWS, 0)}
    text = "Training sets them aside."
    return {"title": "Unusable", "text": text, "blocks": [block] if rows else [], "more": 0}
