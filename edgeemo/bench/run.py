"""Run the benchmark: measure the candidates, monitor the machine, build the report."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from edgeemo import __version__
from edgeemo.bench.conditions import ConditionsMonitor
from edgeemo.bench.launch import Launcher
from edgeemo.bench.measure import BenchmarkImages, measure_candidates
from edgeemo.bench.results import BenchmarkReport
from edgeemo.errors import BenchError, ImageError
from edgeemo.utils.system import describe_machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bench.candidates import CandidateFile
    from edgeemo.utils.progress import Progress

MAX_IMAGES = 100
"""Maximum number of images of a folder."""
SECONDS = 30.0
"""Default time limit of one candidate's timed predictions."""


def run_benchmark(
    files: Sequence[CandidateFile],
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
        command: Starts a worker; see `edgeemo.bench.launch.WORKER_COMMAND`.
        threads: Numbers of threads, each tried with each file.
        image: An image file or a folder of images; None for `photo`, or a drawn camera frame.
        seconds: Time limit of one candidate's timed predictions, without the start of processes.
        progress: Receiver of progress.
        photo: A drawn photo with faces, for files that detect them.

    Raises:
        BenchError: If none of the files can be used, or workers cannot be started.
        ImageError: If an image cannot be read.
    """
    if all(file.problem for file in files):
        raise BenchError("; ".join(file.problem for file in files))
    images = _read_images(image) if image else _draw_image(photo)
    monitor = ConditionsMonitor()
    results, versions = measure_candidates(
        files,
        threads=threads,
        images=images,
        run=Launcher(command, images.content).run,
        seconds=seconds,
        progress=progress,
        after_round=monitor.update,
    )
    return BenchmarkReport(
        edgeemo=__version__,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=describe_machine(),
        versions=versions,
        image=images.description,
        image_sha256=images.sha256,
        conditions=monitor.summarise(),
        warnings=monitor.list_warnings(),
        results=tuple(results),
    )


def _draw_image(photo: bytes | None) -> BenchmarkImages:
    from edgeemo.bench.sample_frame import HEIGHT, WIDTH, draw_camera_frame

    content = photo or draw_camera_frame()
    kind = "photo with two faces" if photo else "camera frame"
    text = f"a drawn {kind}, {WIDTH}x{HEIGHT}, JPEG, {len(content) / 1000:.0f} kB"
    return BenchmarkImages(text, sha256(content).hexdigest(), content=content)


def _read_images(name: str) -> BenchmarkImages:
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
        raise ImageError(f"{name}: contains no .jpg, .png or .bmp files")
    images = f"{len(paths)} images, " if os.path.isdir(name) else ""  # noqa: PTH112
    text = f"{name} ({images}{size / len(paths) / 1000:.0f} kB{' each' if images else ''})"
    return BenchmarkImages(text, digest.hexdigest(), tuple(paths))
