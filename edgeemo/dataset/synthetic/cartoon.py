"""Cartoon faces, happy or sad. Pillow and numpy only.

The unit of length is half the width of the head; the head's centre is (0, 0), x points to the right
and y downwards, the chin is near y = 1.25.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PIL import Image, ImageDraw

from edgeemo.dataset.synthetic.pen import Pen, make_arc, make_arc_below

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from edgeemo.dataset.synthetic.pen import Colour, Point

Mood = Literal["happy", "sad"]

_SKINS: tuple[Colour, ...] = (
    (255, 224, 196),
    (241, 194, 150),
    (224, 172, 120),
    (198, 134, 80),
    (150, 95, 60),
    (105, 65, 42),
    (72, 45, 32),
)
_HAIRS: tuple[Colour, ...] = (
    (25, 22, 24),
    (60, 40, 28),
    (110, 70, 40),
    (160, 105, 50),
    (215, 175, 95),
    (150, 60, 35),
    (170, 170, 175),
)
_IRISES: tuple[Colour, ...] = ((60, 40, 25), (70, 100, 140), (80, 110, 60), (30, 30, 35))
_CLOTHES: tuple[Colour, ...] = ((40, 60, 110), (150, 40, 50), (60, 110, 80), (220, 220, 215))
_HAIR_STYLES = ("short", "long", "fringe", "bald", "bun", "hat")


@dataclass(frozen=True, kw_only=True)
class CartoonFace:
    """Properties of a drawn face.

    Attributes:
        mood: Expression of the face.
        strength: Strength of the expression, 0 to 1.
        opening: Opening of the mouth, 0 (closed) to 1.
        skin: Colour of the skin.
        hair: Colour of the hair.
        style: Hair style.
        iris: Colour of the eyes.
        clothes: Colour of the shoulders.
        height: Height of the head relative to its width.
        eye_size: Half the width of an eye.
        gaze: Direction of the eyes, to the side and down, each -1 to 1.
        turn: Turn of the head to the side, -1 to 1.
        glasses: Whether the face wears glasses.
        beard: Whether the face wears a beard.
        tear: Whether there is a tear, of laughing faces, too.
    """

    mood: Mood
    strength: float
    opening: float
    skin: Colour
    hair: Colour
    style: str
    iris: Colour
    clothes: Colour
    height: float
    eye_size: float
    gaze: Point
    turn: float
    glasses: bool
    beard: bool
    tear: bool


def randomize_face(rng: np.random.Generator, mood: Mood) -> CartoonFace:
    """Return a face whose properties except the mood are random."""
    return CartoonFace(
        mood=mood,
        strength=float(rng.uniform(0.45, 1)),
        opening=float(rng.uniform(0.2, 1)) if rng.random() < 0.45 else 0.0,
        skin=_vary(rng, _SKINS),
        hair=_vary(rng, _HAIRS),
        style=str(rng.choice(_HAIR_STYLES)),
        iris=_vary(rng, _IRISES),
        clothes=_vary(rng, _CLOTHES),
        height=float(rng.uniform(1.1, 1.4)),
        eye_size=float(rng.uniform(0.15, 0.23)),
        gaze=(float(rng.uniform(-1, 1)), float(rng.uniform(-0.6, 0.8))),
        turn=float(rng.uniform(-0.7, 0.7)),
        glasses=bool(rng.random() < 0.25),
        beard=bool(rng.random() < 0.15),
        tear=bool(rng.random() < (0.25 if mood == "sad" else 0.05)),
    )


def draw_face(face: CartoonFace, size: int) -> Image.Image:
    """Draw an upright face on a transparent background.

    Args:
        face: The face.
        size: Side of the image in pixels; the head is about half as wide.

    Returns:
        An RGBA image of (size, size).
    """
    image = Image.new("RGBA", (size, size))
    pen = Pen(ImageDraw.Draw(image), size / 2, size * 0.48, size * 0.25)
    _draw_shoulders(pen, face)
    _draw_head(pen, face)
    for side in (-1, 1):
        _draw_eye(pen, face, side)
        _draw_brow(pen, face, side)
    _draw_nose(pen, face)
    _draw_mouth(pen, face)
    _draw_extras(pen, face)
    return image


def _draw_shoulders(pen: Pen, face: CartoonFace) -> None:
    chin = face.height
    if face.style == "long":
        pen.draw_oval((0, 0.25), (1.28, face.height * 1.15), face.hair)
    if face.style == "bun":
        pen.draw_oval((0, -face.height - 0.15), (0.45, 0.4), face.hair)
    pen.draw_shape(
        [(-0.42, chin - 0.4), (0.42, chin - 0.4), (0.5, 2.2), (-0.5, 2.2)], _shade(face, 0.8)
    )
    pen.draw_oval((0, chin + 1.05), (1.75, 0.9), face.clothes)
    pen.draw_shape([(-1.75, chin + 1.0), (1.75, chin + 1.0), (1.75, 3), (-1.75, 3)], face.clothes)


def _draw_head(pen: Pen, face: CartoonFace) -> None:
    for side in (-1, 1):
        pen.draw_oval((side * 1.0, 0.05), (0.17, 0.27), _shade(face, 0.88))
    if face.style != "bald":
        pen.draw_slice((0, -0.05), (1.1, face.height * 1.04), (180, 360), face.hair)
    pen.draw_oval((0, 0), (1, face.height), face.skin)
    if face.style in ("short", "long", "bun"):
        pen.draw_slice((0, -0.05), (1.02, face.height), (212, 328), face.hair)
    if face.style == "fringe":
        pen.draw_slice((0, -0.02), (1.06, face.height), (205, 335), face.hair)
    if face.style == "hat":
        pen.draw_slice((0, -0.2), (1.15, face.height), (198, 342), face.clothes)
        pen.draw_shape([(-1.35, -0.7), (1.35, -0.7), (1.35, -0.56), (-1.35, -0.56)], face.clothes)
    if face.beard:
        pen.draw_slice((0, 0), (0.99, face.height), (33, 147), face.hair)


def _draw_eye(pen: Pen, face: CartoonFace, side: int) -> None:
    x, y = side * 0.42 + face.turn * 0.14, -0.12
    squint = 0.45 if face.mood == "happy" else 0.25
    tall = face.eye_size * (0.85 - squint * face.strength)
    pen.draw_oval((x, y), (face.eye_size, tall), (246, 244, 240))
    pupil_x = x + face.gaze[0] * face.eye_size * 0.4
    pupil_y = y + face.gaze[1] * tall * 0.3
    radius = min(tall, face.eye_size * 0.62)
    pen.draw_oval((pupil_x, pupil_y), (radius, radius), face.iris)
    pen.draw_oval((pupil_x, pupil_y), (radius * 0.5, radius * 0.5), (10, 10, 12))
    pen.draw_line(make_arc((x, y), face.eye_size * 1.1, -tall), 0.05, _shade(face, 0.35))


def _draw_brow(pen: Pen, face: CartoonFace, side: int) -> None:
    x, y = side * 0.42 + face.turn * 0.14, -0.12 - face.eye_size * 1.9
    inner_rise = -0.18 * face.strength if face.mood == "sad" else 0.05
    outer_rise = 0.08 * face.strength if face.mood == "sad" else 0.0
    reach = 0.27
    points = [(x - side * reach, y + inner_rise), (x, y - 0.06), (x + side * reach, y + outer_rise)]
    colour = face.hair if face.style != "bald" else _shade(face, 0.4)
    pen.draw_line(points, 0.09, _darker(colour, 0.8))


def _draw_nose(pen: Pen, face: CartoonFace) -> None:
    x = face.turn * 0.2
    pen.draw_line(
        [(x, 0.0), (x + 0.12 * (face.turn or 1), 0.33), (x - 0.05, 0.36)], 0.06, _shade(face, 0.7)
    )


def _draw_mouth(pen: Pen, face: CartoonFace) -> None:
    """Draw the mouth, open or closed, its corners up for happy and down for sad faces."""
    laughs = face.mood == "happy"
    centre = (face.turn * 0.17, 0.72)
    width = 0.36 + (0.14 if laughs else -0.02) * face.strength
    bend = (0.12 + 0.26 * face.strength) * (1 if laughs else -1)
    if not face.opening:
        pen.draw_line(make_arc(centre, width, bend), 0.1, _shade(face, 0.5))
        return
    corners = (centre[0], centre[1] - bend / 2)
    upper = make_arc_below(corners, width, bend * (0.25 if laughs else 1))
    lower = make_arc_below(
        corners, width, bend + 0.25 * face.opening if laughs else 0.2 * face.opening
    )
    pen.draw_shape([*upper, *reversed(lower)], (70, 15, 20))
    if laughs or face.strength > 0.7:
        pen.draw_shape([*upper[3:-3], *((x, y + 0.08) for x, y in upper[-4:2:-1])], (245, 242, 235))
    pen.draw_line([*upper, *reversed(lower), upper[0]], 0.06, _shade(face, 0.5))


def _draw_extras(pen: Pen, face: CartoonFace) -> None:
    if face.mood == "happy" and face.strength > 0.6:
        for side in (-1, 1):
            x = side * 0.62 + face.turn * 0.1
            pen.draw_line(make_arc((x, 0.48), 0.1, -0.05), 0.04, _shade(face, 0.8))
    if face.tear:
        pen.draw_oval((0.5 + face.turn * 0.14, 0.25), (0.06, 0.13), (190, 220, 245))
    if face.glasses:
        for side in (-1, 1):
            centre = (side * 0.42 + face.turn * 0.14, -0.1)
            pen.draw_ring(centre, (0.32, 0.27), 0.06, (30, 30, 35))
        middle = face.turn * 0.14
        pen.draw_line([(middle - 0.1, -0.12), (middle + 0.1, -0.12)], 0.06, (30, 30, 35))


def _vary(rng: np.random.Generator, palette: Sequence[Colour]) -> Colour:
    base = palette[int(rng.integers(len(palette)))]
    red, green, blue = (min(255, max(0, part + int(rng.integers(-12, 13)))) for part in base)
    return (red, green, blue)


def _shade(face: CartoonFace, factor: float) -> Colour:
    return _darker(face.skin, factor)


def _darker(colour: Colour, factor: float) -> Colour:
    red, green, blue = (int(part * factor) for part in colour)
    return (red, green, blue)
