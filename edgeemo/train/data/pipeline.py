"""From image files to pixels: decoded once, and kept on disk as bytes.

Each split becomes one file of raw uint8 pixels, preprocessed by `edgeemo.imaging.preprocess` and
mapped into memory, so that a dataset may be larger than memory and no epoch decodes an image.
"""

from __future__ import annotations

import errno
import math
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.errors import ImageError, TrainingError
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.tables import SPLITS
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from io import FileIO

    from numpy.typing import NDArray

    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import Sample, Split
    from edgeemo.utils.progress import Progress

_CHUNK = 256
"""Images that are submitted to the threads at a time."""


@dataclass(frozen=True)
class Pixels:
    """The decoded images of one split.

    Attributes:
        rows: (N, H, W, C) uint8, as `edgeemo.imaging.preprocess.preprocess` returns them.
        truth: (N,) int64, index of each image's class in the spec's labels; -1 for another one,
            until it has targets.
        file: File of the rows, for other processes to map; None if they are in memory only.
        targets: (N, K) float32, share of each class in the loss of each image, which together are
            its weight; None where every image has its class, with a weight of 1.
    """

    rows: NDArray[np.uint8]
    truth: NDArray[np.int64]
    file: Path | None = None
    targets: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.truth)

    def head(self, count: int) -> Pixels:
        """Return the first `count` images, or as many as there are."""
        return Pixels(self.rows[:count], self.truth[:count])

    def iter_batches(self, spec: ModelSpec, *, size: int) -> Iterator[NDArray[np.float32]]:
        """Yield the network's input in order: (at most `size`, H, W, C) float32 in [0, 1]."""
        for start in range(0, len(self), size):
            yield self.rows[start : start + size] * np.float32(spec.scale)


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """The images that a network is fitted to.

    Attributes:
        train: The training split.
        validation: The validation split, which may be empty.
        spec: Spec of the model: input, labels, activation, threshold.
    """

    train: Pixels
    validation: Pixels
    spec: ModelSpec


@contextmanager
def decode_splits(
    root: Path,
    samples: Sequence[Sample],
    *,
    spec: ModelSpec,
    detector: FaceDetector | None = None,
    folder: Path,
    progress: Progress | None = None,
) -> Iterator[Mapping[Split, Pixels]]:
    """Decode the three splits into a hidden folder inside `folder`, deleted when the block ends.

    Args:
        root: The data folder that the samples' paths are relative to.
        samples: The images of all splits.
        spec: Gives size, channels and labels.
        detector: The face detector; required where `spec` crops faces.
        folder: A folder with room for N x H x W x C bytes.
        progress: Receives a stage with one step per image.

    Yields:
        Split to its pixels.

    Raises:
        ImageError: If an image can no longer be read.
        TrainingError: If the disk cannot hold the pixels.
    """
    progress = progress or Silent()
    progress.stage("Decoding the images", total=len(samples))
    with tempfile.TemporaryDirectory(prefix=".pixels-", dir=folder) as cache:
        yield {
            split: decode_split(
                root,
                [sample for sample in samples if sample.split == split],
                spec=spec,
                detector=detector,
                path=Path(cache) / split,
                progress=progress,
            )
            for split in SPLITS
        }


def decode_split(
    root: Path,
    samples: Sequence[Sample],
    *,
    spec: ModelSpec,
    detector: FaceDetector | None = None,
    path: Path,
    progress: Progress | None = None,
) -> Pixels:
    """Decode every image once, on all cores, into one file.

    Args:
        root: The data folder that the samples' paths are relative to.
        samples: The images to decode, in the order of the rows.
        spec: Gives size, channels and labels.
        detector: The face detector; required where `spec` crops faces.
        path: The file to write; N x H x W x C bytes.
        progress: Advances by one per image, within the caller's stage.

    Raises:
        ImageError: If an image can no longer be read.
        TrainingError: If the disk cannot hold the file.
    """
    numbers = {label: number for number, label in enumerate(spec.labels)}
    truth = np.array([numbers.get(sample.label, -1) for sample in samples], np.int64)
    shape = (len(samples), *spec.input_shape)
    size_bytes = math.prod(shape)
    with path.open("xb", buffering=0) as file, _explain_full_disk(path, size_bytes):
        _reserve(file, size_bytes)
        sources = [root / sample.path for sample in samples]
        prepare = partial(preprocess, spec=spec, detector=detector)
        _decode_all(file, sources, prepare, math.prod(spec.input_shape), progress or Silent())
    if not samples:  # an empty file cannot be mapped
        return Pixels(np.zeros(shape, np.uint8), truth)
    if sys.platform == "win32":  # where a file that is mapped cannot be deleted
        return Pixels(np.fromfile(path, np.uint8).reshape(shape), truth)
    return Pixels(np.asarray(np.memmap(path, np.uint8, mode="r", shape=shape)), truth, path)


def _reserve(file: FileIO, size_bytes: int) -> None:
    """Reserve the room: a full disk is reported before the slow work, and never by SIGBUS."""
    if size_bytes and hasattr(os, "posix_fallocate"):  # not on macOS and Windows
        os.posix_fallocate(file.fileno(), 0, size_bytes)


@contextmanager
def _explain_full_disk(path: Path, size_bytes: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise
        visible = next(folder for folder in path.parents if not folder.name.startswith("."))
        raise TrainingError(
            f"{visible}: the disk is full: the decoded images need {size_bytes / 1e6:,.1f} MB; "
            "free some space, or choose a smaller --size"
        ) from None


def _decode_all(
    file: FileIO,
    sources: Sequence[Path],
    prepare: Callable[[Path], NDArray[np.uint8]],
    row_bytes: int,
    progress: Progress,
) -> None:
    one_at_a_time = Lock()

    def decode_one(number: int) -> None:
        try:
            row = prepare(sources[number]).tobytes()
        except ImageError as error:  # each has been read before, to be judged
            raise ImageError(
                f"{error}; it has changed since the training began: start again, which excludes "
                "it if it is unusable"
            ) from None
        with one_at_a_time:
            file.seek(number * row_bytes)
            if os.write(file.fileno(), row) != row_bytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow decodes outside Python's lock
        for start in range(0, len(sources), _CHUNK):
            numbers = range(start, min(start + _CHUNK, len(sources)))
            for _ in pool.map(decode_one, numbers):
                progress.advance()
