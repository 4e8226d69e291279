"""The import of OpenCV, which the ``faces`` extra installs."""

from __future__ import annotations

from typing import Any

from edgeemo.errors import MissingExtraError


def import_cv2(needed: str) -> Any:
    """Import OpenCV, which takes a tenth of a second.

    Args:
        needed: The class that it must have; version 5 has no cascades.

    Raises:
        MissingExtraError: If it is not installed, or lacks that class.
    """
    missing = MissingExtraError("opencv-python-headless", extra="faces", purpose="Face detection")
    try:
        import cv2
    except ImportError:
        raise missing from None
    if not hasattr(cv2, needed):
        raise missing
    return cv2
