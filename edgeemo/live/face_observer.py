"""The observer that detects faces in frames and follows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

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


class FaceObserver:
    """An `edgeemo.live.observers.Observer` that detects faces and follows them.

    Args:
        classifier: A model with a face detector.
        steady_s: See `edgeemo.live.observers.build_observer`.
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
        """See `edgeemo.live.observers.Observer.next_id`."""
        return self._tracker.next_id

    def look(self, frame: Frame, laps: Laps) -> tuple[TrackedFace, ...]:
        """See `edgeemo.live.observers.Observer.look`."""
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
        """See `edgeemo.live.observers.Observer.hold`."""
        self._tracker.hold(time_s)
        for steady in self._steady.values():
            steady.hold(time_s)

    def change_classifier(self, classifier: Classifier) -> None:
        """See `edgeemo.live.observers.Observer.change_classifier`."""
        if classifier.detector is None:
            raise ValueError("faces are followed by a model with a face detector")
        self._classifier = classifier
        self._search = build_search(classifier.detector)
        for id, steady in self._steady.items():
            steady.change_spec(classifier.spec)
            self._shown[id] = steady.relabel(self._shown[id])

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
