"""Check the packages that a bundle needs on the device, and name the command that installs them."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

from edgeemo.engines.imports import is_out_of_memory
from edgeemo.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MODULES = {
    "numpy": ("numpy",),
    "pillow": ("PIL",),
    "ai-edge-litert": ("ai_edge_litert", "tflite_runtime"),
    "tflite-runtime": ("ai_edge_litert", "tflite_runtime"),
    "onnxruntime": ("onnxruntime",),
    "opencv-python-headless": ("cv2",),
}
"""Package, as pip calls it, to its modules, any one of which will do."""

_DEBIAN = {"numpy": "python3-numpy", "pillow": "python3-pil"}
_VENV = "~/edgeemo"


def require(engine: str, *, versions: Mapping[str, str], archive: str, detector: str = "") -> None:
    """Check that the packages are installed, and that numpy and Pillow load.

    Args:
        engine: The engine's package, as pip calls it.
        versions: The workstation's versions, for the command in the message.
        archive: The bundle, for the same.
        detector: The face detector's package, or nothing.

    Raises:
        BundleError: If not; the message contains the command that installs them.
    """
    needed = tuple(dict.fromkeys(filter(None, ("numpy", "pillow", engine, detector))))
    missing = [name for name in needed if not is_installed(name)]
    if missing:
        from edgeemo.utils.text import join_and

        remedy = _find_remedy(missing, needed, versions, archive)
        raise BundleError(
            f"{join_and(missing)} {'are' if missing[1:] else 'is'} not installed: {remedy}"
        )
    _check_that_they_load()


def is_installed(package: str) -> bool:
    """Return whether a package is installed; nothing is imported.

    Args:
        package: "numpy", "pillow", an engine's or a face detector's, as pip calls it.
    """
    return any(map(_is_importable, _MODULES[package]))


def _check_that_they_load() -> None:
    for name, module in (("numpy", "numpy"), ("pillow", "PIL.Image")):
        try:
            import_module(module)
        except ImportError as error:
            if is_out_of_memory(error):
                raise MemoryError from None
            from edgeemo.utils.text import one_line

            reason = one_line(error.__cause__ or error)[:300]
            raise BundleError(f"{name} is installed but cannot be loaded: {reason}") from None


def _is_importable(module: str) -> bool:
    return module in sys.modules or PathFinder.find_spec(module) is not None


def _find_remedy(
    missing: Sequence[str], needed: Sequence[str], versions: Mapping[str, str], archive: str
) -> str:
    """Return the command; Debian's own Python refuses pip outside a virtual environment."""
    if sys.maxsize < 2**32:
        return _find_remedy_for_32_bits(needed[2:], archive)
    if _is_in_venv():
        return f"{sys.executable} -m pip install {_pin(missing, versions)}"
    if all(name in _DEBIAN for name in missing):
        return "sudo apt install " + " ".join(_DEBIAN[name] for name in missing)
    packages = _pin(needed, versions)
    return (
        f"sudo apt install python3-venv && python3 -m venv {_VENV} && "
        f"{_VENV}/bin/pip install {packages} && {_selftest_command(archive)}"
    )


def _pin(names: Iterable[str], versions: Mapping[str, str]) -> str:
    """Return requirements as on the workstation: another Pillow may resize a little differently."""
    return " ".join(f"{name}=={versions[name]}" if name in versions else name for name in names)


def _find_remedy_for_32_bits(engines: Sequence[str], archive: str) -> str:
    """Return the command: one engine has wheels for one Python, numpy and Pillow have none."""
    if (*engines, sys.version_info[:2]) != ("ai-edge-litert", (3, 11)):
        return (
            f"there is no {' and '.join(engines)} for a 32-bit system; install the 64-bit "
            "Raspberry Pi OS"
        )
    return (
        f"sudo apt install python3-venv {' '.join(_DEBIAN.values())} && "
        f"python3 -m venv --system-site-packages {_VENV} && "
        f"{_VENV}/bin/pip install tflite-runtime && {_selftest_command(archive)}"
    )


def _selftest_command(archive: str) -> str:
    return f"{_VENV}/bin/python {os.path.basename(archive)} selftest"  # noqa: PTH119


def _is_in_venv() -> bool:
    return sys.prefix != sys.base_prefix
