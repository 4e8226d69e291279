"""Options of a training that other commands have, too, declared once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edgeemo.model.face_settings import MAX_MARGIN, MIN_MARGIN, Detector
from edgeemo.utils.options import Option

if TYPE_CHECKING:
    from collections.abc import Iterable

face_option = partial(Option, group="Faces")
"""Declares an option about faces."""


distribution_option = partial(Option, group="Distribution")
"""Declares an option about processes and machines."""

CLUSTER = distribution_option(
    "Ray cluster to train on: HOST:PORT of its head node, or auto on one of its nodes.",
    metavar="ADDRESS",
    default="a Ray of its own on this machine",
    needs=lambda _: "ray",
)


def _formats() -> Iterable[str]:
    from edgeemo.dataset.ingest.options import ACCEPTED_ON_REQUEST

    return ACCEPTED_ON_REQUEST


ACCEPT = Option("Image formats to accept besides JPEG, PNG and BMP.", names=_formats)
CLASSES = Option("Classes of the folder to take, as in happy,sad.", default="all")
REVIEW = Option("Table of 'edgeemo data review' to obey.", metavar="FILE.csv")
RATIOS = Option("Shares of training, validation and test.", metavar="A,B,C")
MAX_SEED = 2**32 - 1

FACE_DETECTOR = face_option(
    "Face detector; cascade and yunet need the faces extra.",
    default="blaze",
    needs=lambda detector: detector.module,
)
FACE_MARGIN = face_option(
    "Share of a face's bounding box to add on each side.",
    metavar="SHARE",
    minimum=MIN_MARGIN,
    maximum=MAX_MARGIN,
)
FACE_SCORE = face_option(
    "Minimum detector score of a face: a higher one finds fewer faces, and fewer false ones.",
    metavar="SCORE",
    default="the detector's",
    minimum=0,
    maximum=1,
)
FACE_MODEL = face_option(
    "YuNet .onnx file, which selects that detector.",
    metavar="FILE",
    needs=lambda _: Detector.YUNET.module,
)
