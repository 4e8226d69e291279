"""The faces that happy-sad and emotions are trained on: FER2013's true pixels and colour crops.

Both collections are ingested as `edgeemo train` would: duplicates and images that are also in a
later split are excluded, near-duplicates stay in one split.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset import IngestOptions, ingest_folder
from edgeemo.errors import NoFaceError
from edgeemo.imaging.faces import build_detector
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.face_settings import Detector, FaceSettings
from edgeemo.model.input_spec import InputSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 48
EMOTIONS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)
"""Columns of FER+'s votes."""

LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""Folders of FER2013."""

_EMOTION = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "sad": "sadness",
    "surprise": "surprise",
}
COLOUR_RATIOS = (0.7, 0.1, 0.2)
"""Shares of train, validation and test in the collection that has no splits of its own."""


@dataclass(frozen=True)
class Faces:
    """Images with what people called them.

    Attributes:
        images: (N, 48, 48) uint8, grey.
        votes: (N, 8) float32, distribution over `EMOTIONS`.
        labels: (N, 7) float32, one-hot over `LABELS`.
    """

    images: NDArray[np.uint8]
    votes: NDArray[np.float32]
    labels: NDArray[np.float32]

    def join(self, other: Faces) -> Faces:
        """Return both, one after the other."""
        return Faces(
            np.concatenate([self.images, other.images]),
            np.concatenate([self.votes, other.votes]),
            np.concatenate([self.labels, other.labels]),
        )


def read_votes(folder: Path) -> dict[str, list[int]]:
    """Return FER+'s votes over `EMOTIONS` by the name of the image."""
    with (folder / "votes.csv").open(newline="") as file:
        return {row["file"]: [int(row[name]) for name in EMOTIONS] for row in csv.DictReader(file)}


def read_fer(folder: Path, split: str) -> Faces:
    """Read a split of FER2013 with FER+'s votes; an image without a vote has its label's."""
    votes = read_votes(folder)
    images, given, labels = [], [], []
    for sample in ingest_folder(folder, options=IngestOptions(labels=LABELS)).in_split(split):
        images.append(
            preprocess(folder / sample.path, InputSpec(height=SIZE, width=SIZE, channels=1))
        )
        vote = votes.get(Path(sample.path).name, [0] * len(EMOTIONS))
        given.append(vote if any(vote) else _one_hot(sample.label)[0])
        labels.append(_one_hot(sample.label)[1])
    counted = np.array(given, np.float32)
    return Faces(
        np.stack(images)[..., 0], counted / counted.sum(1, keepdims=True), np.stack(labels)
    )


def read_colour(folder: Path, split: str, *, whole: bool) -> Faces:
    """Read a split of the colour crops: whole, or cropped further as a device crops a face."""
    options = IngestOptions(labels=("angry", "happy", "sad"), ratios=COLOUR_RATIOS)
    plain = InputSpec(height=SIZE, width=SIZE, channels=1)
    settings = FaceSettings(detector=Detector.BLAZE, min_score=0.7)
    detector = build_detector(settings)
    cropping = InputSpec(height=SIZE, width=SIZE, channels=1, faces=settings)
    images, votes, labels = [], [], []
    for sample in ingest_folder(folder, options=options).in_split(split):
        path = folder / sample.path
        try:
            image = preprocess(path, plain if whole else cropping, detector=detector)
        except NoFaceError:
            image = preprocess(path, plain)
        images.append(image)
        vote, label = _one_hot(sample.label)
        votes.append(vote)
        labels.append(label)
    return Faces(np.stack(images)[..., 0], np.stack(votes), np.stack(labels))


def read_training(data: Path) -> Faces:
    """Read every training image; a colour crop counts twice, whole and as a device crops it."""
    colour = data / "faces_colour"
    return (
        read_fer(data / "fer2013_original", "train")
        .join(read_colour(colour, "train", whole=True))
        .join(read_colour(colour, "train", whole=False))
    )


def _one_hot(label: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a label over `EMOTIONS` and over `LABELS`."""
    return (
        np.eye(len(EMOTIONS), dtype=np.float32)[EMOTIONS.index(_EMOTION[label])],
        np.eye(len(LABELS), dtype=np.float32)[LABELS.index(label)],
    )
