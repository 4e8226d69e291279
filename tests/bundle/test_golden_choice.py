"""Golden images near the middle are drawn until there are enough."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from edgeemo.bundle import golden
from edgeemo.bundle.device.checks import record_golden
from edgeemo.bundle.golden import COUNT, MIN_UNDECIDED, choose_images, count_undecided, draw_images
from edgeemo.bundle.sample_images import read_test_images
from edgeemo.dataset import draw_golden_images
from edgeemo.dataset.synthetic import encode_image
from edgeemo.errors import DatasetError
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.folder import SPLIT, ModelFolder
from edgeemo.model.tables import Sample, write_samples
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.files import sha256_file
from edgeemo.utils.progress import Silent


class Brightness:
    """An engine that answers how bright the middle of the image is, steeply around a place."""

    name = "brightness 1"

    def __init__(self, *, middle=110.0, steepness):
        self._middle, self._steepness = middle, steepness

    def run(self, pixels):
        exponent = self._steepness * (pixels.mean() - self._middle)
        return [float(1 / (1 + np.exp(-np.clip(exponent, -500, 500))))]


def _classifier(spec, **engine):
    return Classifier(spec, Brightness(**engine))


def _undecided(classifier, images):
    goldens = [record_golden(classifier, image, file="x") for image in images]
    return count_undecided(goldens, classifier.spec)


def test_a_saturated_model_gets_blends_between_what_it_tells_apart(spec48):
    classifier = _classifier(spec48, steepness=40)
    first = draw_golden_images(count=COUNT)
    assert _undecided(classifier, first) < MIN_UNDECIDED
    chosen = draw_images(classifier)
    assert len(chosen) == COUNT
    assert _undecided(classifier, chosen) >= MIN_UNDECIDED
    assert chosen == draw_images(classifier)


def test_a_model_that_is_never_in_doubt_gets_what_there_is(spec48):
    classifier = _classifier(spec48, middle=1e6, steepness=1)
    assert draw_images(classifier) == draw_golden_images(count=COUNT)


def test_drawing_stops_when_there_are_enough(spec48, monkeypatch):
    seeds = []

    def counted(*, count, seed=0):
        seeds.append(seed)
        return draw_golden_images(count=count, seed=seed)

    monkeypatch.setattr(golden, "draw_golden_images", counted)
    draw_images(_classifier(spec48, steepness=0))
    assert seeds == [0]


def _grey(level):
    return encode_image(Image.new("L", (20, 20), level), "PNG")


def test_test_images_are_read_until_there_are_enough(spec48):
    classifier = _classifier(spec48, steepness=0.5)
    images = [_grey(level) for level in (*range(40), *range(108, 200))]
    source = iter(images)
    chosen = choose_images(classifier, source)
    assert len(chosen) == COUNT
    assert _undecided(classifier, chosen) == MIN_UNDECIDED
    assert len(list(source)) > 60
    assert choose_images(classifier, images[:5]) == images[:5]


@pytest.fixture
def folder(tmp_path):
    """A model folder with a test split, one image of which is large."""
    data, folder = tmp_path / "faces", ModelFolder(tmp_path / "model")
    folder.path.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    samples = []
    for number in range(30):
        path = data / "happy" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            encode_image(Image.fromarray(noise), "PNG") if number == 0 else _grey(number)
        )
        samples.append(
            Sample(
                path=f"happy/{number}.png",
                label="happy",
                split="test" if number < 20 else "train",
                sha256=sha256_file(path),
            )
        )
    write_samples(folder.file(SPLIT), samples)
    return SimpleNamespace(folder=folder, data=data)


def test_only_small_images_of_the_test_split_are_taken(folder, spec48):
    images = list(read_test_images(folder.folder, folder.data, progress=Silent()))
    levels = {int(preprocess(image, spec48)[0, 0, 0]) for image in images}
    assert levels == set(range(1, 20))


def test_test_images_that_are_gone_are_an_error(folder, tmp_path):
    with pytest.raises(DatasetError, match="--data"):
        list(read_test_images(folder.folder, None, progress=Silent()))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"empty: has no test image"):
        list(read_test_images(folder.folder, tmp_path / "empty", progress=Silent()))
