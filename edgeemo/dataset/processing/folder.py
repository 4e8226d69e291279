"""Processing of the images of a folder, from some of them: training does not inspect all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.dataset.pool import map_in_threads
from edgeemo.dataset.processing.sampling import add_green, complete_sample, take_sample
from edgeemo.dataset.processing.shares import ProcessingShare, count_shares
from edgeemo.dataset.processing.traces import measure_traces
from edgeemo.errors import ImageError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.preprocess import decode
from edgeemo.model.input_spec import InputSpec
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edgeemo.dataset.processing.sampling import ImageSample

MEASURED = 200
"""Number of images of a folder that are measured."""

_GREY = InputSpec(height=64, width=64, channels=1)


def measure_folder(root: Path, paths: Iterable[str]) -> tuple[ProcessingShare, ...]:
    """Measure the share of each kind of processing among images.

    Args:
        root: Folder that the paths are relative to.
        paths: The images; those that cannot be read any more are left out.
    """
    names = list(paths)
    found = map_in_threads(
        names, lambda batch: [_sample_file(root / path) for path in batch], progress=Silent()
    )
    samples = {name: sample for name, sample in zip(names, found, strict=True) if sample}
    return count_shares(zip(samples, measure_traces([*samples.values()]), strict=True))


def _sample_file(path: Path) -> ImageSample | None:
    try:
        return _sample_image(path.read_bytes())
    except (OSError, ImageError):
        return None


def _sample_image(content: bytes) -> ImageSample | None:
    with open_image(content) as opened:
        mode, size = opened.mode, opened.stored_size
        sample = take_sample(decode(opened, _GREY), opened, mode=mode, size=size)
    if sample and not sample.is_complete:
        with open_image(content) as opened:
            return complete_sample(sample, opened)
    if sample and sample.is_lossless and mode in ("RGB", "RGBA"):
        with open_image(content) as opened:
            return add_green(sample, opened.decode(grey=False))
    return sample
