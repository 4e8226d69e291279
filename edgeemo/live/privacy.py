"""Privacy: rectangles that nothing sees, faces that leave as blocks, no image at all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from edgeemo.errors import OptionError
from edgeemo.live.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from edgeemo.imaging.faces import Face
    from edgeemo.live.frame import FramePixels
    from edgeemo.live.options import LiveOptions
    from edgeemo.live.sources.base import FrameStream, Source
    from edgeemo.model.input_spec import InputSpec

_BLACK: dict[str, int | tuple[int, int, int]] = {"L": 0, "RGB": (0, 0, 0)}
_BLOCKS = 6
"""Blocks across a pixelated face: too few to tell whose it is."""
_BEYOND = 0.4
"""Share of a face's side by which the blocks reach beyond its box, over hair, ears and chin."""


class Rectangle(NamedTuple):
    """A rectangle in pixels of the whole, upright frame, beyond which it may reach."""

    left: int
    top: int
    width: int
    height: int

    def scale(self, across: float, down: float, *, outwards: bool) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom (the last column and row) in a scaled frame.

        Args:
            across: Width of the scaled frame by that of the whole one.
            down: As `across`, of the height.
            outwards: Whether a pixel that lies in it in part belongs to it.
        """
        low, high = (math.floor, math.ceil) if outwards else (math.ceil, math.floor)
        return (
            low(self.left * across),
            low(self.top * down),
            high((self.left + self.width) * across) - 1,
            high((self.top + self.height) * down) - 1,
        )


class Mask(NamedTuple):
    """The parts of a frame that are black before anything sees them.

    Attributes:
        hidden: Rectangles that are black.
        shown: Rectangles outside of which all is black; empty for no such limit.
    """

    hidden: tuple[Rectangle, ...] = ()
    shown: tuple[Rectangle, ...] = ()

    def apply(self, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        """Return a copy of an image of a frame with those parts black.

        Args:
            image: Mode "RGB" or "L", perhaps at a reduced scale.
            size: Width and height of the whole frame.
        """
        across, down = image.width / size[0], image.height / size[1]
        if self.shown:
            covered = Image.new(image.mode, image.size)
            for each in self.shown:
                left, top, right, bottom = each.scale(across, down, outwards=False)
                box = (max(0, left), max(0, top), right + 1, bottom + 1)
                if box[0] < box[2] and box[1] < box[3]:
                    covered.paste(image.crop(box), box[:2])
        else:
            covered = image.copy()
        for each in self.hidden:
            left, top, right, bottom = each.scale(across, down, outwards=True)
            box = (left, top, min(right + 1, image.width), min(bottom + 1, image.height))
            if box[0] < box[2] and box[1] < box[3]:
                covered.paste(_BLACK[image.mode], box)
        return covered


def parse_mask(hidden: Sequence[str], shown: Sequence[str]) -> Mask | None:
    """Return the mask of the options --mask and --region; None without any.

    Args:
        hidden: Values of --mask, "X,Y,W,H" in pixels.
        shown: Values of --region.

    Raises:
        OptionError: If a value is none.
    """
    mask = Mask(
        tuple(_parse(each, "--mask") for each in hidden),
        tuple(_parse(each, "--region") for each in shown),
    )
    return mask if any(mask) else None


def mask_source(source: Source, options: LiveOptions) -> Source:
    """Return a source whose frames the options --mask and --region cover.

    Args:
        source: The source.
        options: The options.

    Raises:
        OptionError: If a value is no rectangle.
    """
    mask = parse_mask(options.mask, options.region)
    return MaskedSource(source, mask) if mask else source


def _parse(text: str, flag: str) -> Rectangle:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != len(Rectangle._fields):
        raise OptionError(f"{flag} takes X,Y,W,H in pixels, such as 0,0,200,480, not {text!r}")
    found = Rectangle(*numbers)
    if min(found.width, found.height) < 1 or min(found.left, found.top) < 0:
        raise OptionError(
            f"{flag} {text}: X and Y must be at least 0, and W and H at least 1 pixel"
        )
    return found


class MaskedPixels:
    """Pixels of a frame of which a part is black; nobody gets at the others.

    Args:
        pixels: The frame's pixels.
        mask: The mask.
    """

    jpeg = None

    def __init__(self, pixels: FramePixels, mask: Mask) -> None:
        self._pixels, self._mask = pixels, mask

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels, upright."""
        return self._pixels.size

    def decode(self, spec: InputSpec | None = None) -> Image.Image:
        """See `edgeemo.live.frame.FramePixels.decode`."""
        return self._mask.apply(self._pixels.decode(spec), self.size)

    def luma(self) -> NDArray[np.uint8]:
        """See `edgeemo.live.frame.FramePixels.luma`."""
        image = Image.fromarray(np.ascontiguousarray(self._pixels.luma()))
        return np.asarray(self._mask.apply(image, self.size))


class MaskedSource:
    """A source whose frames are masked before anything else sees them.

    Args:
        source: The source.
        mask: The mask.
    """

    def __init__(self, source: Source, mask: Mask) -> None:
        self._source, self._mask = source, mask
        self.name = source.name
        self.is_live = source.is_live
        self.is_device = source.is_device
        self.can_reopen = source.can_reopen

    def open(self) -> FrameStream:
        """See `edgeemo.live.sources.base.Source.open`."""
        stream = self._source.open()
        self.name = self._source.name  # a source may learn it when it is opened
        return _MaskedStream(stream, self._mask)


class _MaskedStream:
    def __init__(self, stream: FrameStream, mask: Mask) -> None:
        self._stream, self._mask = stream, mask

    def read(self) -> Frame | None:
        frame = self._stream.read()
        if frame is None:
            return None
        return Frame(
            number=frame.number,
            time_s=frame.time_s,
            pixels=MaskedPixels(frame.pixels, self._mask),
            name=frame.name,
        )

    def close(self) -> None:
        self._stream.close()


def pixelate_faces(image: Image.Image, faces: Iterable[Face]) -> None:
    """Replace faces by a few blocks of colour each, in the image itself.

    Args:
        image: Mode "RGB".
        faces: The faces, in this image's pixels.
    """
    for face in faces:
        beyond = round(face.side * _BEYOND)
        left, top = max(0, face.left - beyond), max(0, face.top - beyond)
        right = min(image.width, face.left + face.side + beyond)
        bottom = min(image.height, face.top + face.side + beyond)
        if left >= right or top >= bottom:
            continue
        part = image.crop((left, top, right, bottom))
        blocks = part.resize((_BLOCKS, _BLOCKS), Image.Resampling.BOX)
        image.paste(blocks.resize(part.size, Image.Resampling.NEAREST), (left, top))
