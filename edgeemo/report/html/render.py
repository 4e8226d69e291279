"""From a document to a page of HTML."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from edgeemo.errors import MissingExtraError
from edgeemo.report.document import Code, Gallery, Plot, Text
from edgeemo.report.html.images import embed_plot, embed_thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from edgeemo.report.document import Block, Document, Tile

_SIDE = 160  # of a thumbnail, in pixels: sharp enough on a phone, where it is shown half as large
_UNPRINTABLE = re.compile(
    "[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]"
)


def to_html(document: Document, *, folder: Path | None = None) -> str:
    """Return a document as an HTML page that opens from a file, without internet.

    All text is escaped, so labels and file names may hold anything. What cannot be written as
    UTF-8, such as a byte of a file name that is not text, becomes U+FFFD, as does a control
    character or what turns the direction of writing.

    Args:
        document: The content of the page.
        folder: Folder of its plots; by default the working folder.

    Raises:
        MissingExtraError: If Jinja2 is not installed.
        FileNotFoundError: If a plot is missing.
    """
    folder = folder or Path()
    context = {field.name: getattr(document, field.name) for field in fields(document)}
    context["lead"] = _render_blocks(document.lead, folder)
    context["sections"] = [
        {"title": section.title, "blocks": _render_blocks(section.blocks, folder)}
        for section in document.sections
    ]
    page = _make_environment().get_template("page.html").render(context)
    return _UNPRINTABLE.sub("\ufffd", page)


def check_installed() -> None:
    """Check that a page can be made.

    Raises:
        MissingExtraError: If Jinja2 is not installed.
    """
    _make_environment()


def _render_blocks(blocks: Sequence[Block], folder: Path) -> list[dict[str, Any]]:
    return [
        {"kind": type(block).__name__.lower(), **_render_block(block, folder)} for block in blocks
    ]


def _render_block(block: Block, folder: Path) -> dict[str, Any]:
    """Return the variables of the macro of the same name in the template."""
    match block:
        case Text():
            return {"parts": [(isinstance(part, Code), part) for part in block.parts]}
        case Plot():
            return _render_plot(block, folder)
        case Gallery():
            return {"tiles": [_render_tile(tile) for tile in block.tiles]}
        case _:
            return vars(block)


def _render_plot(plot: Plot, folder: Path) -> dict[str, Any]:
    path = folder / plot.path
    with Image.open(path) as image:
        width, height = image.size
    return {
        "source": embed_plot(path),
        "alt": plot.alt,
        "width": width,
        "height": height,
        "is_drawn": not plot.shows_photos,
    }


def _render_tile(tile: Tile) -> dict[str, Any]:
    return {
        "source": embed_thumbnail(tile.image, _SIDE),
        "alt": f"Image: {', '.join(tile.caption.splitlines()) or tile.name}",
        "lines": tile.caption.splitlines(),
        "name": tile.name,
        "good": tile.good,
    }


@cache
def _make_environment() -> Environment:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise MissingExtraError("jinja2", extra="data", purpose="writing an HTML page") from None
    return Environment(
        loader=PackageLoader("edgeemo.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
