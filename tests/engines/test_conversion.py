"""From pixels to an input tensor: exactly as its scale, its steps and its axes say."""

from __future__ import annotations

import numpy as np
import pytest

from edgeemo.engines.conversion import build_conversion
from edgeemo.model.adoption import Adoption
from edgeemo.model.spec import ModelSpec

PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14
ALL = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)


def spec(channels=3, **adopted):
    values = {"scale": (1.0,) * channels, "offset": (0.0,) * channels, **adopted}
    shape = {1: (16, 16), 3: (2, 3)}[channels]
    return ModelSpec(
        labels=("a", "b"),
        height=shape[0],
        width=shape[1],
        channels=channels,
        adopted=Adoption(**values) if adopted else None,
    )


def test_channels_axes_and_order():
    given = spec(scale=(1.0, 2.0, 3.0), offset=(0.0, 1.0, 2.0), bgr=True, layout="nchw")
    found = build_conversion(given, np.float32)(PIXELS)
    expected = PIXELS[..., ::-1] * np.float32([1, 2, 3]) + np.float32([0, 1, 2])
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert np.array_equal(found, expected.transpose(2, 0, 1))


@pytest.mark.parametrize("scale", [1 / 255, 1 / 255 + 4.7e-8, 1 / 255.4, 1 / 254.6])
def test_within_half_a_step_of_1_255_pixels_go_in_as_they_are(scale):
    assert abs(255 * scale - 1) <= scale / 2
    convert = build_conversion(spec(1), np.uint8, (scale, 0))
    assert convert(ALL) is ALL
    shifted = build_conversion(spec(1), np.int8, (scale, -128))(ALL)
    assert shifted.dtype == np.int8
    assert np.array_equal(shifted.astype(int), ALL.astype(int) - 128)


@pytest.mark.parametrize(("dtype", "zero_point"), [(np.uint8, 7), (np.int8, -7)])
def test_the_nearest_step_is_taken_and_the_ends_are_kept(dtype, zero_point):
    given = spec(1, scale=(1 / 100,), offset=(-0.3,))
    found = build_conversion(given, dtype, (1 / 90, zero_point))(ALL)
    real = (found.astype(float) - zero_point) / 90
    limits = (np.array([np.iinfo(dtype).min, np.iinfo(dtype).max]) - zero_point) / 90
    expected = np.clip(ALL / 100 - 0.3, *limits)
    assert np.abs(real - expected).max() <= 0.5 / 90 + 1e-9


def test_channels_of_a_quantised_input_have_scalings_of_their_own():
    given = spec(scale=(0.5, 1.0, 1.5), offset=(0.0, 2.0, -10.0))
    found = build_conversion(given, np.uint8, (1.0, 0))(PIXELS)
    expected = np.clip(np.rint(PIXELS * [0.5, 1, 1.5] + np.array([0, 2, -10])), 0, 255)
    assert np.array_equal(found, expected)


def test_an_integer_input_without_a_scale_takes_pixels():
    assert np.array_equal(build_conversion(spec(scale=(1.0,) * 3), np.uint8)(PIXELS), PIXELS)
