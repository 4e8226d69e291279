"""Calibration: no TensorFlow here."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.errors import DatasetError, ImageError
from edgeemo.export import ExportOptions
from edgeemo.export.calibration_images import calibrate, choose_samples, complete_range
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.tables import Sample, write_samples
from edgeemo.utils.files import sha256_file, write_file
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from edgeemo.model.folder import ModelFolder

OPTIONS = ExportOptions(int8=True, calibration_count=20)


@pytest.fixture
def folder(make_folder, spec, tmp_path) -> ModelFolder:
    return make_folder(tmp_path / "model", spec, lambda _: None)


def _calibrate(folder, *, options=OPTIONS, data=None):
    return calibrate(folder, options=options, data=data, progress=Silent())


def _samples(counts):
    return [
        Sample(path=f"{label}/{n}", label=label, split="train", sha256=f"{label}{n:03}")
        for label, count in counts.items()
        for n in range(count)
    ]


def _count(chosen):
    return [sum(s.label == label for s in chosen) for label in ("a", "b", "c")]


def test_classes_are_balanced_whatever_the_training_set_is():
    chosen = choose_samples(
        _samples({"a": 90, "b": 20, "c": 30}), ("a", "b", "c"), count=30, seed=0
    )
    assert _count(chosen) == [10, 10, 10]
    assert len(set(chosen)) == 30


def test_a_small_class_gives_what_it_has():
    chosen = choose_samples(_samples({"a": 90, "b": 2, "c": 30}), ("a", "b", "c"), count=31, seed=0)
    assert _count(chosen) == [11, 2, 10]


@given(seed=st.integers(0, 5), order=st.permutations(range(24)))
def test_the_choice_depends_on_the_images_and_the_seed_alone(seed, order):
    listed = _samples({"a": 12, "b": 12})
    moved = [replace(listed[place], path=f"elsewhere/{place}") for place in order]
    chosen, again = (choose_samples(s, ("a", "b"), count=8, seed=seed) for s in (listed, moved))
    assert [s.sha256 for s in chosen] == [s.sha256 for s in again]


def test_another_seed_chooses_others():
    listed = _samples({"a": 50, "b": 50})
    assert choose_samples(listed, ("a", "b"), count=10, seed=0) != choose_samples(
        listed, ("a", "b"), count=10, seed=1
    )


def test_only_training_images_are_read_through_the_one_preprocessing(folder, images, spec):
    calibration = _calibrate(folder)
    assert {sample.split for sample in calibration.samples} == {"train"}
    expected = [preprocess(images / s.path, spec) for s in calibration.samples]
    expected = complete_range(np.stack(expected)) * np.float32(1 / 255)
    assert np.array_equal(calibration.images, expected)
    assert calibration.images.dtype == np.float32
    assert calibration.facts["per_label"] == {"happy": 10, "sad": 10}
    assert calibration.warnings == ()


def test_the_list_is_kept_as_csv(folder, samples):
    rows = [line.split(",") for line in _calibrate(folder).to_csv().splitlines()]
    assert rows[0] == ["path", "label", "sha256"]
    listed = {s.sha256: [s.path, s.label, s.sha256] for s in samples(("happy", "sad"))}
    assert len(rows) == 21
    assert all(row == listed[row[2]] for row in rows[1:])


def test_images_are_found_by_content_in_a_zip(folder, images, tmp_path):
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        for number, path in enumerate(sorted(images.rglob("*.png"))):
            archive.write(path, f"{path.parent.name}/renamed-{number}.png")
    found = _calibrate(folder, data=tmp_path / "faces.zip")
    assert np.array_equal(found.images, _calibrate(folder).images)


@pytest.mark.parametrize(("place", "message"), [("gone", "no such folder"), ("empty", "--data")])
def test_missing_images_are_one_clear_line(folder, tmp_path, place, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=message) as caught:
        _calibrate(folder, data=tmp_path / place)
    assert str(tmp_path / place) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_does_not_say_where_its_images_are_asks_for_data(folder):
    folder.write_json("training.json", {})
    with pytest.raises(DatasetError, match="name their folder with --data"):
        _calibrate(folder)


def test_no_training_images_are_refused(folder, samples):
    test = [s for s in samples(("happy", "sad")) if s.split == "test"]
    write_samples(folder.file("split.csv"), test)
    with pytest.raises(DatasetError, match="training split is empty"):
        _calibrate(folder)


@given(low=st.integers(0, 255), high=st.integers(0, 255))
def test_the_range_is_always_complete(low, high):
    low, high = sorted((low, high))
    pixels = np.full((3, 4, 4, 1), low, np.uint8)
    pixels[1, 2, 2, 0] = high
    completed = complete_range(pixels)
    assert (completed.min(), completed.max()) == (0, 255)
    assert np.array_equal(completed[1:], pixels[1:])
    assert (completed != pixels).sum() <= 2


def test_a_complete_range_is_left_alone(pixels):
    assert complete_range(pixels) is pixels


def test_too_dark_and_too_flat_are_warned_about(folder, monkeypatch):
    from edgeemo.export import calibration_images as module

    read = module.read_images
    dark = {"left": True}

    def first_dark(*args, **kwargs):
        pixels, errors = read(*args, **kwargs)
        return pixels // 20 if dark.pop("left", False) else pixels, errors

    monkeypatch.setattr(module, "read_images", first_dark)
    darker, flatter = _calibrate(folder).warnings
    assert "much darker" in darker
    assert "much flatter" in flatter


def test_a_handful_of_images_is_warned_about(folder):
    (warning,) = _calibrate(folder, options=replace(OPTIONS, calibration_count=4)).warnings
    assert "on only 4 images" in warning


def test_images_that_have_all_gone_bad_are_one_clear_line(folder, tmp_path):
    bad = tmp_path / "faces"
    (bad / "happy").mkdir(parents=True)
    path = write_file(bad / "happy" / "bad.png", b"not an image")
    sample = Sample(path="happy/bad.png", label="happy", split="train", sha256=sha256_file(path))
    write_samples(folder.file("split.csv"), [sample])
    with pytest.raises(DatasetError, match="none of the 1 calibration images can be read"):
        _calibrate(folder, data=bad)


def test_an_image_that_has_gone_bad_is_named_and_left_out(folder, monkeypatch):
    whole, noted = _calibrate(folder), []
    bad = whole.samples[3]

    def fail_once(source, *args, **options):
        if str(source).endswith(bad.path):
            raise ImageError(f"{source}: cannot be read: Input/output error")
        return preprocess(source, *args, **options)

    class Notes(Silent):
        def note(self, text):
            noted.append(text)

    monkeypatch.setattr("edgeemo.export.calibration_images.preprocess", fail_once)
    rest = calibrate(folder, options=OPTIONS, data=None, progress=Notes())
    assert rest.samples == tuple(each for each in whole.samples if each != bad)
    assert rest.facts["count"] == len(rest.images) == len(whole.images) - 1
    np.testing.assert_array_equal(rest.images[3:], whole.images[4:])
    (line,) = noted
    assert line.startswith("warning: ")
    assert bad.path in line
