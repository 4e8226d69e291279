from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from edgeemo.model.keras import import_keras
from edgeemo.train.data.augment import augment, draw_augmented_sheet
from edgeemo.train.data.augmentations import AUGMENTATIONS, Augmentation
from edgeemo.train.data.pipeline import Pixels

pytestmark = pytest.mark.tensorflow

STRONG = AUGMENTATIONS["strong"]


def load_tensorflow():
    import_keras()
    import tensorflow

    return tensorflow


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Six soft random patterns, (6, 24, 32, 3): higher than wide would hide a mixed-up axis."""
    coarse = np.random.default_rng(0).uniform(0.2, 0.8, (6, 6, 8, 3)).astype(np.float32)
    tf = load_tensorflow()
    return tf.image.resize(coarse, (24, 32), "bicubic").numpy().clip(0, 1)


def changed(images, ranges, seed=(1, 2)) -> np.ndarray:
    tf = load_tensorflow()
    result = augment(tf.constant(images), augmentation=ranges, seed=tf.constant(seed))
    return result.numpy()


def distance(one, other) -> np.ndarray:
    """Mean absolute difference of each image."""
    return np.abs(one - other).mean(axis=(1, 2, 3))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_shape_type_and_range_stay(faces, name):
    for channels in (1, 3):
        result = changed(faces[..., :channels], AUGMENTATIONS[name])
        assert (result.shape, result.dtype) == (faces[..., :channels].shape, np.float32)
        assert result.min() >= 0
        assert result.max() <= 1


def test_none_changes_nothing_and_the_others_every_image(faces):
    assert np.array_equal(changed(faces, AUGMENTATIONS["none"]), faces)
    light, strong = (
        distance(changed(faces, AUGMENTATIONS[name]), faces).min() for name in ("light", "strong")
    )
    assert light > 0.005
    assert strong > 0.005


def test_the_seed_alone_fixes_the_images(faces):
    first = changed(faces, STRONG)
    assert np.array_equal(changed(faces, STRONG), first)
    assert distance(changed(faces, STRONG, seed=(1, 3)), first).min() > 0.005
    assert distance(changed(faces, STRONG, seed=(2, 2)), first).min() > 0.005


def test_a_dataset_makes_what_an_eager_call_makes(faces):
    tf = load_tensorflow()
    batches = tf.data.Dataset.range(4).map(
        lambda number: augment(tf.constant(faces), augmentation=STRONG, seed=tf.stack([7, number])),
        num_parallel_calls=2,
    )
    for number, batch in enumerate(batches):
        expected = changed(faces, STRONG, seed=np.array([7, number]))
        assert np.allclose(batch, expected, atol=1e-6)


def test_equal_images_are_changed_differently(faces):
    same = np.repeat(faces[:1], 20, axis=0)
    each = changed(same, Augmentation(rotation=10, brightness=0.2))
    assert len({image.tobytes() for image in each}) == 20


def test_flip_mirrors_left_for_right(faces):
    assert np.allclose(changed(faces, Augmentation(flip=1.0)), faces[:, :, ::-1], atol=1e-5)
    many = np.repeat(faces[:1], 400, axis=0)
    flipped = np.isclose(changed(many, Augmentation(flip=0.25)), many[:, :, ::-1], atol=1e-5)
    assert 60 < flipped.all(axis=(1, 2, 3)).sum() < 140  # 100 are expected, 9 the deviation


def spot(at) -> np.ndarray:
    """400 black 41x61 images with a soft white spot at (row, column)."""
    rows, columns = np.mgrid[:41, :61]
    white = np.exp(-((rows - at[0]) ** 2 + (columns - at[1]) ** 2) / 8)
    return np.repeat(white[None, :, :, None].astype(np.float32), 400, axis=0)


def centres(images) -> np.ndarray:
    """(N, 2): row and column of each image's white."""
    rows, columns = np.mgrid[:41, :61]
    light = images[..., 0] / images.sum(axis=(1, 2, 3))[:, None, None]
    return np.stack([(light * rows).sum((1, 2)), (light * columns).sum((1, 2))], axis=1)


def test_shift_is_a_share_of_height_and_width():
    moved = centres(changed(spot((20, 30)), Augmentation(shift=0.2))) - (20, 30)
    for axis, length in ((0, 41), (1, 61)):
        assert np.abs(moved[:, axis]).max() == pytest.approx(0.2 * length, rel=0.05)
        assert abs(moved[:, axis].mean()) < 0.05 * length
    assert abs(np.corrcoef(moved.T)[0, 1]) < 0.2


def test_rotation_is_in_degrees_about_the_centre():
    moved = centres(changed(spot((20, 42)), Augmentation(rotation=30))) - (20, 30)
    assert np.hypot(*moved.T) == pytest.approx(12, abs=0.1)
    angles = np.degrees(np.arctan2(*moved.T))
    assert (angles.min(), angles.max()) == pytest.approx((-30, 30), abs=1)


