from __future__ import annotations

import json
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.metrics import (
    Interval,
    apply_temperature,
    auc,
    auc_interval,
    bin_by_confidence,
    choose_bins,
    compare_accuracy,
    confusion_matrix,
    expected_calibration_error,
    find_min_confidence,
    mcnemar_p_value,
    measure_calibration_error,
    measure_classification,
    measure_selective_accuracy,
    softmax,
    wilson_interval,
)
from edgeemo.utils.serialize import to_plain

proportions = st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
# Few distinct scores, so that ties are common.
scored = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60).filter(
    lambda rows: len({positive for positive, _ in rows}) == 2
)


@given(proportions)
def test_wilson_lies_within_0_and_1_and_contains_the_estimate(case):
    successes, n = case
    interval = wilson_interval(successes, n)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.n == n


@given(proportions.filter(lambda case: case[1] > 0))
def test_wilson_ends_solve_the_score_equation(case):
    """At an end p, the estimate lies 1.96 standard errors, taken at p, away from p."""
    successes, n = case
    interval = wilson_interval(successes, n)
    for end in (interval.low, interval.high):
        error = math.sqrt(end * (1 - end) / n)
        assert abs(interval.value - end) == pytest.approx(1.959963984540054 * error, abs=1e-9)


@given(proportions)
def test_wilson_is_symmetric(case):
    successes, n = case
    one, other = wilson_interval(successes, n), wilson_interval(n - successes, n)
    if n:
        assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))


def test_wilson_against_a_published_example():
    """Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263."""
    interval = wilson_interval(81, 263)
    assert (interval.low, interval.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_wilson_of_nothing_says_nothing():
    assert wilson_interval(0, 0) == Interval(value=0.0, low=0.0, high=1.0, n=0)


@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 2), (0, -1)])
def test_wilson_refuses_impossible_counts(successes, n):
    with pytest.raises(ValueError, match="successes"):
        wilson_interval(successes, n)


@given(scored)
def test_auc_is_the_share_of_concordant_pairs(rows):
    truth, score = zip(*rows, strict=True)
    ones = [s for t, s in rows if t]
    zeros = [s for t, s in rows if not t]
    concordant = sum((a > b) + 0.5 * (a == b) for a in ones for b in zeros)
    assert auc(truth, score) == pytest.approx(concordant / (len(ones) * len(zeros)))


@given(scored)
def test_auc_interval_lies_within_0_and_1_and_contains_the_estimate(rows):
    truth, score = zip(*rows, strict=True)
    interval = auc_interval(truth, score)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.low < interval.high


def test_delong_variance_against_its_definition():
    """The variance by midranks is the variance of the pairwise placements."""
    random = np.random.default_rng(3)
    truth = random.random(80) < 0.4
    score = np.round(random.normal(truth, 1.0), 1)
    pairs = (score[truth][:, None] > score[~truth]) + 0.5 * (score[truth][:, None] == score[~truth])
    variance = sum(pairs.mean(axis=axis).var(ddof=1) / pairs.shape[1 - axis] for axis in (0, 1))
    value = pairs.mean()
    reach = 1.959963984540054 * math.sqrt(variance) / (value * (1 - value))
    low = 1 / (1 + math.exp(-(math.log(value / (1 - value)) - reach)))
    assert auc_interval(truth, score).low == pytest.approx(low)


@pytest.mark.parametrize(("successes", "n"), [(0, 7), (81, 263), (999, 1000), (1000, 1000)])
def test_wilson_and_mcnemar_against_scipy(successes, n):
    stats = pytest.importorskip("scipy.stats")
    ends = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
    interval = wilson_interval(successes, n)
    assert (interval.low, interval.high) == pytest.approx((ends.low, ends.high), abs=1e-12)
    p_value = stats.binomtest(successes, n, 0.5).pvalue
    assert mcnemar_p_value(successes, n - successes) == pytest.approx(p_value, abs=1e-12)


