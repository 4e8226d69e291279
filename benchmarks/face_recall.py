"""Measure face detectors against faces that were marked by eye: recall and false positives.

    python benchmarks/face_recall.py $EDGEEMO_DATA [--full-range FILE] [--sheet faces.png]

face_marks.csv beside this file has the marks of 256 images: all of photos, and 120 of each web
collection as benchmarks/faces.py draws them. Left and top are shares of the image's width and
height, the side is a share of its longer side. Kinds:

* face: a photographed face, of which an eye and the mouth can be seen;
* hard: covered, turned away or cut by the edge, upside down, a silhouette, or out of focus;
* drawn: drawings, masks, toys and smileys;
* crowd: an image with more faces than are marked; none: one without any.

A detection that shares at least 0.3 of its union with a face finds it. One that shares as much with
a hard or drawn face, or is in a crowd, counts neither way; any other is a false positive.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from faces import PHOTO, SCORE, Looks
from PIL import Image, ImageDraw

from edgeemo.imaging.decode import open_image
from edgeemo.imaging.faces import Face
from edgeemo.imaging.faces.anchors import FULL_RANGE, SHORT_RANGE, AnchorNetwork
from edgeemo.imaging.faces.blaze import BlazeFace, Look
from edgeemo.imaging.faces.cascade import Cascade
from edgeemo.imaging.faces.letterbox import Letterbox
from edgeemo.imaging.preprocess import decode
from edgeemo.live.looks import TurnSearch, list_parts
from edgeemo.report.contact_sheet import write_contact_sheet
from edgeemo.report.document import Tile
from edgeemo.utils.text import markdown_head, markdown_row

MARKS = Path(__file__).with_name("face_marks.csv")
SHARED = 0.3
COLUMNS = ("detector", "faces", "images with a face", "largest faces", "false positives")
PREVIOUS = SHORT_RANGE._replace(side=128, grids=((16, 2), (8, 6)), box=1.2)


class Mark(NamedTuple):
    """A face of face_marks.csv, in pixels of the image."""

    kind: str
    left: float
    top: float
    side: float


class ElevenLooks:
    """BlazeFace as it was used before: the image, the image with a border, and nine parts of it."""

    def __init__(self) -> None:
        network = AnchorNetwork(PREVIOUS)
        self._whole = Looks(
            Look(network, min_score=SCORE), Look(network, min_score=SCORE, border=0.25)
        )
        self._part = Look(network, min_score=0.7)

    def detect(self, image) -> tuple[Face, ...]:
        found = self._whole.detect(image)
        return found or tuple(sorted(self._detect_parts(image), key=lambda face: -face.side))

    def _detect_parts(self, image) -> list[Face]:
        side = round(max(min(image.size) * 0.65, max(image.size) * 0.3))
        kept: list[Face] = []
        lefts, tops = (np.linspace(0, max(0, size - side), 3) for size in image.size)
        for left, top in ((round(x), round(y)) for y in np.unique(tops) for x in np.unique(lefts)):
            part = image.crop((left, top, left + side, top + side))
            for face in self._part.detect(Letterbox(part)):
                moved = Face(face.left + left, face.top + top, face.side)
                if all(share(moved, other) <= SHARED for other in kept):
                    kept.append(moved)
        return kept


class Turns:
    """All turns of a live run's looks, at one image that stands still."""

    def __init__(self, min_score: float) -> None:
        self._blaze = BlazeFace(min_score=min_score)

    def detect(self, image) -> tuple[Face, ...]:
        search, kept = TurnSearch(self._blaze), []
        search.search(Image.new("RGB", image.size), known={}, time_s=0)  # it gets all looks
        for _ in range(len(list_parts(image.size)) + 1):
            found = search.search(image, known={}, time_s=0.1).faces
            kept += [face for face in found if all(share(face, each) <= SHARED for each in kept)]
        return tuple(kept)


def share(one, other) -> float:
    """Return the intersection over union of two squares."""
    width = min(one.left + one.side, other.left + other.side) - max(one.left, other.left)
    height = min(one.top + one.side, other.top + other.side) - max(one.top, other.top)
    both = max(0, width) * max(0, height)
    return both / (one.side**2 + other.side**2 - both)


