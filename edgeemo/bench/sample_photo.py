"""The photo with faces: drawn, so that no person's image travels with a bundle.

The workstation's alone: a bundle holds the finished image, as a golden one.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgeemo.bench.sample_frame import HEIGHT, WIDTH, camera_frame
from edgeemo.dataset.synthetic.cartoon import draw_face, randomize_face
from edgeemo.dataset.synthetic.draw import MOODS, encode_image

if TYPE_CHECKING:
    from edgeemo.dataset.synthetic.cartoon import Mood
    from edgeemo.imaging.faces import FaceDetector

FACES = 2
"""How many faces are drawn into it: one near the camera, one farther away."""

_PLACES = ((0.36, 0.54, 1.0), (0.80, 0.36, 0.56))
"""Where a person's middle is, and the size, in parts of the photo's width, height and height."""

_OVERSAMPLE = 2  # drawn larger and reduced: Pillow's drawing has no anti-aliasing
_QUALITY = 85
_SEEDS = 12


def drawn_photo(width: int = WIDTH, height: int = HEIGHT, *, seed: int = 0) -> bytes:
    """A JPEG as a camera takes it, with `FACES` drawn faces before a background.

    Args:
        width: In pixels.
        height: In pixels.
        seed: Decides what the faces look like.

    Returns:
        The file's bytes; the same with the same version of Pillow's JPEG library.
    """
    rng = np.random.default_rng([seed, FACES])
    with Image.open(io.BytesIO(camera_frame(width, height))) as frame:
        photo = frame.convert("RGB")
    for mood, (across, down, share) in zip(MOODS, _PLACES, strict=True):
        side = round(height * share)
        person = _person(rng, mood, side)
        corner = (round(width * across - side / 2), round(height * down - side / 2))
        photo.paste(person, corner, mask=person)
    return encode_image(photo, "JPEG", quality=_QUALITY)


def photo_for(detector: FaceDetector) -> bytes | None:
    """Return the first drawn photo in which all the faces are found, or else the most.

    Args:
        detector: The face detector.

    Returns:
        The file's bytes; None where no face is found in any.
    """
    best, most = None, 0
    for seed in range(_SEEDS):
        photo = drawn_photo(seed=seed)
        with Image.open(io.BytesIO(photo)) as opened:
            found = len(detector.detect(opened.convert("RGB")))
        if found == FACES:
            return photo
        if most < found < FACES:
            best, most = photo, found
    return best


def _person(rng: np.random.Generator, mood: Mood, side: int) -> Image.Image:
    """Head and shoulders on a transparent ground, (side, side)."""
    drawn = draw_face(randomize_face(rng, mood), side * _OVERSAMPLE)
    return drawn.resize((side, side), Image.Resampling.BILINEAR)