@given(scored)
def test_auc_against_scipy(rows):
    stats = pytest.importorskip("scipy.stats")
    truth, score = (np.array(column) for column in zip(*rows, strict=True))
    wins = stats.mannwhitneyu(score[truth], score[~truth]).statistic
    assert auc(truth, score) == pytest.approx(wins / (truth.sum() * (~truth).sum()))


def test_auc_needs_both_classes():
    with pytest.raises(ValueError, match="both classes"):
        auc([1, 1], [0.1, 0.2])


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_summed_binomial_and_symmetric(b, c):
    n = b + c
    tail = sum(math.comb(n, k) for k in range(min(b, c) + 1)) / 2**n
    assert mcnemar_p_value(b, c) == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar_p_value(b, c) == mcnemar_p_value(c, b)


def test_mcnemar_of_many_images_stays_a_number():
    assert 0 < mcnemar_p_value(5000, 5200) < 0.06
    assert mcnemar_p_value(0, 5000) == 0.0


def test_mcnemar_refuses_negative_counts():
    with pytest.raises(ValueError, match="counts"):
        mcnemar_p_value(-1, 3)


@given(st.lists(st.floats(-1000, 1000), min_size=2, max_size=5), st.floats(-100, 100))
def test_softmax_sums_to_1_and_ignores_a_constant(logits, constant):
    values = np.array(logits)
    probabilities = softmax(values)
    assert probabilities.sum() == pytest.approx(1)
    np.testing.assert_allclose(softmax(values + constant), probabilities, atol=1e-9)
    assert softmax([0.0, math.log(3)]).tolist() == pytest.approx([0.25, 0.75])


def test_calibration_error_of_a_perfectly_calibrated_toy_is_0():
    confidence = np.repeat([0.6, 0.8, 1.0], 50)
    correct = np.concatenate([np.arange(50) < 50 * c for c in (0.6, 0.8, 1.0)])
    assert expected_calibration_error(confidence, correct, bins=3) == pytest.approx(0)
    assert expected_calibration_error(confidence, correct) == pytest.approx(0)


def test_calibration_error_of_the_overconfident_is_their_excess():
    assert expected_calibration_error([0.9] * 10, [True] * 6 + [False] * 4) == pytest.approx(0.3)


def test_calibration_bins_hold_equally_many():
    """Two bins of two: |0.55 - 0.5| and |0.95 - 1|, whatever the width between them."""
    error = expected_calibration_error([0.5, 0.6, 0.9, 1.0], [0, 1, 1, 1], bins=2)
    assert error == pytest.approx((0.05 + 0.05) / 2)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
def test_calibration_error_does_not_depend_on_the_order(rows, random):
    shuffled = random.sample(rows, len(rows))
    one, other = (
        expected_calibration_error([c / 5 for c, _ in r], [right for _, right in r], bins=4)
        for r in (rows, shuffled)
    )
    assert one == pytest.approx(other)
    assert 0 <= one <= 1


def test_calibration_error_of_nothing_is_0():
    assert expected_calibration_error([], []) == 0


@pytest.mark.parametrize(
    ("images", "bins"), [(1, 2), (20, 2), (100, 5), (299, 14), (300, 15), (9999, 15)]
)
def test_fewer_bins_where_there_are_few_images(images, bins):
    assert choose_bins(images) == bins
    stated = np.linspace(0.5, 1, images)
    assert len(bin_by_confidence(stated, stated > 0.7)) == min(bins, images)


@pytest.mark.parametrize("images", [20, 200, 2000])
def test_perfectly_calibrated_predictions_are_told_from_overconfident_ones(images):
    drawn = np.random.default_rng(0)
    shown = {}
    for excess in (0.0, 0.3):
        found = []
        for _ in range(40):
            stated = drawn.uniform(0.5, 1, images)
            found.append(measure_calibration_error(stated, drawn.random(images) < stated - excess))
        shown[excess] = np.mean([each.is_shown for each in found])
        values = [each.error.value for each in found]
        if not excess:
            assert np.mean([each.by_chance for each in found]) == pytest.approx(
                np.mean(values), rel=0.2
            )
    assert shown[0.0] <= 0.15
    assert shown[0.3] >= (0.5 if images == 20 else 1)


