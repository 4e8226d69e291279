"""Cleaned, split and cropped copies of a folder of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use

if TYPE_CHECKING:
    from edgeemo.dataset.write.crop import CropOptions, CropResult, write_crops
    from edgeemo.dataset.write.crop_place import CropPlace
    from edgeemo.dataset.write.crop_table import CROP_COUNTS, CROP_CSV
    from edgeemo.dataset.write.faces_json import FACES_JSON, read_faces_json
    from edgeemo.dataset.write.placement import (
        DATA_MARKER,
        LINK_MODES,
        LinkMode,
        check_destination,
    )
    from edgeemo.dataset.write.rewrite import WrittenFolder, write_clean, write_split

__all__ = [
    "CROP_COUNTS",
    "CROP_CSV",
    "DATA_MARKER",
    "FACES_JSON",
    "LINK_MODES",
    "CropOptions",
    "CropPlace",
    "CropResult",
    "LinkMode",
    "WrittenFolder",
    "check_destination",
    "read_faces_json",
    "write_clean",
    "write_crops",
    "write_split",
]

__getattr__ = import_on_use(
    __name__,
    {
        "CROP_COUNTS": "edgeemo.dataset.write.crop_table",
        "CROP_CSV": "edgeemo.dataset.write.crop_table",
        "DATA_MARKER": "edgeemo.dataset.write.placement",
        "FACES_JSON": "edgeemo.dataset.write.faces_json",
        "LINK_MODES": "edgeemo.dataset.write.placement",
        "CropOptions": "edgeemo.dataset.write.crop",
        "CropPlace": "edgeemo.dataset.write.crop_place",
        "CropResult": "edgeemo.dataset.write.crop",
        "LinkMode": "edgeemo.dataset.write.placement",
        "WrittenFolder": "edgeemo.dataset.write.rewrite",
        "check_destination": "edgeemo.dataset.write.placement",
        "read_faces_json": "edgeemo.dataset.write.faces_json",
        "write_clean": "edgeemo.dataset.write.rewrite",
        "write_crops": "edgeemo.dataset.write.crop",
        "write_split": "edgeemo.dataset.write.rewrite",
    },
)
