"""A face's bounding box, the detectors' protocol, and the crop of a face.

What a detector returns is not trusted: faces outside the image are dropped, and a crop is never
larger than the image needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from PIL import Image

from edgeemo.errors import ImageError, ImageTooLargeError
from edgeemo.imaging.decode import stretch

if TYPE_CHECKING:
    from edgeemo.model.input_spec import InputSpec

MAX_CROP_PIXELS = 5000**2
"""Pixels of the largest crop of a face that is made as a whole."""

_BAND_PIXELS = 1 << 21
_MAX_SIDE = 16  # of a face, times the image's longer side


class Face(NamedTuple):
    """A face's bounding box, in pixels of the image, beyond which it may reach.

    The box is a square from above the brows to the chin, as FER2013 crops faces, for every
    detector.

    Attributes:
        left: Distance from the image's left edge.
        top: Distance from the image's upper edge.
        side: Width and height of the box.
    """

    left: int
    top: int
    side: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Return left, top, width and height, in pixels."""
        return self.left, self.top, self.side, self.side

    @property
    def text(self) -> str:
        """Return the box as an X geometry: "96x96+12+30"."""
        return f"{self.side}x{self.side}{self.left:+}{self.top:+}"

    def scale(self, factor: float) -> Face:
        """Return the same face in an image that is `factor` times as large."""
        return Face(
            round(self.left * factor), round(self.top * factor), max(1, round(self.side * factor))
        )


class FaceDetector(Protocol):
    """A face detector, which several threads may use at the same time."""

    def detect(self, image: Image.Image) -> tuple[Face, ...]:
        """Return the faces in an image, the largest first.

        Args:
            image: Upright, mode "RGB".
        """


def sort_by_size(faces: list[Face]) -> tuple[Face, ...]:
    """Sort faces by size, the largest first; of equals the leftmost, then the uppermost, first."""
    return tuple(sorted(faces, key=lambda face: (-face.side, face.left, face.top)))


def detect_faces(
    detector: FaceDetector, image: Image.Image, *, name: str = "image"
) -> tuple[Face, ...]:
    """Detect the faces in an image; whatever goes wrong is the image's error.

    Args:
        detector: The face detector.
        image: Upright, mode "RGB".
        name: Name of the image in an error message.

    Returns:
        The faces of which some part lies in the image, the largest first.

    Raises:
        ImageError: If the detector fails.
    """
    try:
        found = detector.detect(image)
    except ImageError as error:
        raise type(error)(f"{name}: {str(error).removeprefix('image: ')}") from None
    except Exception as error:  # detectors raise their own kinds
        from edgeemo.utils.text import one_line

        reason = one_line(error) or type(error).__name__
        raise ImageError(f"{name}: finding faces failed: {reason}") from None
    return tuple(face for face in found if is_inside(face, image.size))


def is_inside(face: Face, size: tuple[int, int]) -> bool:
    """Return whether some part of a face lies in an image, and it is not far larger than that."""
    return (
        face.left < size[0]
        and face.top < size[1]
        and face.left + face.side > 0
        and face.top + face.side > 0
        and face.side <= _MAX_SIDE * max(size)
    )


def crop_face(image: Image.Image, face: Face, spec: InputSpec) -> Image.Image:
    """Crop a face and its margin, as large as they are in the image.

    Args:
        image: Upright, mode "RGB".
        face: In this image's pixels.
        spec: The margin and the channels.

    Returns:
        A square of mode "L" or "RGB". Where it reaches beyond the image, it is filled with the
        image's outermost pixels.

    Raises:
        ImageTooLargeError: If it has more than `MAX_CROP_PIXELS` pixels; see `stretch_face`.
    """
    place = _Place(face, image.size, spec)
    if place.side**2 > MAX_CROP_PIXELS:
        raise ImageTooLargeError(f"image: a face of {place.side:,} pixels is too large to crop")
    inside = image.crop((*place.corner, *place.end))
    if spec.channels == 1:
        inside = inside.convert("L")
    if inside.size == (place.side, place.side):
        return inside
    pixels = np.asarray(inside)
    pad = [place.pad(1, inside.height), place.pad(0, inside.width), (0, 0)]
    return Image.fromarray(np.pad(pixels, pad[: pixels.ndim], mode="edge"))


def stretch_face(image: Image.Image, face: Face, spec: InputSpec) -> Image.Image:
    """Crop a face as `crop_face` does and stretch it, however large it is.

    Args:
        image: Upright, mode "RGB".
        face: In this image's pixels.
        spec: The margin, the channels and the size.

    Returns:
        `stretch` of the crop, of which only bands of rows are made where it is large.
    """
    place = _Place(face, image.size, spec)
    if place.side**2 <= _BAND_PIXELS:
        return stretch(crop_face(image, face, spec), spec.width, spec.height)
    (left, top), (right, bottom) = place.corner, place.end
    rows = max(1, _BAND_PIXELS // place.side)
    bands = []
    for row in range(top, bottom, rows):
        inside = image.crop((left, row, right, min(row + rows, bottom)))
        inside = inside.convert("L") if spec.channels == 1 else inside
        pixels = np.asarray(inside)
        pad = [(0, 0), place.pad(0, inside.width), (0, 0)]
        band = Image.fromarray(np.pad(pixels, pad[: pixels.ndim], mode="edge"))
        bands.append(np.asarray(stretch(band, spec.width, band.height)))
    across = np.concatenate(bands)
    pad = [place.pad(1, len(across)), (0, 0), (0, 0)]
    across = np.pad(across, pad[: across.ndim], mode="edge")
    return stretch(Image.fromarray(across), spec.width, spec.height)


class _Place:
    """The square of a face and its margin, and the part of it that lies in the image.

    Attributes:
        side: Side of the square, in pixels.
        corner: Left and upper edge of the part, at least one pixel of the image.
        end: Right and lower edge of the part.
    """

    def __init__(self, face: Face, size: tuple[int, int], spec: InputSpec) -> None:
        margin = round(face.side * spec.faces.margin) if spec.faces else 0
        self.side = max(1, face.side + 2 * margin)
        self._start = face.left - margin, face.top - margin
        self.corner = (
            min(max(self._start[0], 0), size[0] - 1),
            min(max(self._start[1], 0), size[1] - 1),
        )
        self.end = (
            max(1, min(self._start[0] + self.side, size[0])),
            max(1, min(self._start[1] + self.side, size[1])),
        )

    def pad(self, axis: int, length: int) -> tuple[int, int]:
        """Return the pixels to add before and after the part, across (0) or down (1)."""
        before = min(max(0, -self._start[axis]), self.side - length)
        return before, self.side - before - length
