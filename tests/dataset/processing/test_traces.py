"""Traces of processing, in drawn noise whose spectrum falls like that of natural images."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from benchmarks.reliability.mutants import make_mutant
from edgeemo.dataset.processing.folder import measure_folder
from edgeemo.dataset.processing.histograms import measure_flatness, measure_gaps
from edgeemo.dataset.processing.jpeg_traces import UNCOMPRESSED, measure_earlier_quality
from edgeemo.dataset.processing.shares import LARGE_SHARE, ProcessingShare
from edgeemo.dataset.processing.spectrum import measure_drop

SIZES = ((48, 48), (128, 128), (90, 67))
IMAGES = 12


def natural(seed, size=(48, 48), mode="L", *, slope=1.0):
    """An image whose amplitudes fall with the frequency, as those of natural images do."""
    rng = np.random.default_rng(seed)
    width, height = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.fftfreq(width) * width)
    planes = []
    for _ in range(len(mode)):
        spectrum = np.fft.fft2(rng.normal(size=(height, width))) / np.maximum(frequency, 1) ** slope
        plane = np.fft.ifft2(spectrum).real
        planes.append(115 + 42 * (plane - plane.mean()) / max(plane.std(), 1e-9))
    light = planes[0]
    shades = [light if mode == "L" else 0.7 * light + 0.3 * plane for plane in planes]
    pixels = np.stack(shades, axis=-1).clip(0, 255).round().astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if mode == "L" else pixels)


def saved(image, format="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def jpeg(image, quality=92):
    return saved(image, "JPEG", quality=quality)


def again(content):
    return Image.open(io.BytesIO(content))


def equalise_as_opencv(image):
    """Without the darkest level, as cv2.equalizeHist."""
    counts = np.array(image.histogram()[:256])
    below, first = counts.cumsum(), counts[np.flatnonzero(counts)[0]]
    levels = np.rint((below - first) / (counts.sum() - first) * 255).clip(0, 255)
    return image.point(levels.astype(int).tolist())


def count(folder, images):
    """Number of images of each kind that is found, and of those measured, among encoded ones."""
    folder.mkdir(exist_ok=True)
    for number, content in enumerate(images):
        (folder / str(number)).write_bytes(content)
    shares = measure_folder(folder, [str(number) for number in range(len(images))])
    return {one.kind: (one.count, one.measured) for one in shares if one.count}


@pytest.fixture
def found(tmp_path):
    """Function (size, mode, process): the kinds that are found in processed images."""

    def find(size, mode, process, *, slope=1.0):
        images = (natural(seed, size, mode, slope=slope) for seed in range(IMAGES))
        return count(tmp_path, [process(image) for image in images])

    return find


ALL = (IMAGES, IMAGES)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_images_as_a_camera_stores_them_have_no_traces(found, size, mode):
    assert found(size, mode, saved) == {}
    for quality in (30, 50, 75, 92, 100):
        assert found(size, mode, lambda image, quality=quality: jpeg(image, quality)) == {}
    assert found(size, mode, lambda image: saved(image, "BMP")) == {}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("store", [saved, jpeg])
def test_equalised_images_are_found(found, size, store):
    kinds = found(size, "L", lambda image: store(ImageOps.equalize(image)))
    assert kinds["equalised"] == ALL
    kinds = found(size, "L", lambda image: store(equalise_as_opencv(image)))
    assert kinds["equalised"] == ALL
    clipped = found(
        size, "L", lambda one: store(ImageOps.equalize(ImageEnhance.Brightness(one).enhance(1.4)))
    )
    assert clipped["equalised"] == ALL


def test_colour_images_are_equalised_by_channel_or_by_light(found):
    assert found((128, 128), "RGB", lambda image: saved(ImageOps.equalize(image)))["equalised"] == (
        ALL
    )

    def equalise_light(image):
        light, *colours = image.convert("YCbCr").split()
        return jpeg(Image.merge("YCbCr", (ImageOps.equalize(light), *colours)).convert("RGB"))

    assert found((128, 128), "RGB", equalise_light)["equalised"] == ALL


def test_large_equalised_images_are_found_reduced(found):
    kinds = found((700, 500), "L", lambda image: jpeg(ImageOps.equalize(image)), slope=1.5)
    assert kinds["equalised"] == ALL
    assert found((700, 500), "L", jpeg, slope=1.5) == {}


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("change", [ImageEnhance.Contrast, ImageEnhance.Brightness])
@pytest.mark.parametrize("factor", [1.2, 1.5])
def test_raised_contrast_or_brightness_is_found_in_lossless_files(found, mode, change, factor):
    assert found((64, 64), mode, lambda one: saved(change(one).enhance(factor))) == {
        "stretched": ALL
    }


@pytest.mark.parametrize("store", [saved, jpeg])
def test_upscaled_images_are_found(found, store):
    bicubic = Image.Resampling.BICUBIC
    kinds = found((48, 48), "L", lambda one: store(one.resize((144, 144), bicubic)))
    assert kinds.keys() == {"upscaled"}
    assert kinds["upscaled"][0] >= IMAGES / 2


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("filter", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
def test_the_spectrum_of_upscaled_images_drops(times, filter):
    images = [natural(seed) for seed in range(IMAGES)]
    upscaled = [
        image.resize((48 * times, 48 * times), filter).crop((8, 8, 56, 56)) for image in images
    ]
    drop, plain = (measure_drop(np.stack(each)) for each in (upscaled, images))
    assert drop.min() > np.median(plain) + 0.2
    assert (drop - plain).mean() > 0.5


def test_sharpened_images_are_left_out(found):
    assert found((64, 64), "L", lambda one: jpeg(one.filter(ImageFilter.UnsharpMask(2, 150)))) == {}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("first", [30, 50, 75])
def test_images_compressed_before_are_found(found, size, mode, first):
    kinds = found(size, mode, lambda image: saved(again(jpeg(image, first))))
    assert kinds["recompressed"] == ALL
    kinds = found(size, mode, lambda image: jpeg(again(jpeg(image, first)), 92))
    assert kinds["recompressed"] == ALL


def test_the_earlier_quality_is_estimated():
    for quality in (30, 40, 50, 60, 75, 85):
        patch = np.asarray(again(jpeg(natural(1, (64, 64)), quality)).convert("L"))[None]
        _, (estimate,) = measure_earlier_quality(patch, UNCOMPRESSED)
        assert abs(estimate - quality) <= 3


def test_compressing_again_alike_or_more_coarsely_leaves_no_traces(found):
    assert found((64, 64), "L", lambda image: jpeg(again(jpeg(image, 75)), 75)) == {}
    assert found((64, 64), "L", lambda image: jpeg(again(jpeg(image, 92)), 60)) == {}


def test_another_grid_of_blocks_is_not_looked_at(found):
    cut = (3, 5, 67, 69)
    assert found((80, 80), "L", lambda image: saved(again(jpeg(image, 50)).crop(cut))) == {}


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (8, 8), (16, 16), (31, 64)])
def test_tiny_images_work(tmp_path, size):
    images = [saved(natural(1, size, "RGB")), jpeg(natural(2, size)), saved(natural(3, size))]
    assert count(tmp_path, images).keys() <= {"equalised"}


@pytest.mark.parametrize("colour", [0, 3, 128, 251, 255])
def test_blank_images_have_no_traces(tmp_path, colour):
    blank = Image.new("L", (64, 64), colour)
    page = blank.copy()
    page.paste(255 - colour, (10, 10, 30, 12))
    half = blank.copy()
    half.paste(255 - colour, (0, 0, 64, 32))
    images = [store(one) for one in (blank, page, half) for store in (saved, jpeg)]
    assert count(tmp_path, images) == {}


def test_images_with_a_palette_and_other_files_are_not_measured(tmp_path):
    palette = natural(1, mode="RGB").quantize(16)
    bits = natural(1).convert("1")
    assert count(tmp_path, [saved(palette), saved(bits), b"not an image", b""]) == {}


def test_other_modes_work(tmp_path):
    image = natural(1, (64, 64), "RGB")
    modes = [saved(image.convert(mode)) for mode in ("RGBA", "LA", "I;16")]
    assert count(tmp_path, [*modes, jpeg(image.convert("CMYK"))]) == {}


def test_measures_take_empty_batches_and_odd_shapes():
    assert measure_flatness(np.full((1, 256), 9.0))[0] < 0.003
    assert measure_gaps(np.tile([9.0, 9, 0, 9], (1, 64)))[0] == pytest.approx(1 / 2, abs=0.01)
    assert measure_drop(np.zeros((2, 32, 40), np.uint8)).tolist() == [0, 0]
    evidence, _ = measure_earlier_quality(np.zeros((1, 9, 15), np.uint8), UNCOMPRESSED)
    assert evidence.tolist() == [0]


def test_a_share_is_large_from_a_fifth_and_five_images():
    def share(count, measured):
        one = ProcessingShare(kind="equalised", count=count, measured=measured, example="a.png")
        return one.share, one.is_large

    assert share(0, 0) == (0, False)
    assert share(4, 4) == (1, False)
    assert share(5, 25) == (LARGE_SHARE, True)
    assert share(5, 26)[1] is False


@pytest.mark.parametrize("number", [263, 290])  # of 500, those of which Pillow warns here
def test_no_warning_of_an_odd_image_reaches_the_user(tmp_path, number):
    (tmp_path / "odd").write_bytes(make_mutant(number))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        measure_folder(tmp_path, ["odd"])
    assert not warned
