"""The model folder: the one thing that train, export, verify and the runtime share.

``train`` makes it whole and renames it into place; ``export`` and ``verify`` add to it file by
file, each renamed into place. A file counts as verified only while its SHA-256 is the one that
``verify.json`` says has passed. Standard library only.
"""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from edgeemo.errors import ModelFolderError
from edgeemo.files import replacing, write_file
from edgeemo.spec import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KERAS = "model.keras"
SPEC = "spec.json"
TRAINING = "training.json"
SPLIT = "split.csv"
REJECTED = "rejected.csv"
HISTORY = "history.csv"
REFERENCE = "reference.csv"
REPORT_JSON = "report.json"
REPORT_MD = "report.md"
PLOTS = "plots"
CALIBRATION = "calibration.csv"
EXPORT = "export.json"
VERIFY_JSON = "verify.json"
VERIFY_MD = "verify.md"
VERIFY_PNG = "verify.png"
DEFAULT = "default.json"

EXPORTED = (
    "float32.tflite",
    "float16.tflite",
    "dynamic.tflite",
    "int8.tflite",
    "float32.onnx",
    "int8.onnx",
)
"""Every file that export can make, in the order in which they are shown."""

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

_Row = TypeVar("_Row")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One labelled picture.

    Attributes:
        path: Relative to the data folder, with forward slashes.
        label: Its class.
        split: "train", "validation" or "test".
        sha256: SHA-256 of the file, hexadecimal.
    """

    path: str
    label: str
    split: Split
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """One file that was set aside.

    Attributes:
        path: Relative to the data folder, with forward slashes.
        reason: One of a few words to count by, such as "blank" or "duplicate".
        detail: What exactly, in words.
    """

    path: str
    reason: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The original model's answer to one picture of the test split.

    Attributes:
        sha256: SHA-256 of the picture file.
        path: As in `Sample`.
        label: The picture's true class.
        scores: The original's probability for each label, in the spec's order.
    """

    sha256: str
    path: str
    label: str
    scores: tuple[float, ...]


