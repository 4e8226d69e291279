"""Faces that are followed from frame to frame by their place and size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.imaging.faces.face import Face

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

PATIENCE_S = 0.5
"""Seconds without a detection through which a face keeps its id."""

MAX_FACES = 10
"""Most faces that are followed, the largest: it bounds the cost of a frame."""

GAP_S = 2.0
"""Seconds between two frames after which every face is a new one."""

_SMOOTH_S = 0.2  # time constant of a box
_REACH, _REACH_PER_S = 0.6, 2.0  # of a face from its expected place, in sides, and more by the time
_MAX_RATIO = 2.0  # of two sides


@dataclass(slots=True, kw_only=True)
class Track:
    """A face that is followed.

    Attributes:
        id: Its number, from 1.
        x: Horizontal place of its smoothed centre, in pixels.
        y: Vertical place of its smoothed centre, in pixels.
        side: Smoothed side, in pixels.
        since_s: Time of its first frame, in seconds.
        seen_s: Time of its last detection.
        vx: Horizontal speed, in pixels per second.
        vy: Vertical speed, in pixels per second.
        detections: Number of its detections.
        is_sought: Whether it has been looked for since its last detection.
    """

    id: int
    x: float
    y: float
    side: float
    since_s: float
    seen_s: float
    vx: float = 0.0
    vy: float = 0.0
    detections: int = 1
    is_sought: bool = False

    @property
    def face(self) -> Face:
        """Return its smoothed bounding box, in pixels."""
        side = max(1, round(self.side))
        return Face(round(self.x - side / 2), round(self.y - side / 2), side)

    def move(self, seconds: float) -> None:
        """Move it at its speed."""
        self.x += self.vx * seconds
        self.y += self.vy * seconds

    def correct(self, face: Face, time_s: float) -> None:
        """Correct place, speed and side by a detection.

        By a fading-memory filter (E. Brookner, "Tracking and Kalman Filtering Made Easy",
        1998, section 1.2), whose weights depend on the time that has passed, not on the frame
        rate; it begins as the least-squares line through all detections.
        """
        seconds = max(1e-3, time_s - self.seen_s)
        n, fading = self.detections, math.exp(-seconds / _SMOOTH_S)
        begin = (n + 1) * (n + 2)
        of_place = max(1 - fading**2, 2 * (2 * n + 1) / begin)
        of_speed = max((1 - fading) ** 2, 6 / begin) / seconds
        x, y = (start + face.side / 2 for start in (face.left, face.top))
        dx, dy = x - self.x, y - self.y
        self.x, self.y = self.x + of_place * dx, self.y + of_place * dy
        self.vx, self.vy = self.vx + of_speed * dx, self.vy + of_speed * dy
        self.side += (1 - fading) * (face.side - self.side)
        self.seen_s, self.detections, self.is_sought = time_s, n + 1, False

    def measure_distance(self, face: Face, time_s: float) -> float:
        """Return how badly a detection fits it, in sides; infinity where it cannot be this face."""
        dx, dy = (start + face.side / 2 for start in (face.left - self.x, face.top - self.y))
        side = (self.side + face.side) / 2
        apart, ratio = math.hypot(dx, dy) / side, abs(math.log(face.side / self.side))
        reach = _REACH + _REACH_PER_S * max(0.0, time_s - self.seen_s)
        return apart + ratio if apart <= reach and ratio <= math.log(_MAX_RATIO) else math.inf


class Tracker:
    """The faces of a run. An id is never given twice.

    Attributes:
        tracks: The faces that are followed, in the order of their ids.
        next_id: The id of the next face.

    Args:
        first_id: The id of the first face.
    """

    def __init__(self, *, first_id: int = 1) -> None:
        self.tracks: list[Track] = []
        self.next_id = first_id
        self._size: tuple[int, int] | None = None
        self._time_s = 0.0

    def advance(self, time_s: float, size: tuple[int, int]) -> None:
        """Move the faces to where they are expected in the next frame.

        Args:
            time_s: Time of the frame, in seconds.
            size: Width and height of the frame, in pixels; the faces keep their relative place
                where it changes.
        """
        seconds = time_s - self._time_s
        self._time_s = time_s
        if not 0 <= seconds <= GAP_S:
            self.tracks = []
        for track in self.tracks:
            track.move(seconds)
        if self._size not in (None, size):
            self._scale(size)
        self._size = size

    def hold(self, time_s: float) -> None:
        """Take a frame in which nothing moves for one that shows the same as the frame before."""
        seconds, self._time_s = time_s - self._time_s, time_s
        for track in self.tracks:
            track.seen_s += seconds
            track.vx = track.vy = 0.0

    def update(
        self, faces: Sequence[Face], *, sought: Collection[int]
    ) -> list[tuple[Track, Face | None]]:
        """Match the detections of a frame, after `advance`.

        Args:
            faces: The detections, the largest first; those after `MAX_FACES` do not count.
            sought: Ids of the faces that were looked for in this frame.

        Returns:
            Every face that is followed, in the order of the ids, and its detection in this frame.
        """
        faces = faces[:MAX_FACES]
        matched = self._match(faces)
        for track in self.tracks:
            track.is_sought |= track.id in sought
            if track.id in matched:
                track.correct(faces[matched[track.id]], self._time_s)
        self.tracks = [track for track in self.tracks if self._is_followed(track)]
        for number, face in enumerate(faces):
            if number not in matched.values() and len(self.tracks) < MAX_FACES:
                matched[self._add(face)] = number
        return [
            (track, faces[matched[track.id]] if track.id in matched else None)
            for track in self.tracks
        ]

    def _match(self, faces: Sequence[Face]) -> dict[int, int]:
        """Return the number of the detection of every detected face's id, nearest pairs first."""
        pairs = sorted(
            (distance, track.id, number)
            for track in self.tracks
            for number, face in enumerate(faces)
            if (distance := track.measure_distance(face, self._time_s)) < math.inf
        )
        matched: dict[int, int] = {}
        for _, id, number in pairs:
            if id not in matched and number not in matched.values():
                matched[id] = number
        return matched

    def _is_followed(self, track: Track) -> bool:
        """Return whether a face is kept: longer where nobody could look for it."""
        unseen_s = self._time_s - track.seen_s
        return unseen_s < (PATIENCE_S if track.is_sought else 3 * PATIENCE_S)

    def _add(self, face: Face) -> int:
        track = Track(
            id=self.next_id,
            x=face.left + face.side / 2,
            y=face.top + face.side / 2,
            side=face.side,
            since_s=self._time_s,
            seen_s=self._time_s,
        )
        self.tracks.append(track)
        self.next_id += 1
        return track.id

    def _scale(self, size: tuple[int, int]) -> None:
        before = self._size or size
        across, down = size[0] / before[0], size[1] / before[1]
        for track in self.tracks:
            track.x, track.vx = track.x * across, track.vx * across
            track.y, track.vy = track.y * down, track.vy * down
            track.side *= max(size) / max(before)
