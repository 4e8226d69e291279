"""What the network looks at: a network that looks at a corner is shown to do so."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from edgeemo.model.folder import REPORT_HTML, REPORT_JSON
from edgeemo.train import TrainOptions, train
from edgeemo.train.data.pipeline import Pixels
from edgeemo.train.report.attention import draw_attention, paint_importance
from edgeemo.train.report.evaluation import evaluate, predict_split
from edgeemo.train.report.occlusion import (
    BORDER_AREA,
    POSITIONS,
    Importance,
    average_importance,
    measure_importance,
)


def images(count=1, side=64, seed=0):
    drawn = np.random.default_rng(seed)
    return drawn.random((count, side, side, 1)).astype(np.float32)


def look_at(down, across):
    """A network whose log-odds are the variance of one part of the image."""
    return lambda found: 100 * found[:, down, across].astype(np.float64).var(axis=(1, 2, 3))


@pytest.mark.parametrize("side", [20, 48, 64, 75])
@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_corner_is_found(side, corner):
    eighth = side // 8
    down, across = (slice(0, eighth) if end == 0 else slice(side - eighth, side) for end in corner)
    found = measure_importance(images(side=side)[0], look_at(down, across))
    inside = np.zeros((side, side), bool)
    near = side // 4 + 2
    inside[
        slice(0, near) if corner[0] == 0 else slice(side - near, side),
        slice(0, near) if corner[1] == 0 else slice(side - near, side),
    ] = True
    assert found.values[inside].sum() > 0.99 * found.values.sum()
    assert found.values[down, across].min() > 0.9
    assert found.border_share > 0.7


def test_the_middle_is_not_the_border():
    found = measure_importance(images()[0], look_at(slice(24, 40), slice(24, 40)))
    assert found.border_share == pytest.approx(0)
    assert np.unravel_index(found.values.argmax(), (64, 64))[0] in range(24, 40)


def test_everything_alike_is_the_area_of_the_border():
    found = measure_importance(images()[0], look_at(slice(None), slice(None)))
    assert found.border_share == pytest.approx(BORDER_AREA, abs=0.1)


def test_a_network_that_looks_at_nothing_and_places_that_speak_against():
    nothing = measure_importance(images()[0], lambda found: np.zeros(len(found)))
    assert (nothing.decrease, nothing.values.max(), nothing.border_share) == (0, 0, 0)
    against = measure_importance(images()[0], lambda found: -look_at(slice(9), slice(9))(found))
    assert against.decrease == 0


def test_every_place_is_covered_equally_often():
    hidden = np.zeros((64, 64))

    def look(covered):
        assert len(covered) == POSITIONS + 1
        for each in covered[1:]:
            hidden[each[..., 0] != covered[0][..., 0]] += 1
        return np.zeros(len(covered))

    measure_importance(images()[0], look)
    assert (hidden == 4).all()


def test_the_mean_of_several_images():
    one, other = np.zeros((4, 4)), np.zeros((4, 4))
    one[0, 0], other[3, 3] = 1, 0.5
    found = average_importance([Importance(one, 3.0), Importance(other, 1.0)])
    assert (found.values[0, 0], found.values[3, 3]) == (1, 0.5)


@pytest.mark.parametrize("channels", [1, 3])
def test_important_places_are_red_and_others_grey(channels):
    values = np.zeros((8, 8))
    values[0, 0] = 1
    painted = paint_importance(np.full((8, 8, channels), 100, np.uint8), Importance(values, 1.0))
    assert painted.getpixel((0, 0)) == (208, 30, 30)
    assert painted.getpixel((5, 5)) == (100, 100, 100)


@pytest.fixture(scope="module")
def by_corner(tmp_path_factory):
    """A model trained on noise, in which a bright square in a corner tells the class."""
    folder = tmp_path_factory.mktemp("corner")
    for label in ("happy", "sad"):
        (folder / "faces" / label).mkdir(parents=True)
        for number in range(60):
            drawn = np.random.default_rng([number, label == "sad"])
            pixels = drawn.integers(0, 200, (32, 32)).astype(np.uint8)
            pixels[:5, :5] = 255 if label == "sad" else 0
            Image.fromarray(pixels).save(folder / "faces" / label / f"{number}.png")
    options = TrainOptions(arch="cnn-16-32-16", size=32, channels=1, epochs=4, batch_size=8)
    return train(folder / "faces", folder / "model", options=options).folder


@pytest.mark.tensorflow
def test_a_trained_network_that_looks_at_a_corner_is_told(by_corner):
    report = json.loads(by_corner.file(REPORT_JSON).read_text())
    attention = report["attention"]
    assert attention["border_share"] > 0.7
    assert attention["is_border"]
    page = re.sub(r"<[^>]+>", " ", by_corner.file(REPORT_HTML).read_text())
    assert "What the network looks at" in page
    assert "The network looks at the border of the images" in page
    assert any("--html check.html" in step["command"] for step in report["next_steps"])
    assert "plots/attention.png" in report["plots"]
    with Image.open(by_corner.file("plots/attention.png")) as sheet:
        red = np.asarray(sheet.convert("RGB"), int)
    assert ((red[..., 0] - red[..., 1]) > 100).any()


@pytest.mark.tensorflow
def test_mistakes_are_drawn_and_no_test_image_draws_nothing(by_corner, tmp_path):
    from edgeemo.model.keras import load_reference_model

    (tmp_path / "plots").mkdir()
    model, spec = load_reference_model(by_corner), by_corner.read_spec()
    rows = (images(6, side=32, seed=3) * 255).astype(np.uint8)
    pixels = Pixels(rows, np.arange(6) % 2)
    evaluation = evaluate(predict_split(model, pixels, spec=spec), pixels, spec=spec, seed=0)
    found, gallery = draw_attention(
        tmp_path, model, pixels, evaluation=evaluation, spec=spec, seed=0
    )
    wrong = int((~evaluation.right).sum())
    assert len(gallery.tiles) == wrong + (found.images > 0)
    nothing = Pixels(rows[:0], pixels.truth[:0])
    empty = replace(
        evaluation,
        truth=nothing.truth,
        scores=evaluation.scores[:0],
        predicted=evaluation.predicted[:0],
    )
    assert draw_attention(tmp_path, model, nothing, evaluation=empty, spec=spec, seed=0) == (
        None,
        None,
    )
