"""The face detector as members of a bundle."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from edgeemo.imaging.faces.anchors import FULL_RANGE, SHORT_RANGE
from edgeemo.model.detector_file import FACE_MODEL
from edgeemo.model.face_settings import Detector

if TYPE_CHECKING:
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceSettings

_PACKAGE = "edgeemo.imaging.faces"


def detector_members(settings: FaceSettings | None, file: DetectorFile | None) -> dict[str, bytes]:
    """Return the networks of the face detector, where no installed package holds them.

    Args:
        settings: The face settings, or None.
        file: The detector's own file, where it has one.

    Returns:
        Path inside the bundle to content: two of BlazeFace, one of a file of its own, or none.
    """
    if file is not None:
        return {FACE_MODEL: file.content}
    if settings is None or settings.detector is not Detector.BLAZE:
        return {}
    return {
        f"{_PACKAGE.replace('.', '/')}/{network.name}": files(_PACKAGE)
        .joinpath(network.name)
        .read_bytes()
        for network in (SHORT_RANGE, FULL_RANGE)
    }
