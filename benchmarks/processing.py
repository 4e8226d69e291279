"""Measure how many processed images `edgeemo data check` finds, and how many others it suspects.

    python benchmarks/processing.py --data DIR

DIR holds ``fer2013_original/``, ``faces_colour/``, ``photos/`` and so on, and perhaps an equalised
copy of FER2013 as ``fer2013/``. Images as they are show the false alarms; copies of them that are
equalised, stretched, upscaled, compressed or sharpened here show what is found. A third table has
the figures of two findings that the check leaves out. Half of the files, by the hash of their
names, chose the thresholds (``--half fit``); the figures are those of the other half, and of all of
the few photos.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import math
import os
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from edgeemo.dataset.check.inspect_work import InspectWork
from edgeemo.dataset.ingest.find import find_any_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgeemo.dataset.processing.traces import ImageTraces

KINDS = ("equalised", "stretched", "upscaled", "recompressed")
FOLDERS = (
    "fer2013/test",
    "fer2013_original/test",
    "faces_colour",
    "web_small",
    "web_messy",
    "photos",
    "ckplus48",
)
SOURCES = ("fer2013_original/test", "faces_colour", "web_small", "photos")
MOST = 1500  # images of a folder, and a fifth of it for the copies
SMALL, SMALLER, LARGE = 2**14, 85**2, 2**20  # pixels of an image before it is processed


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def jpeg(image: Image.Image, quality: int = 92) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def equalise_light(image: Image.Image) -> Image.Image:
    """Equalise the luminance alone, as OpenCV users do with a colour image."""
    if image.mode == "L":
        return ImageOps.equalize(image)
    light, *colours = image.convert("YCbCr").split()
    return Image.merge("YCbCr", (ImageOps.equalize(light), *colours)).convert("RGB")


def enlarge(image: Image.Image, times: int, filter: Image.Resampling) -> Image.Image:
    return image.resize((image.width * times, image.height * times), filter)


def compress(image: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(jpeg(image, quality)))


def sharpen(image: Image.Image, radius: float, percent: int) -> Image.Image:
    return image.filter(ImageFilter.UnsharpMask(radius, percent, 0))


def stretch(image: Image.Image, factor: float) -> Image.Image:
    return ImageEnhance.Contrast(image).enhance(factor)


BICUBIC, BILINEAR = Image.Resampling.BICUBIC, Image.Resampling.BILINEAR
COPIES: dict[str, tuple[str, Callable[[Image.Image], bytes]]] = {
    "equalised, PNG": ("equalised", lambda image: png(ImageOps.equalize(image))),
    "equalised, JPEG q92": ("equalised", lambda image: jpeg(ImageOps.equalize(image))),
    "luminance equalised, JPEG q92": ("equalised", lambda image: jpeg(equalise_light(image))),
    "equalised, JPEG q92, full size": (
        "equalised",
        lambda image: jpeg(ImageOps.equalize(image)),
    ),
    "contrast x1.2, PNG": ("stretched", lambda image: png(stretch(image, 1.2))),
    "contrast x1.5, PNG": ("stretched", lambda image: png(stretch(image, 1.5))),
    "contrast x1.2, JPEG q92": ("stretched", lambda image: jpeg(stretch(image, 1.2))),
    "contrast x1.5, JPEG q92": ("stretched", lambda image: jpeg(stretch(image, 1.5))),
    "upscaled x2 bilinear, JPEG q92": ("upscaled", lambda one: jpeg(enlarge(one, 2, BILINEAR))),
    "upscaled x2 bicubic, JPEG q92": ("upscaled", lambda one: jpeg(enlarge(one, 2, BICUBIC))),
    "upscaled x2 bicubic, PNG": ("upscaled", lambda one: png(enlarge(one, 2, BICUBIC))),
    "upscaled x3 bicubic, JPEG q92": ("upscaled", lambda one: jpeg(enlarge(one, 3, BICUBIC))),
    **{
        f"JPEG q{first}, then PNG": (
            "recompressed",
            lambda image, first=first: png(compress(image, first)),
        )
        for first in (30, 50, 75, 85, 90)
    },
    **{
        f"JPEG q{first}, then q{then}": (
            "recompressed",
            lambda image, first=first, then=then: jpeg(compress(image, first), then),
        )
        for first, then in ((30, 92), (50, 92), (75, 92), (50, 75), (75, 75))
    },
    "unsharp mask 2 px 150 %, q92": ("", lambda image: jpeg(sharpen(image, 2, 150))),
    "unsharp mask 2 px 300 %, q92": ("", lambda image: jpeg(sharpen(image, 2, 300))),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("EDGEEMO_DATA"))
    parser.add_argument("--half", choices=("fit", "report"), default="report")
    given = parser.parse_args()
    keep = partial(is_in_half, half=given.half)
    print(f"{'images as they are':32}{'images':>8}" + "".join(f"{kind:>14}" for kind in KINDS))
    for name in FOLDERS:
        if not (given.data / name).is_dir():  # such as the equalised copy
            continue
        traces = measure_folder(given.data / name, list_images(given.data / name, keep))
        print_row(name, traces)
    print(f"\n{'copies':32}{'kind':14}" + "".join(f"{name[:20]:>22}" for name in SOURCES))
    for copy, (kind, make) in COPIES.items():
        most = LARGE if "full size" in copy else SMALLER if "x3" in copy else SMALL
        images = (read_images(given.data / name, most, keep) for name in SOURCES)
        cells = [measure_copies(each, make) for each in images]
        shares = "".join(f"{format_share(traces, kind):>22}" for traces in cells)
        print(f"{copy:32}{kind:14}{shares}", flush=True)
    print_left_out(given.data, keep)


def is_in_half(path: Path, *, half: str) -> bool:
    if "photos" in path.parts:
        return True
    return hashlib.sha256(path.name.encode()).digest()[0] % 2 == (half == "report")


def list_images(folder: Path, keep: Callable[[Path], bool]) -> list[Path]:
    """Return images of a folder in a random but fixed order."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".csv")
    order = sorted(
        filter(keep, files), key=lambda path: hashlib.sha256(str(path).encode()).digest()
    )
    return order[:MOST]


