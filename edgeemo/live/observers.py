"""What is seen in frames that are looked at: faces that are followed, or the frame as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edgeemo.imaging.preprocess import resize
from edgeemo.live.observation import TrackedFace
from edgeemo.live.steady import Steady

if TYPE_CHECKING:
    from edgeemo.live.frame import Frame
    from edgeemo.live.laps import Laps
    from edgeemo.runtime.classifier import Classifier


class Observer(Protocol):
    """Looks at one frame after the other."""

    @property
    def next_id(self) -> int:
        """Return the id of the next face."""

    def look(self, frame: Frame, laps: Laps) -> tuple[TrackedFace, ...]:
        """Return the faces in a frame, in the order of their ids.

        Args:
            frame: The frame.
            laps: Told when a stage has ended.

        Raises:
            ImageError: If the frame is damaged.
            EngineError: If the model fails.
        """

    def hold(self, time_s: float) -> None:
        """Take a frame in which nothing moves for one that shows the same as the frame before."""

    def change_classifier(self, classifier: Classifier) -> None:
        """Continue with another model."""


def build_observer(classifier: Classifier, *, steady_s: float, first_id: int = 1) -> Observer:
    """Build the observer for a model.

    Args:
        classifier: The model; with a face detector, if its spec has face settings.
        steady_s: Time constant of the steady prediction, in seconds; 0 for none.
        first_id: The id of the first face.
    """
    if classifier.detector is None:
        return FrameObserver(classifier, steady_s=steady_s, first_id=first_id)
    from edgeemo.live.face_observer import FaceObserver  # a bundle without faces lacks its imports

    return FaceObserver(classifier, steady_s=steady_s, first_id=first_id)


class FrameObserver:
    """An `Observer` for a model that takes images whole: one "face", the frame.

    Args:
        classifier: The model.
        steady_s: See `build_observer`.
        first_id: The id of that face.
    """

    def __init__(self, classifier: Classifier, *, steady_s: float, first_id: int = 1) -> None:
        self._classifier, self._id = classifier, first_id
        self._steady = Steady(classifier.spec, time_constant_s=steady_s)
        self._since_s: float | None = None

    @property
    def next_id(self) -> int:
        """See `Observer.next_id`."""
        return self._id + 1

    def look(self, frame: Frame, laps: Laps) -> tuple[TrackedFace, ...]:
        """See `Observer.look`."""
        spec = self._classifier.spec
        image = frame.pixels.decode(spec)
        laps.end("decode")
        raw = self._classifier.predict_pixels(resize(image, spec))
        if self._since_s is None:
            self._since_s = frame.time_s
        steady = self._steady.update(raw, time_s=frame.time_s)
        laps.end("predict")
        return (TrackedFace(id=self._id, face=None, raw=raw, steady=steady, since_s=self._since_s),)

    def hold(self, time_s: float) -> None:
        """See `Observer.hold`."""
        self._steady.hold(time_s)

    def change_classifier(self, classifier: Classifier) -> None:
        """See `Observer.change_classifier`."""
        self._classifier = classifier
        self._steady.change_spec(classifier.spec)
