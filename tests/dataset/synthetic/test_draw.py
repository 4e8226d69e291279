from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from edgeemo.dataset import choose_data, draw_faces, draw_golden_images, ensure_practice_faces
from edgeemo.dataset.synthetic.draw import PRACTICE_MARKER, draw_image
from edgeemo.errors import DatasetError
from edgeemo.imaging.preprocess import preprocess
from edgeemo.utils.progress import Silent

from ..conftest import contents


class Counting(Silent):
    def __init__(self):
        self.done = 0

    def advance(self, steps=1, *, detail=""):
        self.done += steps


def test_faces_are_the_same_for_the_same_seed(tmp_path):
    progress = Counting()
    one = draw_faces(tmp_path / "one", count=12, size=64, progress=progress)
    other = draw_faces(tmp_path / "other", count=12, size=64)
    assert contents(one) == contents(other)
    assert progress.done == 12
    another = draw_faces(tmp_path / "another", count=12, size=64, seed=1)
    assert not set(contents(one).values()) & set(contents(another).values()) - {
        (one / PRACTICE_MARKER).read_bytes()
    }


def test_half_are_happy_and_both_formats_occur(tmp_path):
    folder = draw_faces(tmp_path / "faces", count=30, size=32)
    for mood in ("happy", "sad"):
        files = list((folder / mood).iterdir())
        assert len(files) == 15
        for path in files:
            with Image.open(path) as image:
                assert image.size == (32, 32)
                assert image.format == {".jpg": "JPEG", ".png": "PNG"}[path.suffix]
        assert {path.suffix for path in files} == {".jpg", ".png"}


def test_brightness_alone_tells_nothing():
    moods = ["happy", "sad"] * 60
    light = [
        np.asarray(draw_image(np.random.default_rng(number), mood, size=32)).mean()
        for number, mood in enumerate(moods)
    ]
    happy, sad = np.array(light[::2]), np.array(light[1::2])
    auc = (happy[:, None] > sad[None, :]).mean()
    assert 0.35 < auc < 0.65


def test_the_mood_is_in_the_mouth():
    """Averaged over many faces, corners and middle of the mouth swap between the moods."""

    def mean(mood):
        rngs = (np.random.default_rng(number) for number in range(150))
        images = [draw_image(rng, mood, size=64).convert("L") for rng in rngs]
        return np.mean([np.asarray(image, dtype=float) for image in images], axis=0)

    difference = mean("happy") - mean("sad")
    assert np.abs(difference[36:58, 16:48]).max() > 2 * np.abs(difference[:12]).max()


def test_a_folder_in_the_way_stays(tmp_path):
    (tmp_path / "faces").mkdir()
    with pytest.raises(FileExistsError):
        draw_faces(tmp_path / "faces", count=2, size=32)


def test_interrupted_drawing_leaves_nothing(tmp_path):
    class Interrupting(Silent):
        def advance(self, steps=1, *, detail=""):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_faces(tmp_path / "faces", count=4, size=32, progress=Interrupting())
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def few_faces(monkeypatch):
    """Practice folders of four small faces; how often one was drawn."""
    drawn = []

    def draw(folder, **options):
        drawn.append(folder)
        return draw_faces(folder, **{**options, "count": 4, "size": 32})

    monkeypatch.setattr("edgeemo.dataset.synthetic.practice.draw_faces", draw)
    return drawn


def test_own_images_come_first(tmp_path, few_faces):
    (tmp_path / "data" / "happy").mkdir(parents=True)
    assert choose_data(tmp_path) == tmp_path / "data"
    assert few_faces == []


def test_practice_faces_are_drawn_once(tmp_path, few_faces):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "README.md").touch()
    assert choose_data(tmp_path) == tmp_path / "practice-faces"
    assert choose_data(tmp_path) == tmp_path / "practice-faces"
    assert len(few_faces) == 1
    assert len(list((tmp_path / "practice-faces" / "sad").iterdir())) == 2


def test_practice_faces_of_an_older_style_are_drawn_anew(tmp_path, few_faces):
    folder = ensure_practice_faces(tmp_path / "faces")
    marker = json.loads((folder / PRACTICE_MARKER).read_text())
    (folder / PRACTICE_MARKER).write_text(json.dumps({**marker, "style": 0}))
    ensure_practice_faces(folder)
    assert len(few_faces) == 2
    assert json.loads((folder / PRACTICE_MARKER).read_text()) == marker


def test_a_folder_that_is_not_ours_is_not_replaced(tmp_path, few_faces):
    (tmp_path / "practice-faces").mkdir()
    with pytest.raises(DatasetError, match="not drawn by edgeemo"):
        choose_data(tmp_path)
    assert few_faces == []


def test_golden_images_are_of_every_kind(spec48):
    images = draw_golden_images()
    assert images == draw_golden_images()
    assert len(images) == 16
    assert sum(map(len, images)) < 16 * 50_000
    kinds, turned, large = set(), 0, 0
    for content in images:
        with Image.open(io.BytesIO(content)) as image:
            kinds.add((image.format, image.mode))
            turned += image.getexif().get(0x0112, 1) == 6
            large += image.format == "JPEG" and max(image.size) > 1000
        assert preprocess(content, spec48).std() > 5
    wanted = {("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P")}
    assert wanted | {("PNG", "L"), ("PNG", "I;16")} <= kinds
    assert turned
    assert large


def test_golden_images_of_another_seed_differ():
    assert not set(draw_golden_images(count=4, seed=1)) & set(draw_golden_images(count=4, seed=0))
