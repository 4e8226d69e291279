"""Looks over time: a face detector whose cost per frame is bounded.

One image gets up to three looks (`edgeemo.imaging.faces.blaze`), which a video cannot pay for in
every frame. Here every frame gets the first, and one more at most: around the last place of a known
face that the first one missed, or, where no face is known, the next of several that take turns. A
frame long after the one before gets them all.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Protocol

from edgeemo.imaging.faces.blaze import BlazeFace
from edgeemo.imaging.faces.face import Face, sort_by_size
from edgeemo.imaging.faces.letterbox import Letterbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL import Image

    from edgeemo.imaging.faces.blaze import Look
    from edgeemo.imaging.faces.face import FaceDetector

RARE_S = 0.5
"""Seconds from one frame to the next from which a frame is worth all looks, as in `predict`."""

MAX_RATE = 10.0
"""Detections per second of a detector whose looks cannot be taken one by one."""

_AROUND = 2.5  # side of the region around a known face, in sides of it
_SMALLEST = 0.2  # side of a face in a region that holds several, as a share of the region's
_TURN_EVERY = 3  # of the frames in which a known face is missed, one is a turn's
_OVERLAP = 1 / 6  # of two parts, as a share of the longer side: faces beyond are the first look's
_LATE_S = 0.01  # of a frame that is early by less, the detection is due


class Found(NamedTuple):
    """What was found in a frame.

    Attributes:
        faces: The faces, the largest first.
        sought: Ids of the known faces that were looked for where they are expected.
    """

    faces: tuple[Face, ...]
    sought: frozenset[int]


class FaceSearch(Protocol):
    """A search for faces in one frame after the other."""

    def search(self, image: Image.Image, *, known: Mapping[int, Face], time_s: float) -> Found:
        """Return the faces that are found in a frame.

        Args:
            image: Upright, mode "RGB".
            known: Where the known faces are expected, in the image's pixels, by id.
            time_s: Time of the frame, in seconds.
        """


def build_search(detector: FaceDetector) -> FaceSearch:
    """Build the search for a face detector."""
    return TurnSearch(detector) if isinstance(detector, BlazeFace) else PacedSearch(detector)


class PacedSearch:
    """A detector that searches some of the frames, `MAX_RATE` per second, and those as a whole.

    Args:
        detector: The face detector.
    """

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._searched_s = self._due_s = 0.0

    def search(self, image: Image.Image, *, known: Mapping[int, Face], time_s: float) -> Found:
        """See `FaceSearch.search`."""
        if self._searched_s <= time_s < self._due_s - _LATE_S:
            return Found((), frozenset())
        self._searched_s = time_s
        self._due_s = min(max(self._due_s, time_s - 1 / MAX_RATE), time_s) + 1 / MAX_RATE
        return Found(self._detector.detect(image), frozenset(known))


class TurnSearch:
    """BlazeFace with two looks per frame at most, apart from rare frames.

    Args:
        detector: The face detector.
    """

    def __init__(self, detector: BlazeFace) -> None:
        self._first, *self._later = detector.looks
        self._border, self._part = detector.looks[-1], detector.part_look
        self._searched_s = -math.inf
        self._turn = self._frames_missed = 0
        self._sought_in: dict[int, int] = {}

    def search(self, image: Image.Image, *, known: Mapping[int, Face], time_s: float) -> Found:
        """See `FaceSearch.search`."""
        is_rare = not 0 <= time_s - self._searched_s < RARE_S
        self._searched_s = time_s
        letterbox = Letterbox(image)
        faces = list(self._first.detect(letterbox))
        missed = {id: face for id, face in known.items() if not _is_among(face, faces)}
        sought = known.keys() - missed.keys()
        more: list[Face] = []
        self._frames_missed += bool(missed)
        if missed and self._frames_missed % _TURN_EVERY:
            region, inside = self._choose_region(missed)
            sought |= inside
            more = self._look_around(image, letterbox, region)
        elif is_rare and not faces:
            more = next(
                (list(found) for look in self._later if (found := look.detect(letterbox))), []
            )
        elif missed or not faces:
            more = self._take_turn(image, letterbox)
        faces += [face for face in more if not _is_among(face, faces)]
        return Found(sort_by_size(faces), frozenset(sought))

    def _look_around(self, image: Image.Image, letterbox: Letterbox, region: Face) -> list[Face]:
        """Look at a region; the image with a border stands for one that is as large."""
        if region.side < max(image.size):
            return _look_at(image, region, self._first)
        return list(self._border.detect(letterbox))

    def _take_turn(self, image: Image.Image, letterbox: Letterbox) -> list[Face]:
        """Take the next of the looks that take turns: the border, and the parts."""
        parts = list_parts(image.size)
        self._turn = (self._turn + 1) % (len(parts) + 1)
        if self._turn == len(parts):
            return list(self._border.detect(letterbox))
        return _look_at(image, parts[self._turn], self._part)

    def _choose_region(self, missed: Mapping[int, Face]) -> tuple[Face, set[int]]:
        """Return a region around the face that has waited longest, and the ids of those in it."""
        self._sought_in = {id: self._sought_in.get(id, 0) for id in missed}
        first = min(missed, key=self._sought_in.__getitem__)
        region = _widen(missed[first])
        inside = {first}
        for id, face in missed.items():
            wider = _join(region, _widen(face))
            smallest = min(missed[each].side for each in (*inside, id))
            if id not in inside and smallest >= _SMALLEST * wider.side:
                region, inside = wider, inside | {id}
        self._sought_in.update(dict.fromkeys(inside, self._frames_missed))
        return region, inside


def list_parts(size: tuple[int, int]) -> list[Face]:
    """Return squares, half as large as the image's longer side, that cover an image.

    They overlap by a face that is as large as the first look needs: no smaller one lies across two.

    Args:
        size: Width and height, in pixels.
    """
    side = max(1, max(size) // 2)
    overlap = round(max(size) * _OVERLAP)
    lefts, tops = (_spread(length, side, overlap) for length in size)
    return [Face(left, top, side) for top in tops for left in lefts]


def _spread(length: int, side: int, overlap: int) -> list[int]:
    """Return where the parts begin along one axis."""
    if length <= side:
        return [(length - side) // 2]
    count = -(-(length - overlap) // max(1, side - overlap))
    return [round(number * (length - side) / (count - 1)) for number in range(count)]


def _look_at(image: Image.Image, region: Face, look: Look) -> list[Face]:
    """Return the faces in a region, black where it reaches beyond the image."""
    left, top, side = region
    found = look.detect(Letterbox(image.crop((left, top, left + side, top + side))))
    return [face._replace(left=face.left + left, top=face.top + top) for face in found]


def _widen(face: Face) -> Face:
    side = max(1, round(face.side * _AROUND))
    edge = (side - face.side) // 2
    return Face(face.left - edge, face.top - edge, side)


def _join(one: Face, other: Face) -> Face:
    left, top = min(one.left, other.left), min(one.top, other.top)
    right = max(each.left + each.side for each in (one, other))
    bottom = max(each.top + each.side for each in (one, other))
    return Face(left, top, max(right - left, bottom - top))


def _is_among(face: Face, faces: list[Face]) -> bool:
    """Return whether a face is one of those: the centres are near, the sides alike."""
    return any(_is_same(face, other) for other in faces)


def _is_same(one: Face, other: Face) -> bool:
    side = max(one.side, other.side)
    apart = (
        abs(2 * a + one.side - 2 * b - other.side) / 2
        for a, b in ((one.left, other.left), (one.top, other.top))
    )
    return max(apart) <= side / 2 and side <= 2 * min(one.side, other.side)
