"""The modules of edgeemo in a bundle: those of every command, and those of ``live`` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.bundle.modules import collect_modules

if TYPE_CHECKING:
    from edgeemo.model.face_settings import FaceSettings

_ENTRY_POINT = "edgeemo.bundle.device.main"
_LIVE = "edgeemo.bundle.device.live"
_PAGES = "edgeemo.report"
_FACES = "edgeemo.imaging.faces"
_DETECTION = (
    *(
        f"{_FACES}.{name}"
        for name in ("anchors", "blaze", "cascade", "letterbox", "opencv", "yunet")
    ),
    "edgeemo.live.face_observer",
)
"""Modules that detect faces, and the one that imports all that follow them."""


def list_runtime_modules(settings: FaceSettings | None) -> dict[str, bytes]:
    """Return the modules of every command, without face detection where no faces are found.

    Args:
        settings: The face settings, or None.

    Returns:
        Path inside the bundle to source.
    """
    return collect_modules(_ENTRY_POINT, without=(_LIVE, *(() if settings else (_FACES,))))


def list_live_modules(settings: FaceSettings | None) -> dict[str, bytes]:
    """Return the modules that ``live`` needs besides; no pages, and no face detection as above.

    Args:
        settings: The face settings, or None.

    Returns:
        Path to source.
    """
    shared = list_runtime_modules(settings)
    found = collect_modules(_LIVE, without=(_PAGES, *(() if settings else _DETECTION)))
    return {path: source for path, source in found.items() if path not in shared}