def test_fifteen_bins_of_twenty_images_show_mostly_chance():
    """A quarter, whatever the model: so that many bins are not made."""
    stated = np.linspace(0.5, 1, 20)
    found = measure_calibration_error(stated, stated > 0.7, bins=15)
    assert found.by_chance == pytest.approx(0.24, abs=0.03)


def test_the_interval_of_the_calibration_error_holds_the_true_one():
    drawn = np.random.default_rng(1)
    hits = 0
    for _ in range(60):
        stated = drawn.uniform(0.6, 1, 500)
        error = measure_calibration_error(stated, drawn.random(500) < stated - 0.2).error
        hits += error.low <= 0.2 <= error.high
    assert hits >= 52


def test_calibration_error_without_images_is_unknown():
    found = measure_calibration_error([], [])
    assert (found.error.low, found.error.high, found.is_shown) == (0, 1, False)


def test_confusion_matrix_rows_are_the_truth():
    matrix = confusion_matrix([0, 0, 1, 2], [0, 1, 1, 0], classes=3)
    assert matrix.dtype == np.int64
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize(
    ("truth", "predicted"), [([0, 2], [0, 1]), ([0, -1], [0, 1]), ([0, 1], [0])]
)
def test_confusion_matrix_refuses_what_does_not_fit(truth, predicted):
    with pytest.raises(ValueError):
        confusion_matrix(truth, predicted, classes=2)


def _answers(n, classes, seed):
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, n)
    scores = random.dirichlet(np.ones(classes), n)
    scores[np.arange(n), truth] += 0.6
    scores /= scores.sum(axis=1, keepdims=True)
    return truth, scores.argmax(axis=1), scores


def _intervals(content):
    if isinstance(content, dict) and "low" in content:
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from _intervals(value)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_report_agrees_with_the_definitions(classes):
    truth, predicted, scores = _answers(200, classes, seed=classes)
    labels = [f"class{k}" for k in range(classes)]
    report = measure_classification(truth, predicted, scores, labels=labels)
    assert report.accuracy.value == pytest.approx((truth == predicted).mean())
    for k, label in enumerate(labels):
        precision = (truth[predicted == k] == k).mean()
        recall = (predicted[truth == k] == k).mean()
        found = report.per_class[label]
        assert found.precision.value == pytest.approx(precision)
        assert found.recall.value == pytest.approx(recall)
        assert found.f1.value == pytest.approx(2 * precision * recall / (precision + recall))
        assert found.support == (truth == k).sum()
    for name in ("precision", "recall", "f1"):
        mean = np.mean([getattr(each, name).value for each in report.per_class.values()])
        assert getattr(report.macro, name).value == pytest.approx(mean)
    each = [auc(truth == k, scores[:, k]) for k in range(classes)]
    assert report.auc is not None
    assert report.auc.value == pytest.approx(np.mean(each))


def test_every_interval_of_a_report_contains_its_value_and_survives_json():
    truth, predicted, scores = _answers(60, 3, seed=1)
    report = measure_classification(truth, predicted, scores, labels=("a", "b", "c"))
    content = json.loads(json.dumps(to_plain(report), allow_nan=False))
    intervals = list(_intervals(content))
    assert len(intervals) == 1 + 9 + 3 + 1
    assert all(0 <= i["low"] <= i["value"] <= i["high"] <= 1 and i["n"] > 0 for i in intervals)


def test_a_faultless_small_test_is_not_called_certain():
    truth = np.repeat([0, 1], 5)
    report = measure_classification(truth, truth, np.eye(2)[truth], labels=("a", "b"))
    intervals = list(_intervals(to_plain(report)))
    assert all(interval["value"] == interval["high"] == 1 for interval in intervals)
    assert all(interval["low"] < 0.8 for interval in intervals)


def test_a_class_without_images_is_left_out_of_the_averages():
    truth, predicted = [0, 0, 1, 1], [0, 0, 1, 0]
    scores = np.eye(3)[predicted]
    report = measure_classification(truth, predicted, scores, labels=("a", "b", "c"))
    assert report.per_class["c"].recall == wilson_interval(0, 0)
    assert report.macro.recall.value == pytest.approx(0.75)


