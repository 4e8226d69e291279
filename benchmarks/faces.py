"""Measure how often each detector detects a face in real photos, and its time per photo.

    python benchmarks/faces.py $EDGEEMO_DATA [--most 400] [--sheet faces.png]

Every image is decoded once, as on a device; then the detectors take turns on it, under the same
conditions. The time is processor time of one thread, the median. ``--sheet`` draws a sample with
the bounding boxes of the first detector. benchmarks/face_recall.py measures against marked faces.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from PIL import ImageDraw

from edgeemo.errors import ImageError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.faces.blaze import BlazeFace
from edgeemo.imaging.faces.cascade import Cascade
from edgeemo.imaging.faces.letterbox import Letterbox
from edgeemo.imaging.preprocess import decode
from edgeemo.model.face_settings import DEFAULT_SCORES, Detector, FaceSettings
from edgeemo.model.input_spec import InputSpec
from edgeemo.report.contact_sheet import write_contact_sheet
from edgeemo.report.document import Tile
from edgeemo.utils.text import markdown_head, markdown_row

if TYPE_CHECKING:
    from edgeemo.imaging.faces import Face

COLLECTIONS = ("photos", "web_small", "web_messy")
PHOTO = InputSpec(height=48, width=48, channels=1, faces=FaceSettings())
SCORE = DEFAULT_SCORES[Detector.BLAZE]
SAMPLE = 120
COLUMNS = ("images", "detector", "with a face", "faces", "decode, ms", "detect, ms", "mean")


class Looks:
    """A detector that takes looks until one detects a face."""

    def __init__(self, *looks) -> None:
        self._looks = looks

    def detect(self, image) -> tuple[Face, ...]:
        letterbox = Letterbox(image)
        return next((faces for look in self._looks if (faces := look.detect(letterbox))), ())


def list_images(folder: Path, most: int) -> list[Path]:
    """Return at most `most` of a collection's files, in a random order that is always the same."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    random.Random(0).shuffle(files)
    return files[:most]


def measure(folder: Path, detectors: dict, most: int) -> None:
    found = dict.fromkeys(detectors, 0)
    faces, ms = dict(found), {name: [] for name in ("decode", *detectors)}
    count = 0
    for path in list_images(folder, most):
        begun = time.thread_time()
        try:
            with open_image(path.read_bytes()) as opened:
                photo = decode(opened, PHOTO)
        except ImageError:
            continue
        count += 1
        ms["decode"].append((time.thread_time() - begun) * 1000)
        for name, detector in detectors.items():
            begun = time.thread_time()
            seen = detector.detect(photo)
            ms[name].append((time.thread_time() - begun) * 1000)
            found[name] += bool(seen)
            faces[name] += len(seen)
    for name in detectors:
        times = (median(ms["decode"]), median(ms[name]), sum(ms[name]) / count)
        cells = [f"{folder.name} ({count})", name, f"{found[name]} ({found[name] / count:.0%})"]
        print(markdown_row([*cells, faces[name], *(f"{each:.1f}" for each in times)]), flush=True)


def draw_sheet(data: Path, detector, out: Path) -> None:
    """Draw images of the web collections with the detected bounding boxes."""
    files = [path for name in COLLECTIONS[1:] for path in list_images(data / name, 10**6)]
    random.Random(1).shuffle(files)
    tiles = []
    for path in files[:SAMPLE]:
        try:
            with open_image(path.read_bytes()) as opened:
                photo = decode(opened, PHOTO)
        except ImageError:
            continue
        seen = detector.detect(photo)
        draw = ImageDraw.Draw(photo)
        for face in seen:
            left, top, width, height = face.box
            corners = (left, top, left + width, top + height)
            draw.rectangle(corners, outline="#00ff00", width=max(3, photo.width // 100))
        number = f"{len(tiles) + 1}: {len(seen)}"
        tiles.append(Tile(image=photo, caption=number, good=bool(seen)))
    write_contact_sheet(tiles, out, columns=12, title="Number: detected faces")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of photos, web_small and web_messy")
    parser.add_argument("--most", type=int, default=400, help="images of each collection")
    parser.add_argument("--sheet", type=Path, help="PNG of a sample with bounding boxes")
    options = parser.parse_args()
    blaze = BlazeFace(min_score=SCORE)
    detectors = {
        "blaze": blaze,
        "blaze, first look alone": Looks(blaze.looks[0]),
        **{f"cascade, {side} px": Cascade(side=side) for side in (160, 240, 320, 480)},
    }
    if options.sheet:
        draw_sheet(options.data, detectors["blaze"], options.sheet)
        return
    print("\n".join(markdown_head(COLUMNS, words=2)))
    for collection in COLLECTIONS:
        measure(options.data / collection, detectors, options.most)


if __name__ == "__main__":
    main()
