from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeemo.model.spec import ModelSpec
from edgeemo.model.tables import ReferencePrediction
from edgeemo.verify import Gates
from edgeemo.verify.comparison import compare_predictions
from edgeemo.verify.gates import BACKBONES, parse_kind

SPEC = ModelSpec(labels=("happy", "sad"), height=4, width=4)


def _measured(*, n, flips=0, dp=0.0, extra=0):
    """`n` images that are all sad: `flips` change, `extra` more errors than fewer come of it."""
    wrong = (flips + extra) // 2  # flips that make an error, the others mend one
    reference = [0.6] * (n - flips + wrong) + [0.4] * (flips - wrong)
    candidate = [0.6 - dp] * (n - flips) + [0.4] * wrong + [0.6] * (flips - wrong)
    references = [
        ReferencePrediction(sha256=f"{i:064}", path=f"{i}.png", label="sad", scores=(1 - p, p))
        for i, p in enumerate(reference)
    ]
    return compare_predictions(references, np.asarray([(1 - p, p) for p in candidate]), spec=SPEC)


@pytest.mark.parametrize(
    ("kind", "n", "allowed"),
    [
        ("float32", 100_000, 0),
        ("float16", 999, 1),
        ("float16", 1999, 1),
        ("float16", 2000, 2),
        ("int8", 40, 1),
        ("int8", 199, 1),
        ("int8", 700, 7),
        ("dynamic", 1205, 12),
    ],
)
def test_allowed_flips(kind, n, allowed):
    assert Gates().allowed_flips(kind, n) == allowed


@pytest.mark.parametrize(
    ("kind", "figures", "failures"),
    [
        ("float32", {"n": 50, "dp": 9e-6}, 0),
        ("float32", {"n": 50, "dp": 2e-5}, 1),
        ("float32", {"n": 50, "flips": 1}, 2),
        ("float16", {"n": 50, "dp": 1.9e-3}, 0),
        ("float16", {"n": 50, "dp": 2.1e-3}, 1),
        ("int8", {"n": 300, "dp": 0.05, "flips": 3, "extra": 3}, 0),
        ("int8", {"n": 300, "flips": 4, "extra": 0}, 1),
        ("dynamic", {"n": 300, "flips": 4, "extra": 4}, 2),
        ("dynamic", {"n": 300, "flips": 3, "extra": -3}, 0),
    ],
)
def test_gates(kind, figures, failures):
    assert len(Gates().list_failures(kind, _measured(**figures))) == failures


def test_extra_errors_have_a_gate_of_their_own():
    failures = Gates(max_flips=1).list_failures("int8", _measured(n=50, flips=3, extra=3))
    assert failures == ("3 flips, 1 allowed", "3 extra errors, 1 allowed")


@pytest.mark.parametrize("kind", ["int8", "dynamic"])
def test_99_per_cent_is_unproven_below_300_images(kind):
    assert "unproven" in Gates().list_notes(kind, 299)[0]
    assert Gates().list_notes(kind, 300) == ()
    assert Gates().list_notes("float32", 10) == ()


def test_gates_in_words():
    assert Gates().describe("float32", 10) == "max |Δp| at most 1e-05 and no flip"
    assert Gates().describe("int8", 1205) == (
        "at most 12 flips and at most 12 errors more than the reference model"
    )


@pytest.mark.parametrize("limits", [{"max_flips": -1}, {"float32_max_dp": float("nan")}])
def test_impossible_gates_are_refused(limits):
    with pytest.raises(ValueError, match="gates must be 0 or more"):
        Gates(**limits)


def test_the_kind_comes_from_the_name():
    assert parse_kind(Path("a/int8.onnx")) == "int8"
    with pytest.raises(ValueError, match="not the name of an exported file"):
        parse_kind(Path("model.tflite"))


def test_backbones_are_those_that_can_be_trained():
    from edgeemo.train.networks import backbones

    assert frozenset(backbones.BACKBONES) == BACKBONES


def test_an_architecture_has_gates_of_its_own():
    assert Gates.for_architecture("cnn-bn-64") == Gates.for_architecture(None) == Gates()
    gates = Gates.for_architecture("mobilenet-v2", float16_max_dp=None, max_flips=3)
    assert (gates.float32_max_dp, gates.float16_max_dp, gates.max_flips) == (1e-4, 2e-2, 3)
    assert Gates.for_architecture("vgg16", float32_max_dp=1e-6).float32_max_dp == 1e-6
    assert gates.allowed_flips("float32", 500) == 0


@pytest.mark.parametrize(
    ("given", "n", "kept"),
    [
        (Gates(float32_max_dp=0), 500, Gates()),
        (Gates(float32_max_dp=1e-3), 500, Gates(float32_max_dp=1e-3)),
        (Gates(max_flips=4), 500, Gates()),  # 5 of 500 are 1 in 100
        (Gates(max_flips=6), 500, Gates(max_flips=6)),
        (Gates(max_flips=0, float16_max_dp=1), 500, Gates(float16_max_dp=1)),
    ],
)
def test_of_two_gates_the_looser_limits_are_kept(given, n, kept):
    assert Gates().loosen(given, n) == kept


def test_gates_of_an_imported_model_follow_its_rounding():
    measured = Gates.for_architecture("imported", rounding=1.25e-5)
    assert measured.float32_max_dp == pytest.approx(1e-4)
    assert measured.float16_max_dp == 2e-2
    assert Gates.for_architecture("imported", rounding=1e-9) == Gates()
    assert Gates.for_architecture("imported", rounding=1.0).float32_max_dp == 1e-3
    assert Gates.for_architecture("imported", rounding=1.0, float32_max_dp=0).float32_max_dp == 0
    assert Gates.for_architecture("imported").float32_max_dp == 1e-4
