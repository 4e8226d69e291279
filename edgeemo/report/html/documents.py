"""An `edgeemo.report.document.Document` as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image

from edgeemo.report.document import Code, Gallery, Plot, Table, Text
from edgeemo.report.html.images import figure, thumbnail
from edgeemo.report.html.page import render

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.report.document import Block, Document, Tile

_SIDE = 160  # of a thumbnail, in pixels: sharp enough on a phone, where it is shown half as large


def from_document(document: Document, *, folder: Path) -> str:
    """The document as an HTML page that holds its images.

    Args:
        document: What to say.
        folder: Where its plots lie.

    Raises:
        MissingExtraError: If Jinja2 is not installed.
        FileNotFoundError: If a plot is missing.
    """
    return render(
        "document.html",
        title=document.title,
        headline=document.headline,
        lead=[_parts(text) for text in document.lead],
        warnings=document.warnings,
        sections=[
            {
                "title": section.title,
                "blocks": [_block(block, folder) for block in section.blocks],
            }
            for section in document.sections
        ],
    )


def _block(block: Block, folder: Path) -> dict[str, Any]:
    """What the template shows of one block."""
    match block:
        case Text():
            return {"kind": "text", "parts": _parts(block)}
        case Table():
            return {"kind": "table", **vars(block)}
        case Plot():
            return {"kind": "plot", **_plot(block, folder)}
        case Gallery():
            return {"kind": "gallery", "tiles": [_tile(tile) for tile in block.tiles]}


def _parts(text: Text) -> list[tuple[str, str]]:
    return [("code" if isinstance(part, Code) else "plain", part) for part in text.parts]


def _plot(plot: Plot, folder: Path) -> dict[str, Any]:
    path = folder / plot.path
    with Image.open(path) as image:
        width, height = image.size
    return {"source": figure(path), "alt": plot.alt, "width": width, "height": height}


def _tile(tile: Tile) -> dict[str, Any]:
    return {
        "source": thumbnail(tile.image, _SIDE),
        "lines": tile.caption.splitlines(),
        "name": tile.name,
        "good": tile.good,
    }
