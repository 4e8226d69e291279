"""Download wheels for another machine with pip, and pin them by their hashes."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

from edgeemo.errors import BundleError
from edgeemo.utils.files import sha256_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MACHINE = "aarch64"
_OLDEST_GLIBC, _NEWEST_GLIBC = 17, 36  # minor version; Debian 12 has 2.36
_PLATFORMS = (
    *(f"manylinux_2_{minor}_{MACHINE}" for minor in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)),
    f"manylinux2014_{MACHINE}",
)
_TAG = re.compile(r"cp3(\d{2})")
_NAME = re.compile(r"[\w.-]+")


def parse_tag(tag: str) -> str:
    """Return the version of Python of a tag: "3.11" for "cp311".

    Raises:
        BundleError: If it is not such a tag.
    """
    found = _TAG.fullmatch(tag)
    if found is None:
        raise BundleError(f"{tag}: not a Python tag; give cp311 for Python 3.11, cp313 for 3.13")
    return f"3.{found[1]}"


def pin_versions(packages: Iterable[str]) -> list[str]:
    """Pin packages and their dependencies to the versions that are installed here.

    Args:
        packages: Names as pip knows them.

    Returns:
        "NAME==VERSION", sorted.
    """
    pins: dict[str, str] = {}
    waiting = list(packages)
    while waiting:
        name = _normalise(waiting.pop())
        if name in pins:
            continue
        try:
            pins[name] = f"{name}=={version(name)}"
            needs = requires(name) or []
        except PackageNotFoundError:  # for another platform; pip will choose
            continue
        waiting += [_NAME.match(need)[0] for need in needs if "extra ==" not in need]  # type: ignore[index]
    return sorted(pins.values())


def download(requirements: Sequence[str], folder: Path, *, tag: str) -> None:
    """Download wheels, and their dependencies, for one version of Python on 64-bit ARM.

    Args:
        requirements: Requirements in pip's syntax.
        folder: Folder for the wheels.
        tag: Python tag, such as "cp311".

    Raises:
        BundleError: If pip is missing or cannot download them.
    """
    options = [f"--platform={platform}" for platform in _PLATFORMS]
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-input", "--retries=1", "--only-binary=:all:", "--implementation=cp",
        f"--python-version={parse_tag(tag)}", *options, f"--dest={folder}", *requirements,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        reason = lines[-1].removeprefix("ERROR: ")
        raise BundleError(
            f"pip cannot download the wheels of {tag} for {MACHINE}: {reason}; check that the "
            "package index can be reached and has them for this Python"
        )


def render_requirements(wheels: Iterable[Path], *, tag: str) -> str:
    """Render a requirements file for ``pip install --require-hashes``.

    Args:
        wheels: Exactly the wheels to install.
        tag: Their Python tag.
    """
    lines = [f"# Python {parse_tag(tag)} on {MACHINE}; install.sh uses this."]
    for wheel in sorted(wheels):
        name, number = wheel.name.split("-")[:2]
        lines.append(f"{_normalise(name)}=={number} --hash=sha256:{sha256_file(wheel)}")
    return "\n".join(lines) + "\n"


def _normalise(name: str) -> str:
    """Return a package's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()
