"""Crops of faces that are kept to train on: as the model saw them, in a folder per label."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from edgeemo.utils.file_names import fit_name, make_safe_name

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from edgeemo.imaging.faces import Face
    from edgeemo.model.spec import ModelSpec

MAX_CROPS = 2000
"""Most crops in a folder, whoever has labelled them."""

_ODD = re.compile(r"[^\w.-]+")


def crop_as_seen(image: Image.Image, face: Face | None, spec: ModelSpec) -> Image.Image:
    """Return what the model saw of a frame, in colour and before it was reduced.

    Args:
        image: The frame, mode "RGB".
        face: The face's bounding box; None for the frame as a whole.
        spec: The model's specification.

    Raises:
        ImageError: If the crop would be too large.
    """
    if face is None:
        return image
    from edgeemo.imaging.faces import crop_face  # a bundle may have no face detector

    return crop_face(image, face, replace(spec, channels=3))


def label_folder(folder: Path, label: str) -> Path:
    """Return the folder of a label, which is not made; its name is the label to train on.

    Args:
        folder: Folder of all labels.
        label: The label, which an adopted model may spell in any way.
    """
    return folder / make_safe_name(label.replace("/", "-"))


def name_crop(stem: str, folder: Path) -> str:
    """Return the name of a crop's file, without odd characters and short enough for its folder."""
    return fit_name(_ODD.sub("-", stem), ".png", folder=folder)
