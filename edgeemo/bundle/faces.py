"""What finds faces, as members of a bundle."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from edgeemo.bundle.modules import imported_modules
from edgeemo.imaging.faces.blaze import BLAZEFACE
from edgeemo.imaging.faces.model_file import FACE_MODEL, named

if TYPE_CHECKING:
    from edgeemo.model.spec import FaceSettings

_ROOM = "edgeemo.imaging.faces"


def runtime_modules(front_door: str, settings: FaceSettings | None) -> dict[str, bytes]:
    """The modules of a bundle, without those that find faces where none are found.

    Args:
        front_door: As in `edgeemo.bundle.modules.imported_modules`.
        settings: How faces are found, or None.

    Returns:
        Path inside the bundle to source.
    """
    return imported_modules(front_door, without="" if settings else _ROOM)


def finder_data(settings: FaceSettings | None) -> dict[str, bytes]:
    """The network that finds faces, where it is not a package's.

    Args:
        settings: How faces are found, or None; a file of the user's has been named.

    Returns:
        Path inside the bundle to content: one, or none.
    """
    if settings is None or settings.detector == "cascade":
        return {}
    if settings.detector == "yunet":
        return {FACE_MODEL: named(settings.file_sha256)}
    content = files(_ROOM).joinpath(BLAZEFACE).read_bytes()
    return {f"{_ROOM.replace('.', '/')}/{BLAZEFACE}": content}
