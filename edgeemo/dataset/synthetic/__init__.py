"""Drawn faces for practice, tests and golden images."""

from edgeemo.dataset.synthetic.cartoon import CartoonFace, Mood, draw_face, randomize_face
from edgeemo.dataset.synthetic.draw import (
    MOODS,
    PRACTICE_MARKER,
    draw_faces,
    draw_image,
    encode_image,
)
from edgeemo.dataset.synthetic.golden import draw_golden_images
from edgeemo.dataset.synthetic.practice import (
    DATA_FOLDER,
    PRACTICE_FOLDER,
    choose_data,
    ensure_practice_faces,
)

__all__ = [
    "DATA_FOLDER",
    "MOODS",
    "PRACTICE_FOLDER",
    "PRACTICE_MARKER",
    "CartoonFace",
    "Mood",
    "choose_data",
    "draw_face",
    "draw_faces",
    "draw_golden_images",
    "draw_image",
    "encode_image",
    "ensure_practice_faces",
    "randomize_face",
]
