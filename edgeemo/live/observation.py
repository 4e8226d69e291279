"""What is seen in a frame, and the events that follow from one frame to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.imaging.faces import Face
    from edgeemo.live.frame import Frame
    from edgeemo.runtime.prediction import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedFace:
    """A face that is followed from frame to frame, or the frame as a whole.

    Attributes:
        id: Its number, from 1, which no other face of the run has; a model that takes images whole
            has one "face", 1.
        face: Its smoothed bounding box, in pixels of the whole frame; None for the whole frame.
        raw: The prediction of this frame alone; None where it was not detected in this frame.
        steady: The prediction over time: `label` changes only when the change is certain, and
            `scores` are the smoothed probabilities.
        since_s: `Frame.time_s` of the frame in which it appeared.
    """

    id: int
    face: Face | None
    raw: Prediction | None
    steady: Prediction
    since_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What is seen in one frame.

    Attributes:
        frame: The frame.
        passed_over: Number of the source's frames between the one before and this one.
        faces: The faces, in the order of their ids; those that are not detected in this frame but
            have been a moment ago included.
        is_moving: Whether the frame was looked at; False where the motion gate saw no change and
            `faces` repeats what was seen before.
        ms: Milliseconds per stage, of "decode", "gate", "detect", "track" and "predict".
        error: Why the frame cannot be used, or None.
    """

    frame: Frame
    passed_over: int = 0
    faces: tuple[TrackedFace, ...] = ()
    is_moving: bool = True
    ms: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None


EventKind = Literal["appeared", "changed", "left", "lost", "back"]
"""A face appeared, its label changed, it left; the source was lost, it is back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A change that is worth a message.

    Attributes:
        kind: What happened.
        time_s: `Frame.time_s` of the frame with which it happened; of "lost" and "back" the moment
            on `time.monotonic`'s clock.
        face: The face as it is now, of "left" as it was last seen; None of the source's events.
        previous: The label before, of "changed"; else empty.
        duration_s: Seconds: of "changed" for which the previous label was shown, of "left" for
            which the face was there, of "back" for which the source was lost; else 0.
        text: Why the source was lost; else empty.
    """

    kind: EventKind
    time_s: float
    face: TrackedFace | None = None
    previous: str = ""
    duration_s: float = 0.0
    text: str = ""
