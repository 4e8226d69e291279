"""The commands that write, what each writes, and the files by which two runs are compared."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.utils.files import sha256_file

if TYPE_CHECKING:
    from pathlib import Path

STATE = ".m.training/state.npz"
"""Checkpoint of a training."""

_MODELS = ("float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx")
_TRAINED = ("history.csv", "reference.csv", "split.csv", "model.keras")
_TRAIN = "train --data faces --epochs 6 --size 32 --arch cnn-4-4-4-d16"


@dataclass(frozen=True)
class Case:
    """A command that writes.

    Attributes:
        words: Its arguments.
        out: The file or folder that it writes.
        same: Files of that folder which every run writes alike; () for all of them.
        prepared: What it needs: folders and files of the prepared place.
        weight: How often it is drawn.
        piecemeal: Whether a part of the files of `out` is no fault, each of which is whole.
    """

    words: str
    out: str
    same: tuple[str, ...] = ()
    prepared: tuple[str, ...] = ("faces",)
    weight: int = 1
    piecemeal: bool = False

    @property
    def trains(self) -> bool:
        """Return whether it can be resumed."""
        return self.words.startswith("train")

    @property
    def needs_tensorflow(self) -> bool:
        """Return whether it, or what it needs, imports TensorFlow."""
        return self.words.startswith(("train", "tune")) or "ready" in self.prepared


PREPARE = ("data draw faces --count 40 --size 48",)
"""Commands that make what the cases need."""

PREPARE_MODEL = (f"{_TRAIN} --out ready", "export ready --int8")
"""Further ones, for the cases that need TensorFlow."""

CASES = (
    Case("data draw drawn --count 60 --size 64", "drawn", prepared=()),
    Case("data check faces --html page.html", "page.html"),
    Case("data clean faces --out clean", "clean"),
    Case("data split faces --out split", "split"),
    Case("data crop faces --out crops", "crops"),
    Case("predict faces --annotate seen", "seen", piecemeal=True),
    Case("bundle ready --out b.pyz --force", "b.pyz", prepared=("ready",)),
    Case("export ready --int8 --force", "ready", _MODELS, ("faces", "ready"), weight=3),
    Case("bench ready --seconds 1 --threads 1 --pick", "ready", _MODELS, ("ready",)),
    Case("verify ready", "ready", _MODELS, ("faces", "ready"), weight=2),
    Case(
        "tune --data faces --trials 2 --epochs 1 --sizes 32 --storage s.study --out t", "t",
        ("split.csv",), weight=2,
    ),
    Case(f"{_TRAIN} --out m", "m", _TRAINED, weight=16),
)  # fmt: skip


def copy_prepared(case: Case, source: Path, place: Path) -> None:
    """Make a folder with copies of what a case needs."""
    place.mkdir()
    for name in case.prepared:
        shutil.copytree(source / name, place / name)


def fingerprint(case: Case, place: Path) -> dict[str, str]:
    """Return the SHA-256 of the files that a case writes alike, by name; {} without any.

    Hidden files are none: nobody takes them for a result.
    """
    out = place / case.out
    if out.is_file():
        return {case.out: sha256_file(out)}
    paths = [path for path in out.rglob("*") if path.is_file() and path.name[0] != "."]
    names = case.same or [str(path.relative_to(out)) for path in paths]
    return {name: _hash_file(out / name) for name in names if (out / name).is_file()}


def list_hidden(place: Path) -> list[str]:
    """Return the hidden files and folders that no finished command leaves."""
    return sorted(path.name for path in place.rglob(".*") if not path.name.startswith(".edgeemo-"))


def _hash_file(path: Path) -> str:
    """Return the SHA-256 of a file; of the weights alone of a Keras file, which holds the date."""
    if path.suffix != ".keras":
        return sha256_file(path)
    with zipfile.ZipFile(path) as archive:
        return hashlib.sha256(archive.read("model.weights.h5")).hexdigest()
