from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.metrics import wilson_interval
from edgeemo.model.spec import ModelSpec
from edgeemo.model.tables import ReferencePrediction
from edgeemo.utils.serialize import to_plain
from edgeemo.verify import disagreements
from edgeemo.verify.comparison import compare_predictions

THREE = ModelSpec(
    labels=("happy", "sad", "calm"), height=4, width=4, channels=1, activation="softmax"
)


def _references(scores, truth):
    return [
        ReferencePrediction(
            sha256=f"{i:064}", path=f"{i}.png", label=THREE.labels[k], scores=tuple(row)
        )
        for i, (row, k) in enumerate(zip(scores.tolist(), truth, strict=True))
    ]


@given(st.integers(1, 30), st.integers(0, 10_000))
def test_measuring_three_classes_agrees_with_the_definitions(n, seed):
    random = np.random.default_rng(seed)
    reference, candidate = random.dirichlet(np.ones(3), (2, n))
    truth = random.integers(0, 3, n)
    found = compare_predictions(_references(reference, truth), candidate, spec=THREE)
    theirs, ours = reference.argmax(axis=1), candidate.argmax(axis=1)
    assert [flip.path for flip in found.flips] == [f"{i}.png" for i in np.where(theirs != ours)[0]]
    assert found.agreement == wilson_interval(int((theirs == ours).sum()), n)
    assert found.max_difference == pytest.approx(abs(reference - candidate).max())
    assert found.mean_difference == pytest.approx(abs(reference - candidate).mean())
    assert found.accuracy.net_extra_errors == (theirs == truth).sum() - (ours == truth).sum()


def test_with_a_background_the_accuracy_is_that_of_the_guess_on_the_classes():
    spec = replace(THREE, background="calm")
    expected = np.array([[0.3, 0.2, 0.5], [0.1, 0.7, 0.2], [0.6, 0.1, 0.3], [0.2, 0.1, 0.7]])
    scores = np.array([[0.2, 0.3, 0.5], [0.1, 0.7, 0.2], [0.3, 0.1, 0.6], [0.2, 0.1, 0.7]])
    found = compare_predictions(_references(expected, np.array([0, 1, 0, 2])), scores, spec=spec)
    assert found.flip_count == 1
    assert (found.n, found.accuracy.reference.n) == (4, 3)
    assert found.accuracy.reference.value == 1
    assert found.accuracy.candidate.value == pytest.approx(2 / 3)


def test_the_same_predictions_differ_in_nothing():
    scores = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    found = compare_predictions(_references(scores, [0] * 20), scores, spec=THREE)
    assert (found.flips, found.max_difference, found.accuracy.mcnemar_p) == ((), 0, 1)
    assert found.reference_ece == found.candidate_ece
    assert 0 < found.ece_by_chance < 1


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Call `draw_disagreements` and see what it would draw: (tiles, title)."""
    calls = []

    def keep(tiles, path, *, columns, title):
        calls.append((tiles, title))
        return path

    def draw(reference, found, truth):
        rows = _references(np.asarray(reference), truth)
        images = {row.sha256: row.path for row in rows}
        scores = {name: np.asarray(each) for name, each in found.items()}
        disagreements.draw_disagreements(
            tmp_path / "x.png", rows, scores=scores, images=images, spec=THREE
        )
        return calls[-1]

    monkeypatch.setattr(disagreements, "write_contact_sheet", keep)
    monkeypatch.setattr(
        disagreements, "preprocess", lambda path, spec, detector: np.zeros((4, 4, 1), np.uint8)
    )
    return draw


def test_the_worst_disagreement_comes_first_and_names_its_files(drawn):
    reference = [[0.6, 0.4, 0], [0.9, 0.1, 0], [0.4, 0.6, 0]]
    found = {
        "float32.tflite": reference,
        "int8.tflite": [[0.4, 0.6, 0], [0.1, 0.9, 0], [0.1, 0.9, 0]],
        "int8.onnx": [[0.6, 0.4, 0], [0.2, 0.8, 0], [0.4, 0.6, 0]],
    }
    tiles, title = drawn(reference, found, [1, 0, 0])
    assert [tile.caption.splitlines() for tile in tiles] == [
        [
            "truth: happy",
            "reference: happy 0.9000",
            "int8.tflite: sad 0.9000",
            "int8.onnx: sad 0.8000",
        ],
        ["truth: sad", "reference: happy 0.6000", "int8.tflite: sad 0.6000"],
    ]
    assert [tile.good for tile in tiles] == [False, True]
    assert title.startswith("Another label than the reference model's: 2 of 3 test images.")


def test_where_nothing_flips_the_largest_difference_is_shown(drawn):
    reference = [[0.6, 0.4, 0], [0.9, 0.1, 0]]
    found = {"int8.onnx": [[0.61, 0.39, 0], [0.7, 0.3, 0]]}
    tiles, title = drawn(reference, found, [1, 0])
    assert "int8.onnx: happy 0.7000" in tiles[0].caption
    assert {tile.good for tile in tiles} == {None}
    assert title.startswith("No flip on")


def test_many_flips_say_that_only_the_worst_are_shown(drawn):
    reference, candidate = [[0.9, 0.1, 0]] * 30, [[0.1, 0.9, 0]] * 30
    tiles, title = drawn(reference, {"int8.onnx": candidate}, [0] * 30)
    assert len(tiles) == 18
    assert "The worst 18 are shown." in title


def test_selective_accuracy_is_that_of_both():
    spec = replace(THREE, min_confidence=0.7)
    reference = np.array([[0.8, 0.1, 0.1], [0.6, 0.4, 0], [0.1, 0.9, 0], [0, 0, 1.0]])
    candidate = np.array([[0.6, 0.3, 0.1], [0.7, 0.3, 0], [0.2, 0.8, 0], [0, 0.3, 0.7]])
    found = compare_predictions(_references(reference, [0, 1, 1, 2]), candidate, spec=spec)
    assert found.flips == ()  # by the labels behind "not sure"
    assert found.selective_accuracy.reference.accuracy == wilson_interval(3, 3)
    assert found.selective_accuracy.candidate.accuracy == wilson_interval(2, 3)
    assert found.selective_accuracy.candidate.coverage == wilson_interval(3, 4)
    assert to_plain(found)["selective_accuracy"]["candidate"]["count"] == 3
    plain = compare_predictions(_references(reference, [0, 1, 1, 2]), candidate, spec=THREE)
    assert to_plain(plain)["selective_accuracy"] is None
    assert replace(found, selective_accuracy=None) == plain
