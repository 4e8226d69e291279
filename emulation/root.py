"""Make an arm64 Debian with Python and the wheels that edgeemo needs, once, in a cache folder.

    >>> from emulation.root import make_root
    >>> make_root("bookworm").python  # doctest: +SKIP
    PosixPath('/…/.cache/arm64/bookworm-0123456789ab/debian/usr/bin/python3.11')

No root rights are needed: mmdebstrap downloads Debian's packages and only unpacks them, pip
downloads the wheels.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bundle.pip import download, pin_versions
from edgeemo.errors import BundleError, EdgeEmoError
from edgeemo.utils.files import new_folder
from emulation.processors import PROCESSORS
from emulation.user_mode import run_python

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emulation.processors import Processor

PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
"""Debian's release to its version of Python; Raspberry Pi OS has the same."""

TOOLS = {"mmdebstrap": "mmdebstrap", "qemu-aarch64-static": "qemu-user-static"}
"""Program to its Debian package."""

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "arm64"

_WHEELS = ("numpy", "pillow", "ai-edge-litert", "onnxruntime")
_INSTALLER = "pip"  # for virtual environments without internet; not installed
_RECIPE = 2  # increased when a root is made in another way
_COMPILED = (
    "import argparse, bz2, copy, dataclasses, gettext, hashlib, importlib.metadata, json, lzma;"
    "import numpy, onnxruntime, runpy, shutil, venv, zipfile, zipimport;"
    "import ai_edge_litert.interpreter, PIL.features, PIL.JpegImagePlugin, PIL.PngImagePlugin"
)
"""Imports that are compiled once: a third of an emulated run's time."""


class EmulationError(EdgeEmoError):
    """An emulated Pi cannot be made or run."""


@dataclass(frozen=True)
class Root:
    """An arm64 Debian in a folder.

    Attributes:
        release: Debian's release, such as "bookworm".
        folder: Its folder in `CACHE`.
    """

    release: str
    folder: Path

    @property
    def tag(self) -> str:
        """Return its Python tag, such as "cp311"."""
        return "cp" + PYTHONS[self.release].replace(".", "")

    @property
    def path(self) -> Path:
        """Return the folder of Debian's files, which are those under /."""
        return self.folder / "debian"

    @property
    def python(self) -> Path:
        """Return Debian's Python."""
        return self.path / "usr" / "bin" / f"python{PYTHONS[self.release]}"

    @property
    def site(self) -> Path:
        """Return the folder of the unpacked wheels: numpy, Pillow, both engines, dependencies."""
        return self.folder / "site"

    @property
    def wheels(self) -> Path:
        """Return the folder of the wheels themselves, with pip's."""
        return self.folder / "wheels"

    def prefix(self, processor: Processor) -> Path:
        """Return the root as a processor sees it: with its own /proc/cpuinfo."""
        return self.folder / processor.name


def find_missing_packages(tools: Mapping[str, str]) -> list[str]:
    """Return the Debian packages of the programs that are not installed; see `TOOLS`."""
    return [package for program, package in tools.items() if shutil.which(program) is None]


def make_root(release: str, cache: Path = CACHE) -> Root:
    """Make an arm64 root, or return the one in the cache.

    Other versions of the wheels make another root. An interrupted one is made again; processes that
    need the same root wait for each other.

    Args:
        release: A release of Debian, one of `PYTHONS`.
        cache: Folder for all roots; about 300 MB each.

    Raises:
        EmulationError: If a program is missing, or Debian's mirror or the package index cannot be
            reached.
    """
    if missing := find_missing_packages(TOOLS):
        raise EmulationError(f"emulating a Pi requires: apt install {' '.join(missing)}")
    pins = pin_versions(_WHEELS)
    recipe = repr((_RECIPE, _COMPILED, PYTHONS[release], pins))
    key = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    root = Root(release, cache.resolve() / f"{release}-{key}")
    with lock_folder(root.folder):
        if not root.folder.exists():
            with new_folder(root.folder) as partial:
                _fill(Root(release, partial), pins)
    return root


def make_overlay(debian: Path, folder: Path, cpuinfo: str) -> None:
    """Make a root that differs from another in /proc/cpuinfo alone.

    Its files are hard links to the other's: a program that resolves a path would see symbolic ones.

    Args:
        debian: The other root.
        folder: The root to make.
        cpuinfo: The text of /proc/cpuinfo.
    """
    (folder / "proc").mkdir(parents=True)
    (folder / "proc" / "cpuinfo").write_text(cpuinfo, encoding="utf-8")
    for name in ("etc", "lib", "usr"):
        if (debian / name).is_symlink():
            (folder / name).symlink_to((debian / name).readlink())
        else:
            shutil.copytree(debian / name, folder / name, symlinks=True, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def _fill(root: Root, pins: list[str]) -> None:
    python = PYTHONS[root.release]
    packages = f"python{python},python{python}-venv,libstdc++6,base-files"
    unpack_debian(root.release, root.path, packages)
    root.wheels.mkdir()
    try:
        download([*pins, _INSTALLER], root.wheels, tag=root.tag)
    except BundleError as error:
        raise EmulationError(str(error)) from None
    for wheel in sorted(root.wheels.iterdir()):
        if not wheel.name.startswith(f"{_INSTALLER}-"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(root.site)
    for processor in PROCESSORS:
        make_overlay(root.path, root.prefix(processor), processor.render_cpuinfo())
    tried = run_python(
        root, PROCESSORS[0], ["-c", _COMPILED], environment={"PYTHONDONTWRITEBYTECODE": ""}
    )
    if tried.returncode:
        lines = tried.stderr.strip().splitlines() or [f"exit status {tried.returncode}"]
        raise EmulationError(f"the emulated Python {python} does not run: {lines[-1]}")


def unpack_debian(release: str, folder: Path, packages: str) -> None:
    """Download arm64 packages and their dependencies, and unpack them; none of them is run.

    Args:
        release: Debian's release.
        folder: The folder to make.
        packages: Names of the packages, with commas between.

    Raises:
        EmulationError: If Debian's mirror cannot be reached.
    """
    command = [
        "mmdebstrap", "--quiet", "--mode=chrootless", "--arch=arm64", "--variant=extract",
        f"--include={packages}", release, str(folder),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("E: ")]
        reason = errors[0].removeprefix("E: ") if errors else "no message"
        raise EmulationError(
            f"mmdebstrap cannot make an arm64 Debian {release}: {reason}; check that "
            "Debian's mirror can be reached"
        )


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Lock this folder of the cache against other processes that would make it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
