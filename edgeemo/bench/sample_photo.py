"""The default image of a benchmark with face detection: a drawn photo of two people.

It is drawn so that no person's image is in a bundle, which contains the finished image as a golden
one and not this module.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgeemo.bench.sample_frame import HEIGHT, WIDTH, draw_camera_frame
from edgeemo.dataset.synthetic import MOODS, draw_face, encode_image, randomize_face

if TYPE_CHECKING:
    from edgeemo.dataset.synthetic import Mood
    from edgeemo.imaging.faces import FaceDetector

FACES = 2
"""Number of faces in the photo: one near the camera, one farther away."""

_PLACES = ((0.36, 0.54, 1.0), (0.80, 0.36, 0.56))
"""Centre and size of each person, as shares of the photo's width, height and height."""

_OVERSAMPLE = 2  # drawn larger and reduced: Pillow's drawing has no anti-aliasing
_QUALITY = 85
_SEEDS = 12


def draw_photo(width: int = WIDTH, height: int = HEIGHT, *, seed: int = 0) -> bytes:
    """Draw a JPEG like a camera's, with `FACES` faces in front of a background.

    Args:
        width: In pixels.
        height: In pixels.
        seed: Decides the looks of the faces.

    Returns:
        The file's bytes; the same with the same version of Pillow's JPEG library.
    """
    rng = np.random.default_rng([seed, FACES])
    with Image.open(io.BytesIO(draw_camera_frame(width, height))) as frame:
        photo = frame.convert("RGB")
    for mood, (across, down, share) in zip(MOODS, _PLACES, strict=True):
        side = round(height * share)
        person = _draw_person(rng, mood, side)
        corner = (round(width * across - side / 2), round(height * down - side / 2))
        photo.paste(person, corner, mask=person)
    return encode_image(photo, "JPEG", quality=_QUALITY)


def draw_detectable_photo(detector: FaceDetector) -> bytes | None:
    """Draw photos until all faces are detected in one.

    Args:
        detector: The face detector.

    Returns:
        The photo's bytes, or else those of the photo with the most detected faces; None if no face
        is detected in any.
    """
    best, most = None, 0
    for seed in range(_SEEDS):
        photo = draw_photo(seed=seed)
        with Image.open(io.BytesIO(photo)) as opened:
            found = len(detector.detect(opened.convert("RGB")))
        if found == FACES:
            return photo
        if most < found < FACES:
            best, most = photo, found
    return best


def _draw_person(rng: np.random.Generator, mood: Mood, side: int) -> Image.Image:
    """Draw head and shoulders on a transparent background, (side, side)."""
    drawn = draw_face(randomize_face(rng, mood), side * _OVERSAMPLE)
    return drawn.resize((side, side), Image.Resampling.BILINEAR)
