"""From a frame to an observation: faces are detected, followed, predicted and steadied."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.errors import ImageError
from edgeemo.live.observation import Observation, TrackedFace
from edgeemo.live.steady import Steady

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeemo.live.frame import Frame
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.prediction import Prediction


@dataclass(frozen=True, kw_only=True)
class PipelineSettings:
    """Settings of a pipeline.

    Attributes:
        steady_s: Time constant of the steady prediction, in seconds; 0 for none.
        motion_gate: Whether frames in which nothing moves repeat what was seen before.
    """

    steady_s: float = 0.3
    motion_gate: bool = False


class Pipeline:
    """What is known from one frame to the next.

    Args:
        classifier: The model; with a face detector, if its spec has face settings.
        settings: See `PipelineSettings`.
    """

    def __init__(self, classifier: Classifier, settings: PipelineSettings) -> None:
        self.classifier, self._settings = classifier, settings
        self._steady: dict[int, Steady] = {}
        self._since: dict[int, float] = {}

    def observe(self, frame: Frame, *, passed_over: int = 0) -> Observation:
        """Return what is seen in a frame; a frame that is damaged is an observation, too.

        Args:
            frame: The frame.
            passed_over: Number of frames between the one before and this one.
        """
        begun = time.perf_counter()
        found: Iterable[Prediction]
        try:
            source = frame.pixels.jpeg or frame.pixels.decode()
            found = self.classifier.predict_all(source)
        except ImageError as error:
            return Observation(frame=frame, passed_over=passed_over, error=str(error))
        faces = tuple(self._follow(id, each, frame) for id, each in enumerate(found, start=1))
        ms = {"predict": (time.perf_counter() - begun) * 1000}
        return Observation(frame=frame, passed_over=passed_over, faces=faces, ms=ms)

    def _follow(self, id: int, raw: Prediction, frame: Frame) -> TrackedFace:
        steady = self._steady.setdefault(
            id, Steady(self.classifier.spec, time_constant_s=self._settings.steady_s)
        )
        since = self._since.setdefault(id, frame.time_s)
        return TrackedFace(
            id=id,
            face=raw.face,
            raw=raw,
            steady=steady.update(raw, time_s=frame.time_s),
            since_s=since,
        )