def measure_folder(folder: Path, files: Iterable[Path]) -> list[ImageTraces]:
    chosen = {path.relative_to(folder).as_posix() for path in files}
    found = [file for file in find_any_files(folder).files if file.path in chosen]
    inspected = InspectWork(folder).run(found, workers=2)
    return [file.traces for file in inspected if file.traces]


def measure_copies(
    images: Iterable[Image.Image], make: Callable[[Image.Image], bytes]
) -> list[ImageTraces]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = []
        for number, image in enumerate(images):
            paths.append(folder / str(number))
            paths[-1].write_bytes(make(image))
        return measure_folder(folder, paths)


@cache
def read_images(folder: Path, most: int, keep: Callable[[Path], bool]) -> list[Image.Image]:
    """Read images, reduced by a whole number where they have more than so many pixels."""
    images = []
    for path in list_images(folder, keep)[: MOST // 5]:
        try:
            images.append(read_image(path, most))
        except OSError:
            continue
    return images


def read_image(path: Path, most: int) -> Image.Image:
    with Image.open(path) as image:
        copy = image.convert("L" if image.mode == "L" else "RGB")
    return copy.reduce(max(1, math.ceil(math.sqrt(copy.width * copy.height / most))))


def print_row(name: str, traces: list[ImageTraces]) -> None:
    shares = "".join(f"{format_share(traces, kind):>14}" for kind in KINDS)
    print(f"{name:32}{len(traces):8}{shares}", flush=True)


def format_share(traces: list[ImageTraces], kind: str) -> str:
    """Return the share with a finding, of the images in which it can be made; all if unnamed."""
    field = {"stretched": "gaps", "upscaled": "drop", "recompressed": "evidence"}.get(kind)
    judged = [one for one in traces if field is None or getattr(one, field) is not None]
    if not judged:
        return "-"
    if not kind:
        return f"{np.mean([bool([*one.list_findings()]) for one in judged]):.3f}"
    return f"{np.mean([kind in dict(one.list_findings()) for one in judged]):.3f}"


def print_left_out(data: Path, keep: Callable[[Path], bool]) -> None:
    """Print what is left out: how many copies a threshold at 1 % false alarms finds."""
    measures = {
        "sharpened: power above half": (
            measure_sharpness,
            lambda image: jpeg(sharpen(image, 2, 300)),
        ),
        "clipped: share of 0 and 255": (measure_ends, lambda image: jpeg(stretch(image, 1.5))),
    }
    print(f"\n{'left out, at 1 % false alarms':32}" + "".join(f"{n[:20]:>22}" for n in SOURCES[:2]))
    for name, (measure, make) in measures.items():
        plain = {
            folder: [measure(image) for image in read_images(data / folder, SMALL, keep)]
            for folder in ("fer2013_original/test", "faces_colour", "web_small")
        }
        limit = max(float(np.quantile(values, 0.99)) for values in plain.values())
        shares = []
        for folder in SOURCES[:2]:
            images = read_images(data / folder, SMALL, keep)
            copies = [measure(Image.open(io.BytesIO(make(image)))) for image in images]
            shares.append(f"{np.mean(np.array(copies) > limit):.3f}")
        print(f"{name:32}" + "".join(f"{share:>22}" for share in shares))


def measure_sharpness(image: Image.Image) -> float:
    """Return the logarithm of the power above half of the frequencies to that below."""
    grey = np.asarray(image.convert("L").crop((0, 0, 48, 48)), float)
    power = (
        np.abs(np.fft.fft2((grey - grey.mean()) * np.outer(np.hanning(48), np.hanning(48)))) ** 2
    )
    frequency = np.abs(np.fft.fftfreq(48))
    highest = np.maximum(frequency[:, None], frequency)
    return float(np.log10((power[highest > 0.25].sum() + 1) / (power[highest <= 0.25].sum() + 1)))


def measure_ends(image: Image.Image) -> float:
    counts = image.convert("L").histogram()
    return (counts[0] + counts[255]) / sum(counts)


if __name__ == "__main__":
    main()
