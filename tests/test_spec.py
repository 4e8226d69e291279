from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.errors import SpecError
from edgeemo.spec import ModelSpec, Provenance

_LABELS = st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=6, unique=True)


@given(
    labels=_LABELS,
    height=st.integers(1, 4096),
    width=st.integers(1, 4096),
    channels=st.sampled_from([1, 3]),
    threshold=st.floats(0.01, 0.99),
)
def test_json_gives_the_same_spec_back(labels, height, width, channels, threshold):
    spec = ModelSpec(
        labels=tuple(labels),
        height=height,
        width=width,
        channels=channels,
        threshold=threshold,
        activation="sigmoid" if len(labels) == 2 else "softmax",
        provenance=Provenance(edgeemo_version="1", source_sha256="ab", date="2026-01-01T00:00:00Z"),
    )
    assert ModelSpec.from_json(spec.to_json(), origin="here") == spec


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": ["happy"]}, "two or more"),
        ({"labels": ["happy", "happy"]}, "different"),
        ({"labels": ["happy", ""]}, "non-empty"),
        ({"height": 0}, "size"),
        ({"channels": 4}, "channels"),
        ({"activation": "tanh"}, "activation"),
        ({"labels": ["a", "b", "c"]}, "sigmoid"),
        ({"threshold": 1.0}, "threshold"),
        ({"resample": "nearest"}, "unknown to this version"),
        ({"scale": 1.0}, "unknown to this version"),
        ({"version": 99}, "version 99"),
        ({"colour": "blue"}, "not a model specification"),
        ({"labels": None}, "not a model specification"),
    ],
)
def test_a_wrong_spec_is_refused_with_its_file_named(spec48, change, said):
    fields = {**json.loads(spec48.to_json()), **change}
    with pytest.raises(SpecError, match=said) as error:
        ModelSpec.from_json(json.dumps(fields), origin="folder/spec.json")
    assert "folder/spec.json" in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "7", "{}", '"x"', "{"])
def test_what_is_no_spec_is_refused(text):
    with pytest.raises(SpecError):
        ModelSpec.from_json(text, origin="x")


def test_the_threshold_itself_answers_the_second_label(spec48):
    assert [spec48.decide(spec48.scores([p])) for p in (0.0, 0.4999, 0.5, 1.0)] == [0, 0, 1, 1]


def test_more_labels_answer_the_first_of_the_largest():
    spec = ModelSpec(labels=("a", "b", "c"), height=8, width=8, activation="softmax")
    assert spec.decide(spec.scores([0.2, 0.4, 0.4])) == 1
