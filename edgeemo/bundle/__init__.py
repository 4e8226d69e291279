"""One file for the device: the runtime, the model, golden images and a self-test.

    >>> from edgeemo.bundle import make_bundle
    >>> make_bundle(Path("models/happy-sad/int8.tflite"), Path("face.pyz"))  # doctest: +SKIP

Everything that goes into the file is in `edgeemo.bundle.device` and the runtime; the rest of this
room makes it. The names here are loaded when first used, because the file holds this module, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeemo.bundle.build import Bundle, make_bundle
    from edgeemo.bundle.wheels import WheelFolder, make_wheel_folder

__all__ = ["Bundle", "WheelFolder", "make_bundle", "make_wheel_folder"]

_HOMES = {
    "Bundle": "edgeemo.bundle.build",
    "WheelFolder": "edgeemo.bundle.wheels",
    "make_bundle": "edgeemo.bundle.build",
    "make_wheel_folder": "edgeemo.bundle.wheels",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'edgeemo.bundle' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
