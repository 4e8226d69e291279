"""A pen that draws in units of its own, and the curves it needs. Pillow only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import ImageDraw

Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float]

_ALONG = [step / 8 - 1 for step in range(17)]


@dataclass(frozen=True)
class Pen:
    """Draws on a canvas in units of its own.

    Attributes:
        canvas: What is drawn on.
        centre_x: Where x = 0 lies, in pixels.
        centre_y: Where y = 0 lies, in pixels.
        unit: Length of one unit in pixels.
    """

    canvas: ImageDraw.ImageDraw
    centre_x: float
    centre_y: float
    unit: float

    def _place(self, points: Sequence[Point]) -> list[Point]:
        return [(self.centre_x + x * self.unit, self.centre_y + y * self.unit) for x, y in points]

    def oval(self, centre: Point, radii: Point, fill: Colour) -> None:
        """A filled ellipse."""
        (x, y), (a, b) = centre, radii
        self.canvas.ellipse(self._box((x - a, y - b), (x + a, y + b)), fill=fill)

    def ring(self, centre: Point, radii: Point, width: float, colour: Colour) -> None:
        """An ellipse's outline."""
        (x, y), (a, b) = centre, radii
        box = self._box((x - a, y - b), (x + a, y + b))
        self.canvas.ellipse(box, outline=colour, width=max(1, round(width * self.unit)))

    def slice(
        self, centre: Point, radii: Point, degrees: tuple[float, float], fill: Colour
    ) -> None:
        """The part of an oval cut off by the chord between two angles."""
        (x, y), (a, b) = centre, radii
        self.canvas.chord(self._box((x - a, y - b), (x + a, y + b)), *degrees, fill=fill)

    def shape(self, points: Sequence[Point], fill: Colour) -> None:
        """A filled polygon."""
        self.canvas.polygon(self._place(points), fill=fill)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A line through points, rounded where it bends."""
        pixels = max(1, round(width * self.unit))
        self.canvas.line(self._place(points), fill=colour, width=pixels, joint="curve")

    def _box(self, corner: Point, opposite: Point) -> tuple[float, float, float, float]:
        (left, top), (right, bottom) = self._place([corner, opposite])
        return (left, top, right, bottom)


def arc(centre: Point, half_width: float, bend: float) -> list[Point]:
    """A parabola about `centre`, its middle `bend` below its ends."""
    return arc_below((centre[0], centre[1] - bend / 2), half_width, bend)


def arc_below(chord: Point, half_width: float, bend: float) -> list[Point]:
    """A parabola whose ends lie beside `chord`, its middle `bend` below it."""
    x, y = chord
    return [(x + half_width * t, y + bend * (1 - t * t)) for t in _ALONG]
