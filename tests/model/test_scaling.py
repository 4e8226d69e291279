from __future__ import annotations

import json

import pytest

from edgeemo.errors import TrainingError
from edgeemo.model.doubt import Doubt, read_doubt
from edgeemo.model.scaling import PRESETS, Scaling, make_scaling, read_scaling


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_its_record_and_is_told_as_one(name):
    scaling = PRESETS[name]
    assert read_scaling(json.loads(json.dumps(scaling.to_record()))) == scaling
    assert scaling.to_arguments() == ["--preprocess", name]


def test_the_record_of_one_number_is_a_number():
    assert make_scaling(0.5, -1).to_record() == {"scale": 0.5, "offset": -1}
    several = make_scaling((1, 0.5, 0.25), -1, bgr=True)
    assert several.to_record() == {"scale": (1, 0.5, 0.25), "offset": -1, "bgr": True}
    assert several.to_arguments() == ["--scale", "1,0.5,0.25", "--offset", "-1", "--bgr"]


@pytest.mark.parametrize(
    ("scale", "offset", "match"),
    [
        ((1, 2), 0, "--scale takes one number, or three .*; 2 are given"),
        (1, (1, 2, 3, 4), "--offset takes one number, or three .*; 4 are given"),
        (float("nan"), 0, "not possible"),
        ((1, 1, 0), 0, "not possible"),
        (1, (0, 0, float("inf")), "not possible"),
    ],
)
def test_what_is_no_scaling_is_refused(scale, offset, match):
    with pytest.raises(TrainingError, match=match) as caught:
        make_scaling(
            *(tuple(map(float, each)) if isinstance(each, tuple) else float(each)
              for each in (scale, offset))
        )  # fmt: skip
    assert "\n" not in str(caught.value)


def test_a_scaling_in_words():
    assert str(Scaling()) == "pixel × 0.00392156863"
    assert str(PRESETS["[-1,1]"]) == "pixel × 0.00784313725 − 1"
    assert str(PRESETS["imagenet-caffe"]) == (
        "pixel × 1 + (-103.939,-116.779,-123.68), channels in the order BGR"
    )


@pytest.mark.parametrize(
    "recorded", [{"scale": "1"}, {"scale": [1, 2]}, {"scale": 1, "bgr": 1}, {"scale": [True]}]
)
def test_a_malformed_record_is_a_value_error(recorded):
    with pytest.raises(ValueError, match=r"scale|bgr"):
        read_scaling(recorded)


@pytest.mark.parametrize(
    "doubt",
    [
        Doubt(accuracy=0.26, better=0.63, n=256, labels=("sad", "happy")),
        Doubt(accuracy=0.5, better=0.9, n=99, scaling=PRESETS["imagenet-torch"]),
    ],
)
def test_a_doubt_survives_its_record(doubt):
    assert read_doubt({"doubt": json.loads(json.dumps(doubt.to_record()))}) == doubt
    assert read_doubt({}) is None
    with pytest.raises(ValueError, match="doubt"):
        read_doubt({"doubt": {"accuracy": 0.5}})
