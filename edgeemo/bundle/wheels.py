"""A folder for devices without internet: the bundle, the wheels that it needs, a script."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bundle.build import Bundle, GoldenKind, make_bundle
from edgeemo.bundle.device.faces import detector_package
from edgeemo.bundle.install_script import NAME, install_script
from edgeemo.bundle.pip import MACHINE, download, pinned, python_version, requirements_text
from edgeemo.errors import BundleError
from edgeemo.utils.files import new_folder
from edgeemo.utils.progress import Progress, Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.face_settings import FaceRequest

_SILENT = Silent()
_WHEELS = "wheels"
_INSTALLER = "pip"  # Debian's Python brings none into a virtual environment


@dataclass(frozen=True, kw_only=True)
class WheelFolder:
    """A folder that installs a bundle without internet.

    Attributes:
        path: The folder.
        bundle: The bundle inside.
        tags: The Pythons that it has wheels for.
        wheels: File names of the wheels.
        size_bytes: Size of everything.
    """

    path: Path
    bundle: Bundle
    tags: tuple[str, ...]
    wheels: tuple[str, ...]
    size_bytes: int


def make_wheel_folder(
    model: Path,
    out: Path,
    *,
    tags: Sequence[str],
    fallback: Path | None = None,
    golden: GoldenKind = "drawn",
    data: Path | None = None,
    faces: FaceRequest | None = None,
    replace: bool = False,
    progress: Progress = _SILENT,
) -> WheelFolder:
    """Make a folder with a bundle, 64-bit ARM wheels of all that it needs, and ``install.sh``.

    The packages are those of the versions installed here, which gave the golden answers; the
    script installs nothing whose hash differs.

    Args:
        model: An exported file, as in `make_bundle`.
        out: The folder to make; the bundle inside is called as it is.
        tags: The Pythons to fetch wheels for, such as "cp311" (Debian 12) and "cp313" (Debian 13).
        fallback: As in `make_bundle`; there are wheels of its engine, too.
        golden: As in `make_bundle`.
        data: As in `make_bundle`.
        faces: As in `make_bundle`; there are wheels of the face detector, too.
        replace: Whether an older folder of this kind gives way.
        progress: Told where it is.

    Raises:
        BundleError: If `out` exists, a tag is not one, or pip cannot fetch the wheels.
    """
    for tag in tags:
        python_version(tag)
    if out.exists() and not (replace and (out / NAME).is_file()):
        remedy = "--force replaces only what --wheels made" if replace else "or give --force"
        raise BundleError(f"{out}: exists already; choose another --out, {remedy}")
    with new_folder(out, replace=replace) as partial:
        file = partial / f"{out.stem}.pyz"
        made = make_bundle(
            model, file, fallback=fallback, golden=golden, data=data, faces=faces, progress=progress
        )
        requirements = [*pinned(_packages(made)), _INSTALLER]
        (partial / _WHEELS).mkdir()
        for tag in tags:
            progress.stage(f"Fetching wheels for Python {python_version(tag)}")
            _fetch(requirements, tag, partial)
        script = install_script(file.name, tags=tags, machine=MACHINE)
        (partial / NAME).write_text(script, encoding="utf-8")
        (partial / NAME).chmod(file.stat().st_mode)
    return WheelFolder(
        path=out,
        bundle=changed(made, path=out / file.name),
        tags=tuple(tags),
        wheels=tuple(sorted(path.name for path in (out / _WHEELS).iterdir())),
        size_bytes=sum(path.stat().st_size for path in out.rglob("*") if path.is_file()),
    )


def _packages(made: Bundle) -> list[str]:
    engines = [made.engine, *([made.fallback.engine] if made.fallback else [])]
    detector = detector_package(made.detector)
    return ["numpy", "pillow", *engines, *([detector] if detector else [])]


def _fetch(requirements: Sequence[str], tag: str, folder: Path) -> None:
    """The wheels of one Python into the folder, with its requirements file."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        download(requirements, tag, Path(work))
        wheels = [path.rename(folder / _WHEELS / path.name) for path in Path(work).iterdir()]
    text = requirements_text(wheels, tag=tag)
    (folder / f"requirements-{tag}.txt").write_text(text, encoding="utf-8")
