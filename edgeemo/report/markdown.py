"""A document as Markdown. Standard library only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeemo.report.document import (
    Bullets,
    Code,
    Gallery,
    Heading,
    Note,
    Plot,
    Steps,
    Table,
    Text,
    Timeline,
)
from edgeemo.utils.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.report.document import Block, Document

_MARKUP = re.compile(r"([\\`*<>|\[\]]|(?<!\w)_|_(?!\w))")  # "_" within a word is none
_SPACE = re.compile(r"\s+")


def to_markdown(document: Document) -> str:
    """Return a document as Markdown that is readable in a terminal; plots are linked."""
    parts = [f"# {_escape(document.title)}", f"**{_escape(document.headline)}**"]
    parts += map(_render_block, document.lead)
    if document.warnings:
        parts += [f"## {_escape(document.warnings_title)}", _render_list(document.warnings)]
    for section in document.sections:
        parts.append(f"## {_escape(section.title)}")
        parts += map(_render_block, section.blocks)
    return "\n\n".join(filter(None, parts)) + "\n"


def _render_block(block: Block) -> str:
    match block:
        case Text():
            text = "".join(map(_render_part, block.parts))
        case Note():
            text = _escape(block.text)
        case Heading():
            text = f"### {_escape(block.text)}"
        case Bullets():
            text = _render_list(block.items)
        case Steps():
            text = _render_steps(block)
        case Table():
            text = _render_table(block)
        case Plot():
            text = f"![{_escape(block.alt)}]({block.path})"
        case Gallery():
            text = _render_gallery(block)
        case Timeline():
            text = _render_timeline(block)
    return text


def _render_gallery(gallery: Gallery) -> str:
    if gallery.sheet:
        return _render_block(gallery.sheet)
    return _render_list([", ".join(tile.lines) for tile in gallery.tiles])


def _render_timeline(timeline: Timeline) -> str:
    return _render_list(
        [
            f"{title}, {strip.name}: {', '.join(each.text for each in strip.stretches)}"
            for title, strips in timeline.rows
            for strip in strips
            if not strip.is_minor
        ]
    )


def _render_list(items: Sequence[str]) -> str:
    return "\n".join(f"- {_escape(item)}" for item in items)


def _render_steps(steps: Steps) -> str:
    return "\n".join(
        f"{number}. {_escape(text)}\n\n       {escape_controls(command)}\n"
        for number, (text, command) in enumerate(steps.items, 1)
    ).rstrip("\n")


def _render_part(part: str) -> str:
    if not isinstance(part, Code):
        return _escape(part)
    fence = "`" * (1 + max(map(len, re.findall("`+", part)), default=0))
    space = " " if "`" in part else ""
    return f"{fence}{space}{escape_controls(_SPACE.sub(' ', part))}{space}{fence}"


def _render_table(table: Table) -> str:
    rows = [[_escape(cell) for cell in row] for row in table.rows]
    for number in (*table.marked, *((-1,) if table.has_total and rows else ())):
        rows[number] = [f"**{cell}**" if cell else "" for cell in rows[number]]
    numbers = len(table.head) - table.text_columns
    rule = ["---"] * table.text_columns + ["---:"] * numbers
    lines = [list(map(_escape, table.head)), rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _escape(text: str) -> str:
    """Return the text in one line, with a backslash before what Markdown takes for markup."""
    return _MARKUP.sub(r"\\\1", escape_controls(_SPACE.sub(" ", text)))
