"""Drawn faces for practice, tests and golden images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use

if TYPE_CHECKING:
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

__getattr__ = import_on_use(
    __name__,
    {
        "DATA_FOLDER": "edgeemo.dataset.synthetic.practice",
        "MOODS": "edgeemo.dataset.synthetic.draw",
        "PRACTICE_FOLDER": "edgeemo.dataset.synthetic.practice",
        "PRACTICE_MARKER": "edgeemo.dataset.synthetic.draw",
        "CartoonFace": "edgeemo.dataset.synthetic.cartoon",
        "Mood": "edgeemo.dataset.synthetic.cartoon",
        "choose_data": "edgeemo.dataset.synthetic.practice",
        "draw_face": "edgeemo.dataset.synthetic.cartoon",
        "draw_faces": "edgeemo.dataset.synthetic.draw",
        "draw_golden_images": "edgeemo.dataset.synthetic.golden",
        "draw_image": "edgeemo.dataset.synthetic.draw",
        "encode_image": "edgeemo.dataset.synthetic.draw",
        "ensure_practice_faces": "edgeemo.dataset.synthetic.practice",
        "randomize_face": "edgeemo.dataset.synthetic.cartoon",
    },
)
