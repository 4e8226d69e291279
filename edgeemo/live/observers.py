"""What is seen in frames that are looked at: faces that are followed, or the frame as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from edgeemo.imaging.faces.face import is_inside, stretch_face
from edgeemo.imaging.preprocess import resize
from edgeemo.live.looks import build_search
from edgeemo.live.observation import TrackedFace
from edgeemo.live.steady import Steady
from edgeemo.live.tracking import Tracker

if TYPE_CHECKING:
    from PIL import Image

    from edgeemo.imaging.faces import Face
    from edgeemo.live.frame import Frame
    from edgeemo.live.laps import Laps
    from edgeemo.live.tracking import Track
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.prediction import Prediction


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
    kind = FrameObserver if classifier.detector is None else FaceObserver
    return kind(classifier, steady_s=steady_s, first_id=first_id)


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


class FaceObserver:
    """An `Observer` that detects faces and follows them.

    Args:
        classifier: A model with a face detector.
        steady_s: See `build_observer`.
        first_id: The id of the first face.
    """

    def __init__(self, classifier: Classifier, *, steady_s: float, first_id: int = 1) -> None:
        self._steady_s = steady_s
        self._tracker = Tracker(first_id=first_id)
        self._steady: dict[int, Steady] = {}
        self._shown: dict[int, Prediction] = {}
        self.change_classifier(classifier)

    @property
    def next_id(self) -> int:
        """See `Observer.next_id`."""
        return self._tracker.next_id

    def look(self, frame: Frame, laps: Laps) -> tuple[TrackedFace, ...]:
        """See `Observer.look`."""
        photo = frame.pixels.decode(self._classifier.spec.for_photos())
        laps.end("decode")
        size = frame.pixels.size
        self._tracker.advance(frame.time_s, size)
        scale = size[0] / photo.width
        found = self._search.search(
            photo,
            known={track.id: track.face.scale(1 / scale) for track in self._tracker.tracks},
            time_s=frame.time_s,
        )
        in_photo = {face.scale(scale): face for face in found.faces if is_inside(face, photo.size)}
        laps.end("detect")
        tracks = self._tracker.update(list(in_photo), sought=found.sought)
        laps.end("track")
        raws = [face and self._predict(photo, in_photo[face], face) for _, face in tracks]
        laps.end("predict")
        return self._follow([track for track, _ in tracks], raws, frame.time_s)

    def hold(self, time_s: float) -> None:
        """See `Observer.hold`."""
        self._tracker.hold(time_s)
        for steady in self._steady.values():
            steady.hold(time_s)

    def change_classifier(self, classifier: Classifier) -> None:
        """See `Observer.change_classifier`."""
        if classifier.detector is None:
            raise ValueError("faces are followed by a model with a face detector")
        self._classifier = classifier
        self._search = build_search(classifier.detector)
        for steady in self._steady.values():
            steady.change_spec(classifier.spec)

    def _predict(self, photo: Image.Image, in_photo: Face, face: Face) -> Prediction:
        """Predict a face as `Classifier.predict_all` does.

        Args:
            photo: The decoded frame.
            in_photo: The face in its pixels.
            face: The same in pixels of the whole frame.
        """
        spec = self._classifier.spec
        pixels = resize(stretch_face(photo, in_photo, spec), spec)
        return replace(self._classifier.predict_pixels(pixels), face=face)

    def _follow(
        self, tracks: list[Track], raws: list[Prediction | None], time_s: float
    ) -> tuple[TrackedFace, ...]:
        """Return the faces with steady predictions, and forget those that left."""
        spec = self._classifier.spec
        before, shown = self._steady, self._shown
        self._steady, self._shown = {}, {}
        for track, raw in zip(tracks, raws, strict=True):
            steady = before.get(track.id) or Steady(spec, time_constant_s=self._steady_s)
            self._steady[track.id] = steady
            self._shown[track.id] = steady.update(raw, time_s=time_s) if raw else shown[track.id]
        return tuple(
            TrackedFace(
                id=track.id,
                face=track.face,
                raw=raw,
                steady=replace(self._shown[track.id], face=track.face),
                since_s=track.since_s,
            )
            for track, raw in zip(tracks, raws, strict=True)
        )
