"""Steady labels: the mean over time, hysteresis, "not sure" and background."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeemo.live.steady import Steady
from edgeemo.model.spec import NOT_SURE, ModelSpec
from edgeemo.runtime.prediction import Prediction

TWO = ModelSpec(labels=("happy", "sad"), height=8, width=8, channels=1)
THREE = ModelSpec(
    labels=("happy", "neither", "sad"),
    height=8,
    width=8,
    channels=1,
    activation="softmax",
    background="neither",
)


def predict(spec: ModelSpec, scores) -> Prediction:
    scores = [float(score) for score in scores]
    guess = spec.guess(scores)
    return Prediction(
        label=spec.choose_label(scores),
        score=scores[guess],
        scores=dict(zip(spec.labels, scores, strict=True)),
        guess=spec.labels[guess],
    )


def show(steady: Steady, spec: ModelSpec, rows, *, fps: float = 30, start: int = 0) -> list[str]:
    return [
        steady.update(predict(spec, row), time_s=(start + number) / fps).label
        for number, row in enumerate(rows)
    ]


def of_sad(*probabilities: float) -> list[tuple[float, float]]:
    return [(1 - each, each) for each in probabilities]


def test_zero_turns_it_off() -> None:
    raw = predict(TWO, (0.4, 0.6))
    steady = Steady(TWO, time_constant_s=0)
    steady.update(predict(TWO, (1, 0)), time_s=0)
    assert steady.update(raw, time_s=0.01) is raw


def test_a_label_changes_beyond_the_margin_only_or_in_time() -> None:
    steady = Steady(TWO, time_constant_s=0.3)
    assert set(show(steady, TWO, of_sad(*[0.2] * 60, *[0.55] * 90))) == {"happy"}
    assert show(steady, TWO, of_sad(*[0.7] * 60), start=150)[-1] == "sad"
    steady = Steady(TWO, time_constant_s=0.3)
    labels = show(steady, TWO, of_sad(*[0.2] * 60, *[0.62] * 150))
    assert labels[-1] == "sad"  # for good within the margin, it would be wrong for good
    assert labels.index("sad") > 60 + 15


def test_a_flicker_is_not_shown_and_a_change_once() -> None:
    rng = np.random.default_rng(0)
    p = np.clip(np.r_[rng.normal(0.2, 0.25, 450), rng.normal(0.8, 0.25, 450)], 0, 1)
    labels = show(Steady(TWO, time_constant_s=0.3), TWO, of_sad(*p))
    assert labels == ["happy"] * labels.index("sad") + ["sad"] * (900 - labels.index("sad"))
    assert 450 <= labels.index("sad") < 450 + 20


@settings(max_examples=30)
@given(
    before=st.floats(0, 0.25),
    after=st.floats(0.75, 1),
    tau=st.floats(0.2, 1),
    threshold=st.floats(0.4, 0.6),
)
def test_it_is_the_same_at_5_and_at_30_frames_a_second(before, after, tau, threshold) -> None:
    spec, delays = replace(TWO, threshold=threshold), {}
    for fps in (5, 10, 30):
        steady = Steady(spec, time_constant_s=tau)
        labels = show(steady, spec, of_sad(*[before] * fps * 3, *[after] * fps * 20), fps=fps)
        assert labels[: fps * 3] == ["happy"] * fps * 3
        delays[fps] = (labels.index("sad") - fps * 3) / fps
    assert abs(delays[5] - delays[30]) <= 1 / 5 + 0.1 * delays[30] + 1e-6


@settings(max_examples=50)
@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=20))
def test_scores_are_probabilities_and_the_label_is_one_of_them(rows) -> None:
    spec = replace(THREE, min_confidence=0.5)
    steady = Steady(spec, time_constant_s=0.3)
    for number, row in enumerate(rows):
        found = steady.update(predict(spec, np.array(row) + 1e-9), time_s=number / 10)
        assert sum(found.scores.values()) == pytest.approx(1)
        assert found.label in (found.guess, NOT_SURE, "neither")
        assert found.guess in ("happy", "sad")
        assert found.score == found.scores[found.guess]


def test_the_background_does_not_show_in_between() -> None:
    rows = [(0.97, 0.03, 0.0)] * 30 + [(0.0, 0.03, 0.97)] * 30
    assert set(show(Steady(THREE, time_constant_s=0.3), THREE, rows)) == {"happy", "sad"}
    rows = [(0.9, 0.05, 0.05)] * 30 + [(0.05, 0.9, 0.05)] * 30
    assert show(Steady(THREE, time_constant_s=0.3), THREE, rows)[-1] == "neither"


def test_not_sure_has_a_hysteresis_too_and_a_threshold_counts_at_once() -> None:
    spec = replace(TWO, min_confidence=0.7)
    steady = Steady(spec, time_constant_s=0.3)
    assert show(steady, spec, of_sad(0.8)) == ["sad"]
    assert set(show(steady, spec, of_sad(*[0.6] * 60), start=1)) == {"sad"}
    assert show(steady, spec, of_sad(*[0.52] * 90), start=61)[-1] == NOT_SURE
    assert show(steady, spec, of_sad(*[0.8] * 60), start=151)[-1] == NOT_SURE
    steady.change_spec(TWO)
    assert show(steady, TWO, of_sad(0.8), start=211) == ["sad"]
    steady.change_spec(replace(TWO, min_confidence=0.9))
    assert show(steady, TWO, of_sad(0.8), start=212) == [NOT_SURE]


def test_a_long_pause_and_other_labels_begin_anew() -> None:
    steady = Steady(TWO, time_constant_s=0.3)
    assert show(steady, TWO, of_sad(0.0)) == ["happy"]
    assert steady.update(predict(TWO, (0.45, 0.55)), time_s=60).label == "sad"
    steady.change_spec(THREE)
    assert steady.update(predict(THREE, (0.9, 0.1, 0)), time_s=60.1).label == "happy"
