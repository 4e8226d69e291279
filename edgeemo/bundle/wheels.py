"""Make a folder for devices without internet: the bundle, the wheels that it needs, a script."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from dataclasses import replace as change
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bundle.build import Bundle, make_bundle
from edgeemo.bundle.device.faces import detector_package
from edgeemo.bundle.install_script import NAME, render_install_script
from edgeemo.bundle.options import BundleOptions
from edgeemo.bundle.pip import MACHINE, download, parse_tag, pin_versions, render_requirements
from edgeemo.errors import BundleError
from edgeemo.utils.files import new_folder
from edgeemo.utils.progress import Progress, Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.utils.paths import StrPath

_SILENT = Silent()
_DEFAULT = BundleOptions()
_WHEELS = "wheels"
_INSTALLER = "pip"  # Debian's Python brings none into a virtual environment


@dataclass(frozen=True, kw_only=True)
class WheelFolder:
    """A folder that installs a bundle without internet.

    Attributes:
        path: The folder.
        bundle: The bundle inside.
        tags: Python tags of the wheels, such as "cp311".
        wheels: File names of the wheels.
        size_bytes: Size of all files.
    """

    path: Path
    bundle: Bundle
    tags: tuple[str, ...]
    wheels: tuple[str, ...]
    size_bytes: int


def make_wheel_folder(
    model: StrPath,
    out: StrPath,
    *,
    tags: Sequence[str],
    options: BundleOptions = _DEFAULT,
    replace: bool = False,
    progress: Progress = _SILENT,
) -> WheelFolder:
    """Make a folder with a bundle, 64-bit ARM wheels of the packages it needs, and ``install.sh``.

    The packages have the versions installed here, which gave the golden outputs; the script
    installs nothing whose hash differs.

    Args:
        model: See `make_bundle`.
        out: The folder to make; it names the bundle inside.
        tags: Python tags to download wheels for, such as "cp311" (Debian 12) and "cp313"
            (Debian 13).
        options: The other contents of the bundle, whose engines and face detector get wheels.
        replace: Whether to replace an older folder of this kind.
        progress: Receiver of progress.

    Raises:
        BundleError: If `out` exists, a tag is not one, or pip cannot download the wheels.
    """
    out = Path(out)
    for tag in tags:
        parse_tag(tag)
    if out.exists() and not (replace and (out / NAME).is_file()):
        remedy = "--force replaces only what --wheels made" if replace else "or give --force"
        raise BundleError(f"{out}: exists already; choose another --out, {remedy}")
    with new_folder(out, replace=replace) as partial:
        file = partial / f"{out.stem}.pyz"
        made = make_bundle(model, file, options=options, progress=progress)
        requirements = [*pin_versions(_list_packages(made)), _INSTALLER]
        (partial / _WHEELS).mkdir()
        for tag in tags:
            progress.stage(f"Downloading wheels for Python {parse_tag(tag)}")
            _download(requirements, tag, partial)
        script = render_install_script(file.name, tags=tags, machine=MACHINE)
        (partial / NAME).write_text(script, encoding="utf-8")
        (partial / NAME).chmod(file.stat().st_mode)
    return WheelFolder(
        path=out,
        bundle=change(made, path=out / file.name),
        tags=tuple(tags),
        wheels=tuple(sorted(path.name for path in (out / _WHEELS).iterdir())),
        size_bytes=sum(path.stat().st_size for path in out.rglob("*") if path.is_file()),
    )


def _list_packages(made: Bundle) -> list[str]:
    engines = [made.engine, *([made.fallback.engine] if made.fallback else [])]
    detector = detector_package(made.detector)
    return ["numpy", "pillow", *engines, *([detector] if detector else [])]


def _download(requirements: Sequence[str], tag: str, folder: Path) -> None:
    """Download the wheels for one Python into the folder, with its requirements file."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        download(requirements, Path(work), tag=tag)
        wheels = [path.rename(folder / _WHEELS / path.name) for path in Path(work).iterdir()]
    text = render_requirements(wheels, tag=tag)
    (folder / f"requirements-{tag}.txt").write_text(text, encoding="utf-8")
