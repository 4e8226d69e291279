"""A whole run of the benchmark: the candidates, the machine around them, the report."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from edgeemo import __version__
from edgeemo.bench.conditions import Watch
from edgeemo.bench.launch import Launcher
from edgeemo.bench.measure import Images, measure
from edgeemo.bench.results import BenchmarkReport
from edgeemo.errors import BenchError, ImageError
from edgeemo.utils.system import describe_machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bench.candidates import ExportedFile
    from edgeemo.utils.progress import Progress

MAX_IMAGES = 100
"""How many of a folder's images are taken."""


def run_benchmark(
    files: Sequence[ExportedFile],
    *,
    command: Sequence[str],
    threads: Sequence[int],
    image: str | None,
    seconds: float,
    progress: Progress,
    photo: bytes | None = None,
) -> BenchmarkReport:
    """Measure files on this machine.

    Args:
        files: The exported files.
        command: Starts a worker; see `edgeemo.bench.launch.INSTALLED`.
        threads: Numbers of threads, each tried with each file.
        image: An image file or a folder of them; None for `photo`, or a drawn camera frame.
        seconds: The longest that one candidate's answers are timed.
        progress: Told where it is.
        photo: A drawn photo with faces, for files that find them.

    Raises:
        BenchError: If none of the files can be used, or workers cannot be started.
        ImageError: If an image cannot be read.
    """
    if all(file.problem for file in files):
        raise BenchError("; ".join(file.problem for file in files))
    images = _named(image) if image else _drawn(photo)
    watch = Watch()
    results, versions = measure(
        files,
        threads=threads,
        images=images,
        run=Launcher(command, images.content).run,
        seconds=seconds,
        progress=progress,
        after_round=watch.look,
    )
    return BenchmarkReport(
        edgeemo=__version__,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=describe_machine(),
        versions=versions,
        image=images.what,
        image_sha256=images.sha256,
        conditions=watch.to_dict(),
        warnings=watch.warnings(),
        results=tuple(results),
    )


def _drawn(photo: bytes | None) -> Images:
    from edgeemo.bench.sample_frame import HEIGHT, WIDTH, camera_frame

    content = photo or camera_frame()
    what = "photo with two faces" if photo else "camera frame"
    what = f"a drawn {what}, {WIDTH}x{HEIGHT}, JPEG, {len(content) / 1000:.0f} kB"
    return Images(what, sha256(content).hexdigest(), content=content)


def _named(name: str) -> Images:
    from edgeemo.runtime.inputs import expand

    paths = [path for path in expand([name]) if isinstance(path, str)][:MAX_IMAGES]
    digest, size = sha256(), 0
    for path in paths:
        try:
            with open(path, "rb") as stream:  # noqa: PTH123
                content = stream.read()
        except OSError as error:
            raise ImageError(f"{path}: cannot be read: {error.strerror or error}") from None
        digest.update(content)
        size += len(content)
    if not paths:
        raise ImageError(f"{name}: holds no .jpg, .png or .bmp files")
    images = f"{len(paths)} images, " if os.path.isdir(name) else ""  # noqa: PTH112
    what = f"{name} ({images}{size / len(paths) / 1000:.0f} kB{' each' if images else ''})"
    return Images(what, digest.hexdigest(), tuple(paths))
