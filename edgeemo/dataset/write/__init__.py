"""Cleaned, split and cropped copies of a folder of images."""

from edgeemo.dataset.write.crop import CropOptions, CropResult, write_crops
from edgeemo.dataset.write.crop_table import CROP_COUNTS, CROP_CSV
from edgeemo.dataset.write.faces_json import FACES_JSON, read_faces_json
from edgeemo.dataset.write.placement import LINK_MODES, LinkMode, check_destination
from edgeemo.dataset.write.rewrite import WrittenFolder, write_clean, write_split

__all__ = [
    "CROP_COUNTS",
    "CROP_CSV",
    "FACES_JSON",
    "LINK_MODES",
    "CropOptions",
    "CropResult",
    "LinkMode",
    "WrittenFolder",
    "check_destination",
    "read_faces_json",
    "write_clean",
    "write_crops",
    "write_split",
]
