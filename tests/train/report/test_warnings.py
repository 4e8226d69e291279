from __future__ import annotations

import numpy as np
import pytest

from edgeemo.metrics import measure_classification
from edgeemo.train.report.evaluation import check_probabilities
from edgeemo.train.report.inputs import FitSummary
from edgeemo.train.report.warnings import collect_warnings

LABELS = ("happy", "sad")
FINE = {"train": {"happy": 500, "sad": 500}, "validation": {"happy": 100, "sad": 100}}


def report(confusion):
    """A report with those counts, rows being the truth."""
    pairs = [(t, p) for t, row in enumerate(confusion) for p, n in enumerate(row) for _ in range(n)]
    truth, predicted = np.array(pairs, int).reshape(-1, 2).T
    scores = np.eye(len(confusion))[predicted]
    return measure_classification(truth, predicted, scores, labels=LABELS)


def fitted(best: int, ended: int, *, interrupted: bool = False) -> FitSummary:
    return FitSummary(
        epochs=ended,
        epochs_run=ended,
        best_epoch=best,
        interrupted=interrupted,
        stopped_early=False,
        validates_on_test=False,
    )


def warn(confusion, *, counts=FINE, fitted_=None) -> str:
    return "\n".join(collect_warnings(counts, report(confusion), fit=fitted_ or fitted(3, 9)))


def test_nothing_is_said_where_all_is_well():
    assert warn([[180, 20], [30, 170]]) == ""


@pytest.mark.parametrize(
    ("confusion", "sentence"),
    [
        ([[0, 0], [0, 0]], "The test split is empty"),
        ([[10, 1], [1, 10]], "only 22 images: its accuracy says nothing yet"),
        ([[38, 2], [2, 38]], "known to within 7 percentage points"),
        ([[110, 90], [95, 105]], "not shown to be better than always predicting 'happy'"),
        ([[20, 180], [180, 20]], "is worse than always predicting"),
        ([[200, 0], [100, 0]], "never predicted 'sad' on the test split"),
        ([[300, 0], [0, 9]], "Only 9 test images are of class 'sad'"),
        ([[300, 5], [0, 0]], "No test image is of class 'sad'"),
    ],
)
def test_what_the_test_split_does_not_show(confusion, sentence):
    assert sentence in warn(confusion)


@pytest.mark.parametrize(("n", "points"), [(30, True), (99, True), (100, False)])
def test_the_limits_of_a_small_test_split(n, points):
    confusion = [[n // 2, 0], [0, n - n // 2]]
    assert ("percentage points" in warn(confusion)) is points
    assert "says nothing" not in warn(confusion)


def test_unbalanced_classes():
    counts = {**FINE, "train": {"happy": 1000, "sad": 400}}
    assert "1,000 training images of 'happy', 400 of 'sad'" in warn(
        [[90, 9], [9, 90]], counts=counts
    )


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        (fitted(9, 9), "still falling in the last epoch (9)"),
        (fitted(2, 4, interrupted=True), "interrupted after 4 complete epochs"),
    ],
)
def test_how_the_training_went(how, sentence):
    assert warn([[180, 20], [30, 170]], fitted_=how) == next(
        line for line in warn([[180, 20], [30, 170]], fitted_=how).splitlines() if sentence in line
    )


@pytest.mark.parametrize(
    ("validation", "sentence"),
    [
        ({"happy": 0, "sad": 0}, "The validation split is empty"),
        ({"happy": 5, "sad": 6}, "has only 11 images"),
    ],
)
def test_a_validation_split_too_small_to_choose_by(validation, sentence):
    assert sentence in warn([[180, 20], [30, 170]], counts={**FINE, "validation": validation})


def test_an_imported_model_may_have_seen_the_test_images():
    (sentence,) = collect_warnings(FINE, report([[180, 20], [30, 170]]))
    assert "was trained on is unknown" in sentence


@pytest.mark.parametrize(
    ("outputs", "labels", "message"),
    [
        ([[0.2], [1.7]], 2, r"from 0\.2 to 1\.7: they are not probabilities; end .* a sigmoid"),
        ([[0.2], [-0.1]], 2, "not probabilities"),
        ([[0.2], [np.nan]], 2, "NaN"),
        ([[0.2, 0.3, 0.1]], 3, "do not add up to 1"),
        ([[2.0, -1.0, 0.0]], 3, "end the model with a softmax"),
    ],
)
def test_outputs_that_are_no_probabilities_are_refused(outputs, labels, message):
    from edgeemo.errors import TrainingError
    from edgeemo.model.spec import ModelSpec

    spec = ModelSpec(
        labels=tuple("abc"[:labels]),
        height=8,
        width=8,
        activation="sigmoid" if labels == 2 else "softmax",
    )
    with pytest.raises(TrainingError, match=message):
        check_probabilities(np.array(outputs, np.float32), spec)
    check_probabilities(np.full((4, spec.output_count), 1 / labels, np.float32), spec)


def test_findings_on_processed_images_are_warnings():
    finding = "90% of 200 images are equalised."
    warnings = collect_warnings(FINE, report([[180, 20], [30, 170]]), processing=(finding,))
    assert finding in warnings
