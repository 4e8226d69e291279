"""Write docs/licences.md with pip-licenses: ``python docs/make_licences.py``."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TARGET = Path(__file__).with_name("licences.md")
EXTRAS = (
    "",
    "onnx",
    "data",
    "train",
    "tune",
    "cluster",
    "distributed",
    "faces",
    "tensorboard",
    "sign",
    "mlflow",
    "mqtt",
    "live",
    "serve",
)
"""The extras of edgeemo; "" is an installation without any."""

_HEAD = """# Licences

Made by `make docs` with [pip-licenses](https://pypi.org/project/pip-licenses/); do not edit.

edgeemo is under the [Apache License 2.0](../LICENSE), and so are its models in `models/`. It
contains two files of others: `blazeface.tflite` and `blazeface_full_range.tflite` in
`edgeemo/imaging/faces`, the face detectors of MediaPipe, Apache License 2.0 (see the NOTICE beside
them). The package includes them, and so does every bundle that finds faces.

Everything else is installed by pip, in the versions of `constraints.txt`, under the licence that
its authors state (UNKNOWN: the package names none). The wheel of av holds FFmpeg with x264 and
x265, which are under the GPL: neither edgeemo's wheel nor a bundle contains it.

The wheel of `av` (PyAV), which `[live]` installs for video, contains FFmpeg and other libraries,
among them x264 and x265 under the GNU General Public License, version 2 or later. edgeemo neither
contains nor passes on that wheel, and no bundle includes it; whoever ships a device with it takes
on the obligations of that licence.

| package | licence | installed with |
|---|---|---|
"""


def list_dependencies(extra: str) -> set[str]:
    """Return the normalised names of the packages that an extra of edgeemo installs here."""
    found: set[str] = set()
    left = [("edgeemo", extra)]
    seen = set(left)
    while left:
        name, wanted = left.pop()
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:  # for other systems or Pythons
            continue
        found.add(canonicalize_name(name))
        for text in requires:
            need = Requirement(text)
            if need.marker and not need.marker.evaluate({"extra": wanted}):
                continue
            new = {(need.name, each) for each in ("", *need.extras)} - seen
            left += new
            seen |= new
    return found - {"edgeemo"}


def find_origins() -> dict[str, str]:
    """Return the first extra that installs each package."""
    origin: dict[str, str] = {}
    for extra in EXTRAS:
        for name in list_dependencies(extra):
            origin.setdefault(name, f"`[{extra}]`" if extra else "every installation")
    return origin


def render() -> str:
    """Return the whole page."""
    command = [
        sys.executable,
        "-m",
        "piplicenses",
        "--format=json",
        "--from=mixed",
        "--with-system",
    ]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    installed = {canonicalize_name(each["Name"]): each for each in json.loads(printed)}
    origin = find_origins()
    rows = (
        f"| {installed[name]['Name']} | {_shorten(installed[name]['License'])} | {origin[name]} |"
        for name in sorted(origin)
    )
    return _HEAD + "\n".join(rows) + "\n"


def _shorten(licence: str) -> str:
    """Return a licence in one line; some packages state the whole text."""
    first = licence.strip().splitlines()[0]
    return first.replace("|", "/")


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
