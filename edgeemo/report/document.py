"""A report page as data, written as Markdown or HTML.

Text is a `Text` of plain strings and `Code`. Nothing in a string is markup: `to_markdown` and
`edgeemo.report.html.to_html` escape it. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image


class Code(str):
    """A file name, command or value, set in fixed width."""

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
class Note:
    """A remark in small print."""

    text: str


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences or words."""

    items: Sequence[str]


@dataclass(frozen=True)
class Steps:
    """A numbered list of sentences, each with the command that follows from it.

    Attributes:
        items: Sentences and command of each step.
    """

    items: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        head: Headings of the columns.
        rows: Cells; each row is as long as `head`.
        text_columns: Number of columns of text, from the left; the others hold numbers.
        has_total: Whether the last row is a sum.
        marked: Numbers of the rows that catch the eye.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: int = 1
    has_total: bool = False
    marked: Sequence[int] = ()


@dataclass(frozen=True)
class Plot:
    """An image file.

    Attributes:
        path: Path relative to the folder of the document.
        alt: Description for those who cannot see it.
        shows_photos: Whether it is made of photos, which have no dark form.
    """

    path: str
    alt: str
    shows_photos: bool = False


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One small image of a `Gallery` or a contact sheet.

    Attributes:
        image: A Pillow image, an (H, W, C) uint8 array with C of 1 (grey) or 3 (RGB), or the bytes
            of a JPEG or PNG file, which pages hold as they are.
        caption: Text below the image; several lines with a line feed between them.
        name: File name of the image; may be empty.
        good: True is drawn green, False red, None neutral.
    """

    image: Image.Image | NDArray[np.uint8] | bytes
    caption: str = ""
    name: str = ""
    good: bool | None = None

    @property
    def lines(self) -> list[str]:
        """Return the lines of text below the image."""
        return self.caption.splitlines() + ([self.name] if self.name else [])


@dataclass(frozen=True)
class Gallery:
    """Small images side by side.

    Attributes:
        tiles: The images.
        sheet: Contact sheet of the same images for Markdown, which otherwise lists the captions.
    """

    tiles: Sequence[Tile]
    sheet: Plot | None = None


@dataclass(frozen=True)
class Stretch:
    """A stretch of a time line.

    Attributes:
        start: Its beginning, 0 to 1 of the whole time.
        end: Its end, likewise.
        label: Number of its label in `Timeline.labels`.
        text: Description for a pointer that rests on it.
    """

    start: float
    end: float
    label: int
    text: str


@dataclass(frozen=True)
class Strip:
    """A line of stretches.

    Attributes:
        name: Its name.
        stretches: The stretches.
        is_minor: Whether it is less important than its neighbours.
    """

    name: str
    stretches: Sequence[Stretch]
    is_minor: bool = False


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Labels over time.

    Attributes:
        labels: Names of the labels.
        rows: Title and strips of each row.
        ticks: Times along it: 0 to 1, and the text.
    """

    labels: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Strip]]]
    ticks: Sequence[tuple[float, str]]


Block = Text | Note | Heading | Bullets | Steps | Table | Plot | Gallery | Timeline


@dataclass(frozen=True)
class Section:
    """A heading and the blocks below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, kw_only=True)
class Document:
    """A page.

    Attributes:
        title: Title of the page.
        headline: The most important sentence.
        lead: Paragraphs below the headline.
        warnings: Sentences in a box that catches the eye; may be empty.
        warnings_title: Heading of that box.
        sections: The rest of the page.
    """

    title: str
    headline: str
    lead: Sequence[Text] = ()
    warnings: Sequence[str] = ()
    warnings_title: str = "Warnings"
    sections: Sequence[Section]
