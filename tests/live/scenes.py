"""Drawn scenes: boxes of two faces that pass each other, with jitter and lost detections."""

from __future__ import annotations

import numpy as np

from edgeemo.imaging.faces.face import Face, sort_by_size

SIZE = (640, 480)
SECONDS = 6


def draw_paths(rng: np.random.Generator, *, crossing: bool, fps: float) -> np.ndarray:
    """Return the centres and sides of two faces that pass, (T, 2, 3), in pixels.

    Apart they pass at a distance of 1.6 sides, or more; crossing one hides the other for a moment.
    """
    time_s = np.arange(round(SECONDS * fps)) / fps - SECONDS / 2
    first = rng.uniform(50, 140)
    sides = np.array([first, first * rng.uniform(0.7, 1.4)])
    apart = sides.mean() * (rng.uniform(-0.5, 0.5) if crossing else rng.uniform(1.6, 2.5))
    paths = np.zeros((len(time_s), 2, 3))
    for which, direction in enumerate((-1, 1)):
        sway = 10 * np.sin(time_s * rng.uniform(1, 3) + which)
        paths[:, which, 0] = 320 + direction * rng.uniform(60, 300) * time_s
        paths[:, which, 1] = 240 + direction * apart / 2 + sway
        paths[:, which, 2] = sides[which] * (1 + 0.1 * np.sin(time_s + which))
    return paths


def detect(rng: np.random.Generator, places: np.ndarray, *, lost: float) -> dict[Face, int]:
    """Return what a detector returns of faces: the box, and which face it is.

    With BlazeFace's jitter; of two boxes that share 0.3 of their union one is dropped.

    Args:
        rng: The source of chance.
        places: Centre and side of each, (N, 3).
        lost: Share of the detections that are lost.
    """
    found: dict[Face, int] = {}
    for which in rng.permutation(len(places)):
        x, y, side = places[which]
        x, y = x + rng.normal(0, 0.014 * side), y + rng.normal(0, 0.018 * side)
        side *= 1 + rng.normal(0, 0.025)
        face = Face(round(x - side / 2), round(y - side / 2), round(side))
        is_hidden = any(_overlap(face, other) > 0.3 for other in found)
        if not is_hidden and -side < x < SIZE[0] + side:
            found[face] = int(which)
    kept = [face for face in found if rng.random() >= lost]
    return {face: found[face] for face in sort_by_size(kept)}


def _overlap(one: Face, other: Face) -> float:
    across, down = (
        max(0, min(a + one.side, b + other.side) - max(a, b))
        for a, b in ((one.left, other.left), (one.top, other.top))
    )
    return across * down / (one.side**2 + other.side**2 - across * down)