def read_images(data: Path) -> list[tuple]:
    """Return every marked image and its marks."""
    rows = defaultdict(list)
    with MARKS.open(newline="") as stream:
        for row in csv.DictReader(stream):
            rows[row["file"]].append(row)
    images = []
    for name, marks in rows.items():
        with open_image((data / name).read_bytes()) as opened:
            photo = decode(opened, PHOTO)
        width, height, longer = *photo.size, max(photo.size)
        images.append(
            (
                photo,
                [
                    Mark(
                        row["kind"],
                        float(row["left"]) * width,
                        float(row["top"]) * height,
                        float(row["side"]) * longer,
                    )
                    for row in marks
                    if row["kind"] != "none"
                ],
            )
        )
    return images


def judge(found, marks) -> tuple[set[Mark], list[Face]]:
    """Return the faces that were found, and the false positives."""
    seen, false = set(), []
    for face in found:
        best = max(marks, key=lambda mark: share(face, mark), default=None)
        if best is not None and share(face, best) >= SHARED:
            seen.add(best)
        elif all(mark.kind != "crowd" for mark in marks):
            false.append(face)
    return {mark for mark in seen if mark.kind == "face"}, false


def measure(name: str, detector, images) -> None:
    faces = people = largest = wrong = 0
    for photo, marks in images:
        seen, false = judge(detector.detect(photo), marks)
        wrong += len(false)
        faces += len(seen)
        people += bool(seen)
        largest += any(mark.kind == "face" and mark in seen for mark in find_largest(marks))
    total = sum(mark.kind == "face" for _, marks in images for mark in marks)
    photos = sum(bool(find_largest(marks)) for _, marks in images)
    cells = [f"{part} of {whole}" for part, whole in ((faces, total), (people, photos))]
    print(markdown_row([name, *cells, f"{largest} of {photos}", wrong]), flush=True)


def find_largest(marks) -> list[Mark]:
    faces = sorted((mark for mark in marks if mark.kind == "face"), key=lambda mark: mark.side)
    return faces[-1:]


def draw_sheet(detector, images, out: Path) -> None:
    """Draw the images with a missed face (blue) or a false positive (red)."""
    tiles = []
    for photo, marks in images:
        seen, false = judge(detector.detect(photo), marks)
        missed = [] if seen else [mark for mark in marks if mark.kind == "face"]
        if not missed and not false:
            continue
        shown = photo.copy()
        for boxes, colour in ((missed, "#4060ff"), (false, "#ff0000")):
            for box in boxes:
                corners = (box.left, box.top, box.left + box.side, box.top + box.side)
                ImageDraw.Draw(shown).rectangle(corners, outline=colour, width=4)
        caption = f"missed {len(missed)}, false {len(false)}"
        tiles.append(Tile(image=shown, caption=caption, good=not false))
    write_contact_sheet(tiles, out, columns=6, title="Blue: missed faces; red: false positives")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of photos, web_small and web_messy")
    parser.add_argument("--full-range", type=Path, help="another full-range network (dense)")
    parser.add_argument("--sheet", type=Path, help="PNG of the images with mistakes")
    options = parser.parse_args()
    images = read_images(options.data)
    blaze = BlazeFace(min_score=SCORE)
    if options.sheet:
        draw_sheet(blaze, images, options.sheet)
        return
    first, second, third = blaze.looks
    detectors = {
        "before: eleven looks": ElevenLooks(),
        "**blaze: three looks**": blaze,
        "first look alone": Looks(first),
        "first and second": Looks(first, second),
        "second look alone": Looks(second),
        "first look at 128×128, then as now": Looks(
            Look(AnchorNetwork(PREVIOUS), min_score=SCORE), second, third
        ),
    }
    for score in (0.5, 0.6):
        far = Look(AnchorNetwork(FULL_RANGE), min_score=score)
        detectors[f"second look from score {score}"] = Looks(first, far, third)
    if options.full_range:
        dense = FULL_RANGE._replace(name=str(options.full_range.resolve()))
        for score in (0.5, 0.6):
            far = Look(AnchorNetwork(dense), min_score=score)
            name = f"second look by {options.full_range.stem} from score {score}"
            detectors[name] = Looks(first, far, third)
    for score in (0.6, 0.7, 0.8):
        detectors[f"blaze, `--face-score {score}`"] = BlazeFace(min_score=score)
    detectors["all turns of a live run"] = Turns(SCORE)
    detectors["the same, `--face-score 0.7`"] = Turns(0.7)
    detectors["cascade"] = Cascade()
    print("\n".join(markdown_head(COLUMNS, words=1)))
    for name, detector in detectors.items():
        measure(name, detector, images)


if __name__ == "__main__":
    main()
