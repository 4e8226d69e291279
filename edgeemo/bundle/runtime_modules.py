"""The modules of edgeemo in a bundle: those of every command, of ``live`` and of ``serve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import edgeemo
from edgeemo.bundle.modules import collect_modules
from edgeemo.serve.constants import OPENAPI, PAGE_FILES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.model.face_settings import FaceSettings

_ENTRY_POINT = "edgeemo.bundle.device.main"
_LIVE = "edgeemo.bundle.device.live"
_SERVE = "edgeemo.bundle.device.serve"
_PAGES = "edgeemo.report"
_BULK = "edgeemo.bulk"
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
    return collect_modules(
        _ENTRY_POINT, without=(_LIVE, _SERVE, _BULK, *(() if settings else (_FACES,)))
    )


def list_live_modules(settings: FaceSettings | None) -> dict[str, bytes]:
    """Return the modules that ``live`` needs besides; no pages, and no face detection as above.

    Args:
        settings: The face settings, or None.

    Returns:
        Path to source.
    """
    return _list_further(_LIVE, list_runtime_modules(settings), settings)


def list_serve_modules(settings: FaceSettings | None) -> dict[str, bytes]:
    """Return the modules that ``serve`` needs besides those of ``live``, as above.

    Args:
        settings: The face settings, or None.

    Returns:
        Path to source.
    """
    shared = list_runtime_modules(settings) | list_live_modules(settings)
    return _list_further(_SERVE, shared, settings)


def list_page_files() -> dict[str, bytes]:
    """Return the files that ``serve`` shows, by the paths that `pkgutil.get_data` looks for."""
    folder = Path(edgeemo.__file__).parent / "serve"
    names = (OPENAPI, *(f"page/{name}" for name in PAGE_FILES))
    return {f"edgeemo/serve/{name}": (folder / name).read_bytes() for name in names}


def _list_further(
    root: str, shared: Mapping[str, bytes], settings: FaceSettings | None
) -> dict[str, bytes]:
    found = collect_modules(root, without=(_PAGES, _BULK, *(() if settings else _DETECTION)))
    return {path: source for path, source in found.items() if path not in shared}
