"""Make one file for the device: runtime, model, golden images and a self-test.

    >>> import edgeemo
    >>> edgeemo.bundle("happy-sad", "face.pyz")  # doctest: +SKIP

`edgeemo.bundle.device` is the part that runs on the device. A name is imported when it is used,
because the bundle includes this module, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use, make_callable

if TYPE_CHECKING:
    from edgeemo.bundle.build import Bundle, make_bundle
    from edgeemo.bundle.options import BundleOptions, GoldenSource
    from edgeemo.bundle.wheels import WheelFolder, make_wheel_folder

__all__ = [
    "Bundle",
    "BundleOptions",
    "GoldenSource",
    "WheelFolder",
    "make_bundle",
    "make_wheel_folder",
]

__getattr__ = import_on_use(
    __name__,
    {
        "Bundle": "edgeemo.bundle.build",
        "BundleOptions": "edgeemo.bundle.options",
        "GoldenSource": "edgeemo.bundle.options",
        "WheelFolder": "edgeemo.bundle.wheels",
        "make_bundle": "edgeemo.bundle.build",
        "make_wheel_folder": "edgeemo.bundle.wheels",
    },
)

make_callable(__name__, "make_bundle")
