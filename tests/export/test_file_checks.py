from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeemo.errors import ExportError
from edgeemo.export.file_checks import check, compute_size_limits, expect
from edgeemo.export.graph import build_deployed
from edgeemo.export.tflite import convert_to_tflite
from edgeemo.model.container import SealedModel

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def expected(plain, spec):
    return expect(plain, spec)


@pytest.fixture(scope="module")
def candidate(plain, spec, tmp_path_factory) -> SealedModel:
    """A dynamic-range file: float at both ends, int8 weights."""
    path = tmp_path_factory.mktemp("candidate") / ".hidden.partial-1"
    content = convert_to_tflite(build_deployed(plain, spec), "dynamic")
    path.write_bytes(content)
    return SealedModel(
        path=str(path), format="tflite", spec=spec, sha256="", size_bytes=len(content)
    )


def test_a_good_file_passes_and_its_partitions_are_counted(candidate, expected):
    assert check(candidate, "dynamic", expected) == 1


def test_the_expectation_counts_what_inference_needs(normalised, plain, spec):
    assert expect(plain, spec).weights == plain.count_params()
    averages = 2 * (4 + 6)
    assert expect(normalised, spec).weights == normalised.count_params() - averages


def test_other_predictions_are_refused(candidate, expected):
    wrong = replace(expected, predictions=1 - expected.predictions)
    with pytest.raises(ExportError, match=r"dynamic\.tflite .*differ .* on average"):
        check(candidate, "dynamic", wrong)


def test_a_float_prediction_may_differ_less(candidate, expected):
    slightly = replace(expected, predictions=expected.predictions + np.float32(2e-2))
    with pytest.raises(ExportError, match=r"float32\.tflite .*0\.0001 is allowed"):
        check(candidate, "float32", slightly)


def test_not_a_number_is_refused(candidate, expected):
    nothing = replace(expected, predictions=np.full_like(expected.predictions, np.nan))
    with pytest.raises(ExportError, match="differ"):
        check(candidate, "dynamic", nothing)


def test_float_tensors_are_refused_in_int8(candidate, expected):
    with pytest.raises(ExportError, match=r"int8\.tflite .*tensors are not integers, such as"):
        check(candidate, "int8", expected)


def test_a_file_without_its_weights_is_refused(candidate, expected):
    with pytest.raises(ExportError, match=r"bytes where 1,000,000 weights need"):
        check(candidate, "dynamic", replace(expected, weights=1_000_000))


def test_what_the_engine_refuses_is_told_by_the_files_own_name(candidate, expected, tmp_path):
    broken = tmp_path / ".broken"
    broken.write_bytes(b"\0" * candidate.size_bytes)
    with pytest.raises(ExportError, match=r"^float16\.tflite .* refuses it") as caught:
        check(replace(candidate, path=str(broken)), "float16", expected)
    assert str(broken) not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "bytes_per_weight"), [("float32", 4), ("float16", 2), ("dynamic", 1), ("int8", 1)]
)
def test_limits_hold_the_right_size_and_not_another(kind, bytes_per_weight):
    least, most = compute_size_limits(kind, weights=1_000_000, layers=10)
    assert least < bytes_per_weight * 1_000_000 < most
    assert not least < 0.1 * bytes_per_weight * 1_000_000 < most
    assert not least < 10 * bytes_per_weight * 1_000_000 < most


def test_int8_may_have_a_scale_for_every_channel_that_the_graph_adds(keras, shaken, spec):
    """A normalisation after Flatten has as many channels as the row is long."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(spec.input_shape),
            layers.Conv2D(8, 3, activation="relu"),
            layers.Flatten(),
            layers.BatchNormalization(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    network = build_deployed(shaken(model), spec)
    images = np.random.default_rng(1).random((4, *spec.input_shape), np.float32)
    images[0, 0, 0], images[0, 0, 1] = 0, 1
    content = convert_to_tflite(network, "int8", calibration=images)
    found = expect(model, spec, network=network)
    limits = {"weights": found.weights, "layers": found.layers}
    least, most = compute_size_limits("int8", **limits, channels=found.channels)
    assert least < len(content) < most
    assert len(content) > compute_size_limits("int8", **limits)[1]


def test_vectors_may_be_folded_away(plain, spec):
    vectors = 4 + 6 + 8 + 1
    assert expect(plain, spec).foldable == vectors
    (least, _), (all_of_them, _) = (
        compute_size_limits("float32", weights=100, layers=1, foldable=count) for count in (40, 0)
    )
    assert least == pytest.approx(0.6 * all_of_them)
