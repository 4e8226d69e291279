"""From a frame to an observation: faces are detected, followed, predicted and steadied."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgeemo.errors import EdgeEmoError
from edgeemo.live.gate import MIN_OPEN_S, MotionGate
from edgeemo.live.laps import Laps
from edgeemo.live.observation import Observation, TrackedFace
from edgeemo.live.observers import build_observer
from edgeemo.live.steady import SLOW
from edgeemo.runtime.classifier import Classifier

if TYPE_CHECKING:
    from edgeemo.live.controls import Controls
    from edgeemo.live.frame import Frame
    from edgeemo.model.spec import ModelSpec


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
    """What is known from one frame to the next. One thread uses it.

    A frame is decoded once, as `edgeemo predict` decodes it. It costs two looks for faces, and
    `edgeemo.live.tracking.MAX_FACES` predictions, at most.

    Attributes:
        classifier: The model in use.

    Args:
        classifier: The model; with a face detector, if its spec has face settings.
        settings: See `PipelineSettings`.
    """

    def __init__(self, classifier: Classifier, settings: PipelineSettings) -> None:
        self.classifier = self._given = classifier
        self._settings = settings
        self._observer = build_observer(classifier, steady_s=settings.steady_s)
        self._gate = self._build_gate()
        self._faces: tuple[TrackedFace, ...] = ()
        self._size = (0, 0)

    def apply(self, controls: Controls) -> None:
        """Continue with the model and the confidence threshold of the controls.

        Raises:
            SpecError: If the threshold does not fit the model.
        """
        given, min_confidence = controls.classifier or self._given, controls.min_confidence
        if min_confidence is None:
            min_confidence = given.spec.min_confidence
        if given is self._given and min_confidence == self.classifier.spec.min_confidence:
            return
        spec = replace(given.spec, min_confidence=min_confidence)
        before, self._given, self.classifier = self.classifier, given, _replace_spec(given, spec)
        if (before.detector is None) == (given.detector is None):
            self._observer.change_classifier(self.classifier)
        else:
            self._observer = build_observer(
                self.classifier,
                steady_s=self._settings.steady_s,
                first_id=self._observer.next_id,
            )
        self._gate = self._build_gate()

    def observe(self, frame: Frame, *, passed_over: int = 0) -> Observation:
        """Return what is seen in a frame; a frame that is damaged is an observation, too.

        Args:
            frame: The frame.
            passed_over: Number of frames between the one before and this one.
        """
        laps, seen = Laps(), Observation(frame=frame, passed_over=passed_over)
        try:
            if self._is_still(frame, laps):
                self._observer.hold(frame.time_s)
                return replace(seen, faces=self._faces, is_moving=False, ms=laps.ms)
            self._faces = self._observer.look(frame, laps)
        except EdgeEmoError as failure:
            return replace(seen, ms=laps.ms, error=str(failure))
        except Exception as failure:  # one frame never ends a run
            from edgeemo.utils.text import one_line

            return replace(seen, ms=laps.ms, error=f"frame: {one_line(failure)}")
        if self._gate is not None and not all(map(_is_settled, self._faces)):
            self._gate.stay_open()
        return replace(seen, faces=self._faces, ms=laps.ms)

    def _is_still(self, frame: Frame, laps: Laps) -> bool:
        """Return whether the motion gate keeps a frame from being looked at."""
        if self._gate is None or self._gate.is_held(frame.time_s):
            return False
        luma = frame.pixels.luma()
        laps.end("decode")
        before, self._size = self._size, frame.pixels.size
        is_still = not self._gate.is_open(luma, frame.time_s) and self._size == before
        laps.end("gate")
        return is_still

    def _build_gate(self) -> MotionGate | None:
        """Build the gate, which stays open until the labels have settled."""
        if not self._settings.motion_gate:
            return None
        return MotionGate(open_s=max(MIN_OPEN_S, SLOW * self._settings.steady_s))


def _replace_spec(classifier: Classifier, spec: ModelSpec) -> Classifier:
    return Classifier(
        spec,
        classifier.engine,
        detector=classifier.detector,
        verified=classifier.verified,
        path=classifier.path,
        threads=classifier.threads,
    )


def _is_settled(face: TrackedFace) -> bool:
    """Return whether the steady label is that of the frame."""
    return face.raw is None or face.raw.label == face.steady.label
