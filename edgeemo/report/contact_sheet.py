"""Contact sheets: many small images with captions in one PNG. Pillow and numpy only."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from edgeemo.report.thumbnail import fit_image
from edgeemo.utils.files import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.report.document import Tile

_IMAGE = 192  # side of the square that an image is fitted into, in pixels
_FRAME = 4
_GAP = 16
_CELL = _IMAGE + 2 * _FRAME
_MIN_COLUMNS = 3  # width of a sheet with fewer
_TEXT_SIZE, _TITLE_SIZE = 14, 20
_LINE, _TITLE_LINE = 19, 27
_BACKGROUND, _INK = "#ffffff", "#1f2328"
_TONES = {True: "#1a7f37", False: "#cf222e", None: "#8c959f"}  # frame, by `Tile.good`
_PLAIN = {"×": "x", "–": "-", "—": "-", "ß": "ss", "ı": "i", "ø": "o", "ł": "l", "æ": "ae"}


def write_contact_sheet(tiles: Sequence[Tile], path: Path, *, columns: int, title: str) -> Path:
    """Draw tiles in rows, left to right, and write them as a PNG, whole or not at all.

    The caption and the name are below the image. A line that is too long for the tile is cut and
    ends in an ellipsis; letters that Pillow's own font lacks lose their accents, or become "?". The
    frame and the first line of a good tile are green, those of a bad one red.

    Args:
        tiles: The tiles; may be empty.
        path: The PNG to write.
        columns: Tiles per row; at least 1. A sheet with fewer tiles is narrower, but always as wide
            as three.
        title: Text above the tiles; wrapped.

    Returns:
        `path`.

    Raises:
        ValueError: If `columns` is less than 1.
    """
    if columns < 1:
        raise ValueError(f"columns must be at least 1, not {columns}")
    width = max(min(columns, len(tiles)), _MIN_COLUMNS) * (_CELL + _GAP) + _GAP
    heading = _wrap(title, _font(_TITLE_SIZE), width - 2 * _GAP)
    top = 2 * _GAP + len(heading) * _TITLE_LINE if title else _GAP
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    heights = [_row_height(row) for row in rows]
    sheet = Image.new("RGB", (width, top + sum(heights)), _BACKGROUND)
    _write_lines(sheet, heading, (_GAP, _GAP), size=_TITLE_SIZE, line=_TITLE_LINE)
    for row, height in zip(rows, heights, strict=True):
        for column, tile in enumerate(row):
            _draw_tile(sheet, tile, (_GAP + column * (_CELL + _GAP), top))
        top += height
    with replacing(path) as partial:
        sheet.save(partial, format="PNG", optimize=True)
    return path


def _row_height(row: Sequence[Tile]) -> int:
    lines = max(len(tile.lines) for tile in row)
    return _CELL + 6 + lines * _LINE + _GAP


def _draw_tile(sheet: Image.Image, tile: Tile, at: tuple[int, int]) -> None:
    left, top = at
    tone = _TONES[tile.good]
    image = fit_image(tile.image, _IMAGE)
    frame = Image.new("RGB", (image.width + 2 * _FRAME, image.height + 2 * _FRAME), tone)
    frame.paste(image, (_FRAME, _FRAME))
    sheet.paste(frame, (left, top + _CELL - frame.height))
    font = _font(_TEXT_SIZE)
    lines = [_cut(line, font, _CELL) for line in tile.lines]
    below = (left, top + _CELL + 6)
    first = tone if tile.good is not None else _INK
    _write_lines(sheet, lines, below, size=_TEXT_SIZE, line=_LINE, first=first)


def _write_lines(
    sheet: Image.Image,
    lines: Sequence[str],
    at: tuple[int, int],
    *,
    size: int,
    line: int,
    first: str = _INK,
) -> None:
    draw, font = ImageDraw.Draw(sheet), _font(size)
    for number, text in enumerate(lines):
        tone = _INK if number else first
        draw.text((at[0], at[1] + number * line), text, fill=tone, font=font)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _wrap(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    lines: list[str] = []
    for word in _drawable(text, font).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(_cut(word, font, width))
    return lines


def _cut(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """Return the text, cut with an ellipsis where it does not fit."""
    text = _drawable(text, font)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."


def _drawable(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Return the text in letters that the font has: without accents where needed, else "?"."""
    missing = bytes(font.getmask("\uffff"))
    out = ""
    for letter in text:
        if letter.isascii() or bytes(font.getmask(letter)) != missing:
            out += letter
        else:
            plain = unicodedata.normalize("NFKD", _PLAIN.get(letter, letter))
            out += plain.encode("ascii", "ignore").decode() or "?"
    return out