@dataclass(frozen=True)
class ModelFolder:
    """A model folder at `path`. Constructing one touches nothing; see `open_folder`."""

    path: Path

    def file(self, name: str) -> Path:
        """Path of a file inside, whether it exists or not."""
        return self.path / name

    def require(self, name: str, *, remedy: str) -> Path:
        """Path of a file that must exist.

        Raises:
            ModelFolderError: If it does not; `remedy` says what to do about it.
        """
        path = self.path / name
        if not path.exists():
            raise ModelFolderError(f"{self.path}: {name} is missing; {remedy}")
        return path

    def spec(self) -> ModelSpec:
        """The spec of the model as trained.

        Raises:
            ModelFolderError: If the file is missing.
            SpecError: If it is malformed.
        """
        path = self.require(SPEC, remedy="train or import the model again")
        return ModelSpec.from_json(path.read_bytes(), origin=str(path))

    def samples(self) -> list[Sample]:
        """Every picture of the three splits, as ``split.csv`` lists them."""
        return _read_csv(self.require(SPLIT, remedy="train or import the model again"), Sample)

    def references(self) -> list[Reference]:
        """The original's answers on the test split."""
        path = self.require(REFERENCE, remedy="train or import the model again")
        return _read_references(path)

    def data(self) -> Path | None:
        """Where the pictures lay when the model was trained, if the folder says so."""
        recorded = self.read_json(TRAINING).get("data")
        return Path(recorded) if recorded else None

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON file of the folder, or {} where it does not exist.

        Raises:
            ModelFolderError: If the file is not a JSON object.
        """
        path = self.path / name
        if not path.exists():
            return {}
        try:
            content = json.loads(path.read_bytes())
        except ValueError as error:
            raise ModelFolderError(f"{path}: not JSON ({error}); make it again") from None
        if not isinstance(content, dict):
            raise ModelFolderError(f"{path}: not a JSON object; make it again")
        return content

    def write_json(self, name: str, content: dict[str, Any]) -> Path:
        """Write a JSON file, whole or not at all."""
        return write_file(self.path / name, to_json(content))

    def exported(self) -> list[Path]:
        """The exported files that are there, in the order of `EXPORTED`."""
        return [self.path / name for name in EXPORTED if (self.path / name).exists()]

    def default_file(self) -> Path:
        """The file to predict with: the recorded default, else int8.tflite, else float32.

        int8.tflite is taken only if it is verified.

        Raises:
            ModelFolderError: If nothing was exported yet, or the recorded default is missing.
        """
        recorded = self.read_json(DEFAULT).get("file")
        if recorded:
            return self.require(recorded, remedy=f"export again, or delete {DEFAULT}")
        int8 = self.path / "int8.tflite"
        if int8.exists() and is_verified(int8):
            return int8
        for name in ("float32.tflite", "float32.onnx"):
            if (self.path / name).exists():
                return self.path / name
        raise ModelFolderError(
            f"{self.path}: no exported model to run; run 'edgeemo export {self.path}'"
        )


def open_folder(path: str | Path) -> ModelFolder:
    """The model folder at a path.

    Raises:
        ModelFolderError: If there is no such folder.
    """
    path = Path(path)
    if not path.is_dir():
        raise ModelFolderError(f"{path}: no such model folder; 'edgeemo train' makes one")
    return ModelFolder(path)


def newest_folder(models: Path) -> ModelFolder:
    """The model folder under `models` that was trained last.

    Raises:
        ModelFolderError: If there is none.
    """
    found = [path.parent for path in models.glob(f"*/{SPEC}") if path.parent.name[0] != "."]
    if not found:
        raise ModelFolderError(f"{models}: no model here; run 'edgeemo train' first, or name one")
    return ModelFolder(max(found, key=lambda path: (path / SPEC).stat().st_mtime_ns))


def is_verified(path: Path, *, sha256: str | None = None) -> bool:
    """Whether ``verify.json`` beside an exported file says that these very bytes have passed.

    Args:
        path: The exported file.
        sha256: Its SHA-256, if already known.
    """
    try:
        files = ModelFolder(path.parent).read_json(VERIFY_JSON).get("files", [])
        passed = {entry["sha256"] for entry in files if entry["passed"]}
    except (ModelFolderError, OSError, KeyError, TypeError):
        return False
    if not passed:
        return False
    if sha256 is None:
        from edgeemo.files import sha256_file

        sha256 = sha256_file(path)
    return sha256 in passed


def to_json(content: dict[str, Any]) -> str:
    """JSON text as the model folder holds it; NaN is refused."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_samples(path: Path, samples: Iterable[Sample]) -> Path:
    """Write ``split.csv`` (path, label, split, sha256)."""
    return _write_csv(path, Sample, (asdict(sample) for sample in samples))


def write_rejected(path: Path, rejected: Iterable[Rejected]) -> Path:
    """Write ``rejected.csv`` (path, reason, detail)."""
    return _write_csv(path, Rejected, (asdict(row) for row in rejected))


def write_references(path: Path, references: Iterable[Reference], *, labels: Sequence[str]) -> Path:
    """Write ``reference.csv``: sha256, path, label and one column ``p(LABEL)`` per label.

    Probabilities are written with nine digits, which gives the same float32 back.
    """
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["sha256", "path", "label", *(f"p({label})" for label in labels)])
        for row in references:
            writer.writerow(
                [row.sha256, row.path, row.label, *(f"{score:.9g}" for score in row.scores)]
            )
    return path


def _read_references(path: Path) -> list[Reference]:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = csv.reader(stream)
            next(rows)
            return [
                Reference(
                    sha256=row[0], path=row[1], label=row[2], scores=tuple(map(float, row[3:]))
                )
                for row in rows
            ]
    except (ValueError, IndexError, StopIteration) as error:
        raise ModelFolderError(f"{path}: malformed ({error}); train or import again") from None


def _write_csv(path: Path, row_type: type, rows: Iterable[dict[str, Any]]) -> Path:
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        names = [field.name for field in fields(row_type)]
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _read_csv(path: Path, row_type: type[_Row]) -> list[_Row]:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return [row_type(**row) for row in csv.DictReader(stream)]
    except (TypeError, ValueError, csv.Error) as error:
        raise ModelFolderError(f"{path}: malformed ({error}); train or import again") from None