def test_zoom_is_a_share_about_the_centre():
    moved = centres(changed(spot((20, 40)), Augmentation(zoom=0.25))) - (20, 30)
    assert np.abs(moved[:, 0]).max() < 0.1
    assert (moved[:, 1].min(), moved[:, 1].max()) == pytest.approx((7.5, 12.5), abs=0.2)


def test_what_comes_into_view_is_the_image_mirrored_not_black():
    bright = np.full((50, 24, 24, 1), 0.7, np.float32)
    assert np.allclose(
        changed(bright, replace(AUGMENTATIONS["light"], brightness=0)), 0.7, atol=1e-5
    )


def test_brightness_is_added():
    grey = np.full((400, 8, 8, 1), 0.5, np.float32)
    after = changed(grey, Augmentation(brightness=0.2))
    assert np.ptp(after, axis=(1, 2, 3)).max() < 1e-6
    assert (after.min(), after.max()) == pytest.approx((0.3, 0.7), abs=0.01)


def test_contrast_keeps_the_mean(faces):
    after = changed(faces, Augmentation(contrast=0.2))
    assert np.allclose(after.mean(axis=(1, 2, 3)), faces.mean(axis=(1, 2, 3)), atol=1e-3)
    ratio = after.std(axis=(1, 2, 3)) / faces.std(axis=(1, 2, 3))
    assert ((ratio > 0.79) & (ratio < 1.21)).all()
    assert np.ptp(ratio) > 0.05


def test_noise_is_a_standard_deviation():
    grey = np.full((400, 24, 24, 1), 0.5, np.float32)
    deviations = changed(grey, Augmentation(noise=0.05)).std(axis=(1, 2, 3))
    assert deviations.max() == pytest.approx(0.05, rel=0.1)
    assert deviations.mean() == pytest.approx(0.025, rel=0.15)


def test_an_erased_patch_is_a_square_of_the_mean_within_the_image():
    board = np.indices((40, 40)).sum(axis=0) % 2
    boards = np.repeat(board[None, :, :, None].astype(np.float32), 200, axis=0)
    gone = np.isclose(changed(boards, Augmentation(erased=0.5)), 0.5)[..., 0]
    heights, widths = gone.any(axis=2).sum(axis=1), gone.any(axis=1).sum(axis=1)
    assert (gone.sum(axis=(1, 2)) == heights * widths).all()
    assert np.abs(heights - widths).max() <= 1
    assert 18 <= heights.max() <= 20
    assert gone.any(axis=(0, 1)).all()  # it can be anywhere
    assert gone.any(axis=(0, 2)).all()


def test_a_blur_is_gaussian_of_a_deviation_up_to_its_share_of_the_height():
    points = np.zeros((300, 41, 31, 1), np.float32)
    points[:, 20, 15] = 1
    spread = changed(points, Augmentation(blur=0.05))[..., 0]
    assert spread.sum(axis=(1, 2)) == pytest.approx(1, abs=1e-5)
    down, across = (np.square(np.arange(n) - n // 2) for n in (41, 31))
    variance = (spread.sum(axis=2) * down).sum(axis=1), (spread.sum(axis=1) * across).sum(axis=1)
    assert np.allclose(*variance, atol=1e-5)
    deviation = np.sqrt(variance[0])
    assert deviation.max() == pytest.approx(0.05 * 41, rel=0.08)  # the tails are cut
    assert deviation.min() < 0.3
    assert 0.8 < deviation.mean() < 1.1


def test_light_and_strong_hold_what_the_tutorials_use():
    for name in ("light", "strong"):
        ranges = AUGMENTATIONS[name]
        used = (ranges.flip, ranges.rotation, ranges.shift, ranges.zoom, ranges.brightness)
        assert all(used)


def test_the_sheet_shows_what_the_function_makes(tmp_path, spec32):
    rows = np.random.default_rng(1).integers(0, 256, (20, 32, 32, 1), np.uint8)
    pixels = Pixels(rows, np.arange(20) % 2)
    paths = [
        draw_augmented_sheet(
            tmp_path / f"{number}.png", pixels, spec=spec32, augmentation=ranges, seed=seed
        )
        for number, (ranges, seed) in enumerate(
            [(STRONG, 3), (STRONG, 3), (STRONG, 2**32 - 1), (AUGMENTATIONS["none"], 3)]
        )
    ]
    first, again, other = (path.read_bytes() for path in paths[:3])
    assert first == again
    assert first != other
    with Image.open(paths[3]) as sheet:
        drawn = np.asarray(sheet.convert("L"))
    first_row = rows[0, :, :, 0].repeat(6, axis=0).repeat(6, axis=1)
    places = [
        top
        for top in range(drawn.shape[0] - 191)
        if np.array_equal(drawn[top : top + 192, 20 : 20 + 192], first_row)
    ]
    assert len(places) == 2  # above as it is and, unchanged by "none", below


def test_fewer_than_eight_images_are_a_smaller_sheet(tmp_path, noise, spec32):
    sheet = draw_augmented_sheet(
        tmp_path / "few.png", noise(3), spec=spec32, augmentation=STRONG, seed=0
    )
    with Image.open(sheet) as few:
        assert few.width < 700
