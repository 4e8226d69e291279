"""Drawn faces: what `edgeemo live test` shows."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from edgeemo.live.sources import drawn
from edgeemo.live.sources.choose import choose_source
from edgeemo.live.sources.drawn import MOOD_S
from edgeemo.live.sources.settings import SourceSettings
from edgeemo.runtime.classifier import Classifier

if TYPE_CHECKING:
    import pytest

_HAPPY_SAD = Path(__file__).parents[2] / "models/happy-sad"


def test_the_included_model_is_right_about_them(monkeypatch: pytest.MonkeyPatch):
    classifier = Classifier.load(_HAPPY_SAD)
    fps, frames = 0.75, 24  # 32 s: both people in all that they do
    clock = SimpleNamespace(monotonic=count(step=100).__next__)  # every frame is due
    monkeypatch.setattr(drawn, "time", clock)
    stream = choose_source("test", SourceSettings(fps=fps)).open()
    two, wrong = 0, []
    for number in range(frames):
        frame = stream.read()
        found = sorted(classifier.predict_all(frame.pixels.decode()), key=lambda p: p.face.box[0])
        assert frame.number == number
        two += len(found) == 2
        moods = [int(number / fps / MOOD_S + lead) % 2 for lead in (0, 0.5)][: len(found)]
        wrong += [
            number
            for mood, each in zip(moods, found, strict=True)
            if each.label != ("happy", "sad")[mood]
        ]
    assert wrong == []
    assert two == 14  # 10 of 16 seconds
    stream.close()
    assert stream.read() is None