def test_one_class_alone_has_no_auc():
    report = measure_classification([1, 1], [1, 0], np.eye(2)[[1, 0]], labels=("a", "b"))
    assert report.auc is None
    assert to_plain(report)["auc"] is None


def test_no_image_at_all_is_reported_without_a_fault():
    report = measure_classification([], [], np.empty((0, 2)), labels=("a", "b"))
    assert report.n == 0
    assert report.accuracy == wilson_interval(0, 0)


def test_the_bootstrap_is_seeded():
    truth, predicted, scores = _answers(50, 2, seed=4)
    first, second, other = (
        measure_classification(truth, predicted, scores, labels=("a", "b"), seed=seed).macro
        for seed in (0, 0, 1)
    )
    assert first == second
    assert first != other


def test_the_bootstrap_narrows_as_wilson_does():
    """With balanced classes macro recall is the accuracy: their intervals have to be close."""
    truth = np.repeat([0, 1], 400)
    predicted = np.where(np.arange(800) % 5 == 0, 1 - truth, truth)
    report = measure_classification(truth, predicted, np.eye(2)[predicted], labels=("a", "b"))
    assert report.macro.recall.low == pytest.approx(report.accuracy.low, abs=0.006)
    assert report.macro.recall.high == pytest.approx(report.accuracy.high, abs=0.006)


def test_paired_accuracy_counts_both_sides():
    ours = [True] * 6 + [False] * 4
    theirs = [True] * 3 + [False] * 3 + [True] + [False] * 3
    found = compare_accuracy(ours, theirs)
    assert (found.only_reference_right, found.only_candidate_right) == (3, 1)
    assert found.net_extra_errors == 2
    assert found.difference == pytest.approx(-0.2)
    assert found.mcnemar_p == mcnemar_p_value(3, 1)
    assert to_plain(found)["net_extra_errors"] == 2


confidences = st.lists(st.tuples(st.integers(0, 8), st.booleans()), max_size=60)


@given(confidences, st.integers(1, 20))
def test_the_bins_hold_all_images_and_give_the_calibration_error(rows, bins):
    stated, right = [c / 8 for c, _ in rows], [r for _, r in rows]
    found = bin_by_confidence(stated, right, bins=bins)
    counts = [each.count for each in found]
    assert len(found) == min(bins, len(rows))
    assert sum(counts) == len(rows)
    assert not counts or max(counts) - min(counts) <= 1
    assert [each.confidence for each in found] == sorted(each.confidence for each in found)
    assert sum(each.count * each.accuracy for each in found) == pytest.approx(sum(right))
    gaps = sum(each.count * abs(each.accuracy - each.confidence) for each in found)
    error = expected_calibration_error(stated, right, bins=bins)
    assert error * len(rows) == pytest.approx(gaps)


probabilities = st.lists(st.floats(1e-4, 1), min_size=2, max_size=5).map(
    lambda row: np.array([row]) / sum(row)
)
temperatures = st.floats(0.2, 5)


@given(probabilities, temperatures)
def test_a_temperature_keeps_the_order_and_the_sum(scores, temperature):
    after = apply_temperature(scores, temperature)
    assert after.sum() == pytest.approx(1)
    order = np.argsort(scores[0], kind="stable")
    assert (np.diff(after[0][order]) >= -1e-12).all()


@given(probabilities, temperatures)
def test_a_temperature_is_undone_by_its_inverse(scores, temperature):
    # From 1 on the logits shrink, and nothing comes near what float32 cannot tell from 0.
    up = max(temperature, 1 / temperature)
    np.testing.assert_allclose(
        apply_temperature(apply_temperature(scores, up), 1 / up), scores, atol=1e-9
    )


@given(st.floats(0.01, 0.99), temperatures)
def test_two_labels_are_a_sigmoid(p, temperature):
    logit = math.log(p / (1 - p)) / temperature
    assert apply_temperature([[1 - p, p]], temperature)[0, 1] == pytest.approx(
        1 / (1 + math.exp(-logit))
    )


