"""The face crops on which `benchmarks/face_peers.py` compares models, and sets of them."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from face_models import EMOTIONS, rename

from edgeemo.dataset import IngestOptions, ingest_folder
from edgeemo.imaging.decode import Source, open_image
from edgeemo.imaging.faces import build_detector, crop_face, detect_faces
from edgeemo.imaging.preprocess import decode
from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.input_spec import InputSpec

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

PAIR = ("happy", "sad")
FOLDERS = ("fer2013_original", "faces_colour", "web_small", "web_messy")
_ORIGINAL, _COLOUR, *_WEB = FOLDERS
_NO_EMOTION = ("unknown", "no_face")
_DETECTED = InputSpec(height=48, width=48, faces=FaceSettings(min_score=0.7))
"""The face settings of happy-sad, and its size: photos are decoded as for it."""


@dataclass(frozen=True, kw_only=True)
class FaceSet:
    """Some of the crops.

    Attributes:
        name: Its name in the tables.
        rows: (N,) indices of its crops.
        truth: (N,) FER+'s names of their classes.
    """

    name: str
    rows: np.ndarray
    truth: np.ndarray


@dataclass
class Crops:
    """Face crops without repetition.

    Attributes:
        sources: Files, and faces cropped from photos.
    """

    sources: list[Source] = field(default_factory=list)
    _known: dict[Path, int] = field(default_factory=dict)

    def add(self, path: Path, crop: Source | None = None) -> int:
        """Return the index of a file's crop, by default the whole file."""
        if path not in self._known:
            self._known[path] = len(self.sources)
            self.sources.append(path if crop is None else crop)
        return self._known[path]

    def collect(self, name: str, faces: list[tuple[Path, str]]) -> FaceSet:
        """Return a set of files and their classes."""
        return FaceSet(
            name=name,
            rows=np.array([self.add(path) for path, _ in faces], int),
            truth=np.array([rename(label) for _, label in faces]),
        )


@dataclass(frozen=True, kw_only=True)
class FaceSets:
    """All sets of a comparison.

    Attributes:
        crops: The crops of all sets.
        pair: Sets of happy and sad faces.
        neutral: Neutral faces.
        angry: Angry and fearful faces.
        emotions: Faces of eight emotions.
    """

    crops: Crops
    pair: tuple[FaceSet, ...]
    neutral: FaceSet
    angry: FaceSet
    emotions: FaceSet


def collect_sets(data: Path) -> FaceSets:
    """Return the sets of a folder that holds `FOLDERS`."""
    crops = Crops()
    original = list_test(data / _ORIGINAL, IngestOptions(classes=PAIR, labels=PAIR))
    others = list_test(data / _ORIGINAL, IngestOptions(classes=("angry", "fear", "neutral")))
    votes = read_votes(data / _ORIGINAL)
    colour = IngestOptions(labels=("angry", *PAIR), ratios=(0.7, 0.1, 0.2))
    held_out = [each for each in list_test(data / _COLOUR, colour) if each[1] in PAIR]
    clear = [(path, label) for path, label in original if is_clear(votes[path.name], rename(label))]
    return FaceSets(
        crops=crops,
        pair=(
            crops.collect("FER2013 test", original),
            crops.collect("of these, FER+ is clear", clear),
            collect_web(crops, data),
            crops.collect("faces_colour, held out", held_out),
        ),
        neutral=crops.collect("neutral", [each for each in others if each[1] == "neutral"]),
        angry=crops.collect("angry, fearful", [each for each in others if each[1] != "neutral"]),
        emotions=collect_emotions(crops, data / _ORIGINAL, votes),
    )


def list_test(folder: Path, options: IngestOptions) -> list[tuple[Path, str]]:
    """Return the test split of a training on a folder: paths and classes."""
    samples = ingest_folder(folder, options=options).in_split("test")
    return [(folder / sample.path, sample.label) for sample in samples]


def read_votes(folder: Path) -> dict[str, dict[str, str]]:
    """Return FER+'s rows of the test images that have one label, by the name of the file."""
    with (folder / "votes.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test" and row["label"]]
    return {row["file"]: row for row in rows}


def is_clear(row: dict[str, str], emotion: str) -> bool:
    """Return whether more than half of the ten votes are for an emotion."""
    total = sum(int(row[name]) for name in (*EMOTIONS, *_NO_EMOTION))
    return 2 * int(row[emotion]) > total


def find_majority(row: dict[str, str]) -> str | None:
    """Return the emotion of more than half of the votes for emotions.

    None without one, and where "unknown" or "no face" have more than half of the ten votes.
    """
    votes = {name: int(row[name]) for name in EMOTIONS}
    emotions, rest = sum(votes.values()), sum(int(row[name]) for name in _NO_EMOTION)
    best = max(votes, key=votes.__getitem__)
    return best if emotions > rest and 2 * votes[best] > emotions else None


def collect_emotions(crops: Crops, folder: Path, votes: dict[str, dict[str, str]]) -> FaceSet:
    """Return the test images on which FER+'s voters agree, duplicates included as in its paper."""
    majorities = ((row, find_majority(row)) for row in votes.values())
    faces = [
        (folder / "test" / row["label"] / row["file"], emotion)
        for row, emotion in majorities
        if emotion is not None
    ]
    return crops.collect("FER+ test", faces)


def collect_web(crops: Crops, data: Path) -> FaceSet:
    """Return the largest face of each photo that has one."""
    detector = build_detector(_DETECTED.faces)
    faces = []
    for name in _WEB:
        for sample in ingest_folder(data / name, options=IngestOptions(labels=PAIR)).samples:
            path = data / name / sample.path
            crop = crop_largest(path, detector)
            if crop is not None:
                crops.add(path, crop)
                faces.append((path, sample.label))
    return crops.collect(f"{' + '.join(_WEB)}, largest face", faces)


def crop_largest(path: Path, detector) -> Image.Image | None:
    with open_image(path) as opened:
        photo = decode(opened, _DETECTED.for_photos())
    faces = detect_faces(detector, photo, name=path.name)
    return crop_face(photo, faces[0], _DETECTED) if faces else None
