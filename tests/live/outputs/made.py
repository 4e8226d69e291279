"""Observations and events made by hand."""

from __future__ import annotations

from PIL import Image

from edgeemo.imaging.faces import Face
from edgeemo.live.frame import Frame
from edgeemo.live.observation import Event, Observation, TrackedFace
from edgeemo.live.pixels import ImagePixels
from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.spec import ModelSpec
from edgeemo.runtime.prediction import Prediction

LABELS = ("happy", "sad")
SPEC = ModelSpec(labels=LABELS, height=24, width=24, channels=1, faces=FaceSettings())
SPEC_WHOLE = ModelSpec(labels=LABELS, height=24, width=24, channels=1)


def predict(label: str, score: float = 0.75, *, face: Face | None = None) -> Prediction:
    """Return a prediction."""
    guess = label if label in LABELS else LABELS[0]
    other = LABELS[1 - LABELS.index(guess)]
    scores = {guess: score, other: 1 - score}
    return Prediction(label, score, {each: scores[each] for each in LABELS}, guess, face)


def face(
    id: int = 1, label: str = "happy", *, raw: str | None = "sad", box=(40, 30, 60), score=0.75
):
    """Return a face that is followed; `raw` is the label of this frame alone."""
    place = Face(*box) if box else None
    return TrackedFace(
        id=id,
        face=place,
        raw=predict(raw, face=place) if raw else None,
        steady=predict(label, score),
        since_s=0.0,
    )


def see(time_s: float, *faces: TrackedFace, image=None, number: int | None = None, **fields):
    """Return an observation; by default of a grey frame of 160 x 120 pixels."""
    image = image or Image.new("RGB", (160, 120), (120, 120, 120))
    frame = Frame(
        number=round(time_s * 30) if number is None else number,
        time_s=time_s,
        pixels=ImagePixels(image),
    )
    return Observation(frame=frame, faces=faces, **fields)


def change(time_s: float, label: str = "sad", previous: str = "happy", id: int = 1) -> Event:
    """Return the event that a label changed."""
    return Event(
        kind="changed", time_s=time_s, face=face(id, label), previous=previous, duration_s=1.5
    )
