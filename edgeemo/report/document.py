"""A page as data, rendered as Markdown here and as HTML by `edgeemo.report.html`.

Text is a `Text` of plain strings and `Code`. Nothing in a string is markup: each rendering escapes
what would be. Standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

_MARKUP = re.compile(r"([\\`*<>|\[\]])")
_SPACE = re.compile(r"\s+")


class Code(str):
    """A name of a file, a command or a value, set in fixed width."""

    __slots__ = ()


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes:
        parts: Plain strings and `Code`, one after the other.
    """

    parts: tuple[str, ...]

    def __init__(self, *parts: str) -> None:
        object.__setattr__(self, "parts", parts)


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        head: Headings.
        rows: Cells; each row as long as `head`.
        words: So many columns, from the left, are text; the others are numbers.
        total: Whether the last row is a sum.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    total: bool = False


@dataclass(frozen=True)
class Plot:
    """A drawn image.

    Attributes:
        path: Relative to the folder of the document.
        alt: What it shows, for those who don't see it.
    """

    path: str
    alt: str


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One small image of a `Gallery` or a contact sheet.

    Attributes:
        image: A Pillow image, or an (H, W, C) uint8 array, C being 1 (grey) or 3 (RGB).
        caption: Text below the image; several lines with a line feed between them.
        name: Of its file; may be empty.
        good: True is drawn green, False red, None neutral.
    """

    image: Image.Image | NDArray[np.uint8]
    caption: str
    name: str = ""
    good: bool | None = None

    @property
    def lines(self) -> list[str]:
        """The lines of text below it."""
        return self.caption.splitlines() + ([self.name] if self.name else [])


@dataclass(frozen=True)
class Gallery:
    """Small images side by side.

    Attributes:
        tiles: What to show.
        sheet: The contact sheet of the same images, which Markdown shows instead.
    """

    tiles: Sequence[Tile]
    sheet: Plot


Block = Text | Table | Plot | Gallery


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole page.

    Attributes:
        title: Its name.
        headline: The one sentence to take home.
        lead: Paragraphs around it.
        warnings: What to mind, one sentence or a few each; may be none.
        sections: The rest.
    """

    title: str
    headline: str
    lead: Sequence[Text]
    warnings: Sequence[str]
    sections: Sequence[Section]


def to_markdown(document: Document) -> str:
    """The document as Markdown, readable in a terminal; plots are referred to, not held."""
    parts = [f"# {_escaped(document.title)}", f"**{_escaped(document.headline)}**"]
    parts += [_block(text) for text in document.lead]
    if document.warnings:
        parts += ["## Mind", "\n".join(f"- {_escaped(warning)}" for warning in document.warnings)]
    for section in document.sections:
        parts.append(f"## {_escaped(section.title)}")
        parts += [_block(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Text):
        return "".join(map(_inline, block.parts))
    if isinstance(block, Table):
        return _table(block)
    plot = block.sheet if isinstance(block, Gallery) else block
    return f"![{_escaped(plot.alt)}]({plot.path})"


def _inline(part: str) -> str:
    if not isinstance(part, Code):
        return _escaped(part)
    fence = "`" * (1 + max(map(len, re.findall("`+", part)), default=0))
    space = " " if "`" in part else ""
    return f"{fence}{space}{_SPACE.sub(' ', part)}{space}{fence}"


def _escaped(text: str) -> str:
    """The text with a backslash before what Markdown would take for markup, in one line."""
    return _MARKUP.sub(r"\\\1", _SPACE.sub(" ", text))


def _table(table: Table) -> str:
    rows = [[_escaped(cell) for cell in row] for row in table.rows]
    if table.total and rows:
        rows[-1] = [f"**{cell}**" if cell else "" for cell in rows[-1]]
    rule = ["---"] * table.words + ["---:"] * (len(table.head) - table.words)
    lines = [list(map(_escaped, table.head)), rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
