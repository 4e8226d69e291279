"""--collect: crops of which the model was not sure, to learn from."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgeemo.errors import ImageError
from edgeemo.live.crops import MAX_CROPS, crop_as_seen, label_folder, name_crop
from edgeemo.live.outputs.worker import Worker
from edgeemo.utils.files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.live.observation import Event, Observation, TrackedFace
    from edgeemo.live.outputs.clock import Clock
    from edgeemo.live.outputs.images import FrameImages
    from edgeemo.model.spec import ModelSpec

MAX_BYTES = 500_000_000
EVERY_S = 1.0
"""Seconds between two crops of one face."""
LEAD = 0.3
"""Lead of the most probable label over the second below which the model was not sure."""

_REMEMBERED = 32
_SIDE = 16
_ALIKE = 0.99
"""Correlation of thumbnails from which a crop shows nothing new. Frames of a film in which a face
changes its expression reach 0.993 (see `edgeemo.dataset.ingest.near_duplicates`)."""
_FLAT = 1.0
_WAITING = 2
_CLOSE_S = 0.7


@dataclass(frozen=True, kw_only=True)
class _Task:
    """A crop that is to be kept."""

    seen: Observation
    face: TrackedFace
    label: str


class Collector:
    """Writes crops of faces of which the model was not sure, as PNG files in a folder per label.

    The label is the most probable one, to be corrected with ``edgeemo data review``. A crop is what
    the model saw, in colour and before it was reduced. The number and the size of the files are
    bounded, those of earlier runs included.

    Args:
        folder: The folder; it is made.
        spec: The model's specification.
        images: Decodes frames.
        clock: The meaning of times.
        report: Receives a line when the folder is full.
        every_s: Seconds between two crops of one face.
        max_crops: Most crops in the folder.

    Raises:
        OSError: If the folder cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        spec: ModelSpec,
        images: FrameImages,
        clock: Clock,
        *,
        report: Callable[[str], None],
        every_s: float = EVERY_S,
        max_crops: int = MAX_CROPS,
    ) -> None:
        self.name = str(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._spec, self._images, self._clock = folder, spec, images, clock
        self._report, self._every_s, self._max_crops = report, every_s, max_crops
        kept = [file.stat().st_size for file in folder.rglob("*.png")]
        self._crops, self._bytes = len(kept), sum(kept)
        self._is_full = False
        self._last_s: dict[int, float] = {}
        self._thumbnails: deque[NDArray[np.float32]] = deque(maxlen=_REMEMBERED)
        self._worker = Worker(self._keep, limit=_WAITING, waits=not clock.is_live)

    def add_observation(self, seen: Observation) -> None:
        """See `edgeemo.live.outputs.base.Output.add_observation`."""
        if seen.error is not None or self._is_full or not seen.is_moving:
            return
        for face in seen.faces:
            label = find_doubt(face, self._spec)
            since = seen.frame.time_s - self._last_s.get(face.id, float("-inf"))
            if label and (since >= self._every_s or since < 0):
                self._last_s[face.id] = seen.frame.time_s
                self._worker.put(_Task(seen=seen, face=face, label=label))

    def add_event(self, event: Event) -> None:
        """Forget a face that has left."""
        if event.kind == "left" and event.face is not None:
            self._last_s.pop(event.face.id, None)

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`."""
        self._worker.finish(_CLOSE_S if self._clock.is_live else None)

    def _keep(self, task: _Task) -> None:
        if self._is_full:
            return
        if self._crops >= self._max_crops or self._bytes >= MAX_BYTES:
            self._is_full = True
            self._report(f"{self.name}: holds {self._crops:,} crops; no more are collected")
            return
        try:
            crop = self._crop(task)
        except ImageError:
            return  # a damaged frame, or a face beyond its edge
        if not self._is_known(crop):
            self._write(crop, task)

    def _crop(self, task: _Task) -> Image.Image:
        raw = task.face.raw
        return crop_as_seen(
            self._images.take(task.seen.frame), raw.face if raw else None, self._spec
        )

    def _is_known(self, crop: Image.Image) -> bool:
        """Return whether a crop shows nothing, or what one that was kept a moment ago shows."""
        small = crop.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
        pixels = np.asarray(small, np.float32).ravel()
        pixels -= pixels.mean()
        contrast = float(np.linalg.norm(pixels))
        thumbnail = pixels / max(contrast, _FLAT)
        if contrast < _FLAT or any(float(thumbnail @ each) > _ALIKE for each in self._thumbnails):
            return True
        self._thumbnails.append(thumbnail)
        return False

    def _write(self, crop: Image.Image, task: _Task) -> None:
        folder = label_folder(self._folder, task.label)
        folder.mkdir(exist_ok=True)
        raw = task.face.raw or task.face.steady
        when = self._clock.to_name(task.seen.frame.time_s)
        stem = f"{when}_face-{task.face.id}_{task.label}-{raw.scores[task.label]:.2f}"
        path = folder / name_crop(stem, folder)
        with replacing(path) as partial:
            crop.save(partial, "PNG")
            size = partial.stat().st_size
        self._crops, self._bytes = self._crops + 1, self._bytes + size


def find_doubt(face: TrackedFace, spec: ModelSpec) -> str:
    """Return the most probable label of a face of which the model was not sure, else "".

    It was not where it said so, where the second label is nearly as probable, and where this frame
    alone says another label than the ones before.

    Args:
        face: The face.
        spec: The model's specification.
    """
    raw = face.raw
    if raw is None:
        return ""
    first, second = sorted(raw.scores.values(), reverse=True)[:2]
    is_sure = raw.label in spec.labels and raw.label == face.steady.label
    if is_sure and first - second >= LEAD:
        return ""
    return max(raw.scores, key=raw.scores.__getitem__)
