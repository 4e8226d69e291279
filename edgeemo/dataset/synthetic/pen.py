"""Drawing in a coordinate system of its own, and curves. Pillow only."""

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
    """Draws on a canvas in a coordinate system of its own.

    Attributes:
        canvas: Pillow's drawing of the image.
        centre_x: Position of x = 0 in pixels.
        centre_y: Position of y = 0 in pixels.
        unit: Length of one unit in pixels.
    """

    canvas: ImageDraw.ImageDraw
    centre_x: float
    centre_y: float
    unit: float

    def _to_pixels(self, points: Sequence[Point]) -> list[Point]:
        return [(self.centre_x + x * self.unit, self.centre_y + y * self.unit) for x, y in points]

    def draw_oval(self, centre: Point, radii: Point, fill: Colour) -> None:
        """Draw a filled ellipse."""
        (x, y), (a, b) = centre, radii
        self.canvas.ellipse(self._to_pixel_box((x - a, y - b), (x + a, y + b)), fill=fill)

    def draw_ring(self, centre: Point, radii: Point, width: float, colour: Colour) -> None:
        """Draw the outline of an ellipse."""
        (x, y), (a, b) = centre, radii
        box = self._to_pixel_box((x - a, y - b), (x + a, y + b))
        self.canvas.ellipse(box, outline=colour, width=max(1, round(width * self.unit)))

    def draw_slice(
        self, centre: Point, radii: Point, degrees: tuple[float, float], fill: Colour
    ) -> None:
        """Draw the part of an ellipse cut off by the chord between two angles."""
        (x, y), (a, b) = centre, radii
        self.canvas.chord(self._to_pixel_box((x - a, y - b), (x + a, y + b)), *degrees, fill=fill)

    def draw_shape(self, points: Sequence[Point], fill: Colour) -> None:
        """Draw a filled polygon."""
        self.canvas.polygon(self._to_pixels(points), fill=fill)

    def draw_line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draw a line through points with round joints."""
        pixels = max(1, round(width * self.unit))
        self.canvas.line(self._to_pixels(points), fill=colour, width=pixels, joint="curve")

    def _to_pixel_box(self, corner: Point, opposite: Point) -> tuple[float, float, float, float]:
        (left, top), (right, bottom) = self._to_pixels([corner, opposite])
        return (left, top, right, bottom)


def make_arc(centre: Point, half_width: float, bend: float) -> list[Point]:
    """Return points of a parabola around `centre` whose vertex is `bend` below its ends."""
    return make_arc_below((centre[0], centre[1] - bend / 2), half_width, bend)


def make_arc_below(chord: Point, half_width: float, bend: float) -> list[Point]:
    """Return points of a parabola whose vertex is `bend` below the middle `chord` of its ends."""
    x, y = chord
    return [(x + half_width * t, y + bend * (1 - t * t)) for t in _ALONG]
