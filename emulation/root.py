"""An arm64 Debian with Python and the wheels that edgeemo runs with, made once in a cache folder.

    >>> from emulation.root import arm64_root
    >>> arm64_root("bookworm").python  # doctest: +SKIP
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
from emulation.user_mode import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emulation.processors import Processor

PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
"""Debian's release to the Python that it brings; Raspberry Pi OS is built on the same."""

TOOLS = {"mmdebstrap": "mmdebstrap", "qemu-aarch64-static": "qemu-user-static"}
"""Program to the Debian package that holds it."""

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "arm64"

_WHEELS = ("numpy", "pillow", "ai-edge-litert", "onnxruntime")
_INSTALLER = "pip"  # for virtual environments without internet; not installed
_RECIPE = 2  # counted up when a root is made in another way
_COMPILED = (
    "import argparse, bz2, copy, dataclasses, gettext, hashlib, importlib.metadata, json, lzma;"
    "import numpy, onnxruntime, runpy, shutil, venv, zipfile, zipimport;"
    "import ai_edge_litert.interpreter, PIL.features, PIL.JpegImagePlugin, PIL.PngImagePlugin"
)
"""Python and the wheels are compiled as far as this goes: a third of an emulated run's time."""


class EmulationError(EdgeEmoError):
    """An emulated Pi cannot be made or run."""


@dataclass(frozen=True)
class Root:
    """An arm64 Debian in a folder.

    Attributes:
        release: Debian's release, such as "bookworm".
        folder: Everything below; `CACHE` holds it.
    """

    release: str
    folder: Path

    @property
    def tag(self) -> str:
        """Its Python as wheels name it, such as "cp311"."""
        return "cp" + PYTHONS[self.release].replace(".", "")

    @property
    def path(self) -> Path:
        """Debian's files, as they would lie under /."""
        return self.folder / "debian"

    @property
    def python(self) -> Path:
        """Debian's Python."""
        return self.path / "usr" / "bin" / f"python{PYTHONS[self.release]}"

    @property
    def site(self) -> Path:
        """The wheels, unpacked: numpy, Pillow, both engines and what they need."""
        return self.folder / "site"

    @property
    def wheels(self) -> Path:
        """The same as files, with pip among them."""
        return self.folder / "wheels"

    def prefix(self, processor: Processor) -> Path:
        """The root that a processor is to see: its own /proc/cpuinfo, the rest is everybody's."""
        return self.folder / processor.name


def missing_tools(tools: Mapping[str, str]) -> list[str]:
    """The Debian packages of those programs that are not installed here; see `TOOLS`."""
    return [package for program, package in tools.items() if shutil.which(program) is None]


def arm64_root(release: str, cache: Path = CACHE) -> Root:
    """Make an arm64 root, or find it in the cache.

    Other versions of the wheels make another root. One that was interrupted is made again; two
    processes that want the same one wait for each other.

    Args:
        release: A release of Debian, one of `PYTHONS`.
        cache: The folder for all of them; about 300 MB each.

    Raises:
        EmulationError: If a program is missing, or there is no way to Debian's mirror or to the
            package index.
    """
    if missing := missing_tools(TOOLS):
        raise EmulationError(f"nothing to emulate a Pi with: apt install {' '.join(missing)}")
    pins = pin_versions(_WHEELS)
    made_of = repr((_RECIPE, _COMPILED, PYTHONS[release], pins))
    key = hashlib.sha256(made_of.encode()).hexdigest()[:12]
    root = Root(release, cache.resolve() / f"{release}-{key}")
    with only_one_at_a_time(root.folder):
        if not root.folder.exists():
            with new_folder(root.folder) as partial:
                _fill(Root(release, partial), pins)
    return root


def overlay(debian: Path, folder: Path, cpuinfo: str) -> None:
    """A root that differs from another in /proc/cpuinfo alone.

    Its files are the other's by hard links; symbolic ones would be seen by who resolves a path.

    Args:
        debian: The other.
        folder: The root to make.
        cpuinfo: The text to be found there.
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
        download([*pins, _INSTALLER], root.tag, root.wheels)
    except BundleError as error:
        raise EmulationError(str(error)) from None
    for wheel in sorted(root.wheels.iterdir()):
        if not wheel.name.startswith(f"{_INSTALLER}-"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(root.site)
    for processor in PROCESSORS:
        overlay(root.path, root.prefix(processor), processor.cpuinfo())
    tried = run(root, PROCESSORS[0], ["-c", _COMPILED], environment={"PYTHONDONTWRITEBYTECODE": ""})
    if tried.returncode:
        said = tried.stderr.strip().splitlines() or [f"it ends with {tried.returncode}"]
        raise EmulationError(f"the emulated Python {python} does not run: {said[-1]}")


def unpack_debian(release: str, folder: Path, packages: str) -> None:
    """Download arm64 packages and what they need, and unpack them; nothing of them is run.

    Args:
        release: Debian's release.
        folder: Where to; it is made.
        packages: Their names, with commas between.

    Raises:
        EmulationError: If there is no way to Debian's mirror.
    """
    command = [
        "mmdebstrap", "--quiet", "--mode=chrootless", "--arch=arm64", "--variant=extract",
        f"--include={packages}", release, str(folder),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("E: ")]
        reason = errors[0].removeprefix("E: ") if errors else "it does not say why"
        raise EmulationError(
            f"mmdebstrap cannot make an arm64 Debian {release}: {reason}; is there a way to "
            "Debian's mirror?"
        )


@contextmanager
def only_one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until no other process makes this folder of the cache."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
