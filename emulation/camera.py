"""An emulated Pi with a camera, ``/dev/video0``: the driver vivid, which draws what it gives.

The cloud kernel of `emulation.system_mode` has no camera drivers, so this takes Debian's plain one.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from pathlib import Path

from edgeemo.bundle.pip import download, pin_versions
from edgeemo.errors import BundleError
from edgeemo.utils.files import new_folder
from emulation.root import CACHE, EmulationError, Root, lock_folder, unpack_debian

_RELEASE = "bookworm"
_PACKAGE = "linux-image-arm64"
_DRIVER = "vivid"
_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")


def make_camera_kernel(cache: Path = CACHE) -> tuple[Path, list[Path]]:
    """Return Debian's plain arm64 kernel and the modules of its drawn camera, downloaded once.

    Returns:
        The kernel, and the modules in the order in which they have to be loaded.

    Raises:
        EmulationError: If Debian's mirror cannot be reached.
    """
    folder = cache / f"camera-kernel-{_RELEASE}"
    with lock_folder(folder):
        if not folder.exists():
            with new_folder(folder) as partial, tempfile.TemporaryDirectory() as work:
                unpacked = Path(work) / "root"
                unpack_debian(_RELEASE, unpacked, _PACKAGE)
                (kernel,) = (unpacked / "boot").glob("vmlinuz-*")
                shutil.copy(kernel, partial / kernel.name)
                for number, module in enumerate(_order_modules(unpacked)):
                    shutil.copy(module, partial / f"{number:02}-{module.name}")
    return next(folder.glob("vmlinuz-*")), sorted(folder.glob("*.ko"))


def unpack_pyav(root: Root, cache: Path = CACHE) -> Path:
    """Return a folder with PyAV for a root's Python, downloaded once.

    Raises:
        EmulationError: If the package index cannot be reached.
    """
    pins = [pin for pin in pin_versions(("av",)) if pin.startswith("av==")]
    folder = cache / f"{pins[0].replace('==', '-')}-{root.tag}"
    with lock_folder(folder):
        if not folder.exists():
            with new_folder(folder) as partial, tempfile.TemporaryDirectory() as work:
                try:
                    download(["--no-deps", *pins], Path(work), tag=root.tag)
                except BundleError as error:
                    raise EmulationError(str(error)) from None
                for wheel in Path(work).glob("*.whl"):
                    with zipfile.ZipFile(wheel) as archive:
                        archive.extractall(partial)
    return folder


def _order_modules(unpacked: Path) -> list[Path]:
    """Return the driver's modules, each after those that it depends on."""
    found = {_name(path.stem): path for path in (unpacked / "lib").rglob("*.ko")}
    ordered: dict[str, Path] = {}

    def add(name: str) -> None:
        depends = _DEPENDS.search(found[name].read_bytes())
        for other in depends[1].decode().split(",") if depends else []:
            if other and _name(other) not in ordered:
                add(_name(other))
        ordered[name] = found[name]

    add(_DRIVER)
    return list(ordered.values())


def _name(text: str) -> str:
    return text.replace("-", "_")