def test_a_temperature_of_1_changes_nothing_and_0_is_none():
    scores = [[0.0, 1.0], [1e-12, 1 - 1e-12]]
    np.testing.assert_array_equal(apply_temperature(scores, 1), scores)
    with pytest.raises(ValueError, match="temperature"):
        apply_temperature(scores, 0)


def _honest(count, seed):
    """Two labels' probabilities that are true, mostly far from the middle, and the truth."""
    drawn = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-drawn.normal(0, 3, count)))
    return np.stack([1 - p, p], axis=1), (drawn.random(count) < p).astype(int)


@given(st.integers(0, 200), st.integers(0, 1000), st.floats(0.5, 1))
def test_min_confidence_is_the_smallest_that_meets_the_target(count, seed, target):
    scores, truth = _honest(count, seed)
    predicted = scores.argmax(axis=1)
    found = find_min_confidence(scores, truth, predicted, target)
    stated, right = scores.max(axis=1), predicted == truth

    def low(least):
        return measure_selective_accuracy(stated, right, min_confidence=least).accuracy.low

    below = np.arange(256) / 256
    if found.reachable:
        assert low(found.min_confidence) >= target
        below = below[below < found.min_confidence]
    else:
        assert found.min_confidence == 0
        assert found.achieved.count == count
    assert all(low(least) < target for least in below)
    assert found.achieved == measure_selective_accuracy(
        stated, right, min_confidence=found.min_confidence
    )
    assert found.best.accuracy.low == max(low(k / 256) for k in range(256))


def test_target_holds_on_other_images():
    """A threshold at which the share itself just fits would fall short about half of the time."""
    short = 0
    other, truth = _honest(50_000, seed=0)
    for seed in range(1, 41):
        scores, known = _honest(1500, seed)
        least = find_min_confidence(scores, known, scores.argmax(axis=1), 0.95).min_confidence
        right = other.argmax(axis=1) == truth
        found = measure_selective_accuracy(other.max(axis=1), right, min_confidence=least)
        short += found.accuracy.value < 0.95
    assert short <= 4


def test_unreachable_target():
    scores = np.full((40, 2), 0.5)
    found = find_min_confidence(scores, [0, 1] * 20, [1] * 40, 0.9)
    assert not found.reachable
    assert found.text == (
        "40 validation images do not show an accuracy of 0.9: that of the 40 most confident "
        "predictions is 0.500 (0.352 to 0.648); the model predicts a label for every image"
    )


def test_73_correct_predictions_show_95_percent_and_72_do_not():
    for count, reachable in ((72, False), (73, True)):
        scores = np.tile([0.1, 0.9], (count, 1))
        found = find_min_confidence(scores, [1] * count, [1] * count, 0.95)
        assert found.reachable == reachable
    assert found.text.startswith("the model predicts a label for every image: accuracy 1.000")


def test_abstention_as_text():
    scores = np.array([[0.3, 0.7]] * 100 + [[0.1, 0.9]] * 100)
    found = find_min_confidence(scores, [0] * 50 + [1] * 150, [1] * 200, 0.95)
    assert found.min_confidence == 180 / 256  # the first step above 0.7
    assert found.text == (
        "100 of 200 validation images (50.0%) reach the confidence threshold 0.7031: "
        "accuracy 1.000 (0.963 to 1.000), target 0.95"
    )
    assert json.dumps(to_plain(found))


@pytest.mark.parametrize("target", [0, -1, 1.1, 95, math.nan])
def test_a_target_that_is_no_share_is_refused(target):
    with pytest.raises(ValueError, match="target accuracy"):
        find_min_confidence([[0.5, 0.5]], [0], [0], target)


def test_the_memory_of_a_calibration_error_does_not_grow_with_the_draws():
    confidence = np.random.default_rng(0).random(60_000)
    tracemalloc.start()
    try:
        measure_calibration_error(confidence, confidence > 0.5)
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()
