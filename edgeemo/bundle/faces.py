"""The face detector as members of a bundle."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from edgeemo.bundle.modules import collect_modules
from edgeemo.imaging.faces.blaze import BLAZEFACE
from edgeemo.model.detector_file import FACE_MODEL
from edgeemo.model.face_settings import Detector

if TYPE_CHECKING:
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceSettings

_PACKAGE = "edgeemo.imaging.faces"


def runtime_modules(entry_point: str, settings: FaceSettings | None) -> dict[str, bytes]:
    """Return the modules of a bundle, without those of face detection where no faces are found.

    Args:
        entry_point: As in `edgeemo.bundle.modules.collect_modules`.
        settings: The face settings, or None.

    Returns:
        Path inside the bundle to source.
    """
    return collect_modules(entry_point, without="" if settings else _PACKAGE)


def detector_members(settings: FaceSettings | None, file: DetectorFile | None) -> dict[str, bytes]:
    """Return the network of the face detector, where no installed package holds it.

    Args:
        settings: The face settings, or None.
        file: The detector's own file, where it has one.

    Returns:
        Path inside the bundle to content: one, or none.
    """
    if file is not None:
        return {FACE_MODEL: file.content}
    if settings is None or settings.detector is not Detector.BLAZE:
        return {}
    content = files(_PACKAGE).joinpath(BLAZEFACE).read_bytes()
    return {f"{_PACKAGE.replace('.', '/')}/{BLAZEFACE}": content}
