"""Predictions of some frames of video files, each frame by itself."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from dataclasses import replace
from math import floor
from typing import TYPE_CHECKING

from edgeemo.errors import ImageError, SourceError
from edgeemo.live.sources.settings import SourceSettings
from edgeemo.live.sources.video_file import VideoFile
from edgeemo.runtime.prediction import ImageResult
from edgeemo.runtime.stream import predict_images

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from PIL import Image

    from edgeemo.live.sources.base import FrameStream
    from edgeemo.runtime.classifier import Classifier

_ROUNDING_S = 1e-6
"""Seconds by which a frame may come early: times of files are rounded."""


def predict_files(
    classifier: Classifier, paths: Iterable[str], *, every_s: float, workers: int = 1
) -> Generator[ImageResult]:
    """Predict frames of video files.

    Args:
        classifier: The model.
        paths: The files.
        every_s: Seconds between two frames; 0 for every frame. A damaged frame is passed over.
        workers: Number of threads that predict.

    Yields:
        A result per frame, with its time; for a file that cannot be read, or not to its end, a
        result with the error and without a time.

    Raises:
        MissingExtraError: If PyAV is not installed.
    """
    for path in paths:
        yield from _FilePredictor(classifier, path, every_s).predict(workers)


class _FilePredictor:
    def __init__(self, classifier: Classifier, path: str, every_s: float) -> None:
        self._classifier, self._path, self._every_s = classifier, path, every_s
        self._sampled: deque[tuple[float, float]] = deque()
        self._error = ""
        self._has_frame = False

    def predict(self, workers: int) -> Iterator[ImageResult]:
        frames = self._sample()
        with closing(predict_images(self._classifier, frames, workers=workers)) as results:
            for result in results:
                time_s, factor = self._sampled.popleft()
                faces = tuple(
                    replace(each, face=each.face.scale(factor)) if each.face else each
                    for each in result.predictions
                )
                yield replace(result, source=self._path, time_s=time_s, predictions=faces)
        if self._error:
            yield ImageResult(source=self._path, error=self._error, ms=0.0)

    def _sample(self) -> Iterator[Image.Image]:
        try:
            with closing(VideoFile(self._path, SourceSettings()).open()) as stream:
                yield from self._decode(stream)
        except SourceError as error:
            self._error = str(error)
        else:
            if not self._sampled and not self._has_frame:
                self._error = f"{self._path}: every frame is damaged"

    def _decode(self, stream: FrameStream) -> Iterator[Image.Image]:
        spec = self._classifier.spec.for_photos()
        due = 0.0
        while frame := stream.read():
            if frame.time_s < due - _ROUNDING_S:
                continue
            try:
                image = frame.pixels.decode(spec)
            except ImageError:
                continue
            self._has_frame = True
            self._sampled.append((frame.time_s, frame.pixels.size[0] / image.width))
            yield image
            if self._every_s:
                due = (floor(frame.time_s / self._every_s + _ROUNDING_S) + 1) * self._every_s
