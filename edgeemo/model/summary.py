"""A model folder in a line: date, data, accuracy, size and verification. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.errors import EdgeEmoError, ModelFolderError
from edgeemo.model.adoption import ADOPTED
from edgeemo.model.folder import ADOPTED_JSON, REPORT_HTML, REPORT_JSON
from edgeemo.model.verified import find_verification
from edgeemo.utils.files import sha256_file
from edgeemo.utils.strict_json import require, require_fields

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.verified import VerifiedFile

MODEL_CARD = "MODEL_CARD.md"


@dataclass(frozen=True, kw_only=True)
class MeasuredAccuracy:
    """Accuracy on a test split, with its 95 % interval.

    Attributes:
        value: The accuracy, 0 to 1.
        low: Lower end.
        high: Upper end.
        n: Number of test images.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """A model folder in a line.

    Attributes:
        name: Name of the folder.
        path: The folder.
        is_shipped: Whether it is a shipped model.
        date: Date of the training, ISO 8601, UTC; "" where the folder does not tell.
        data: Folder or .zip of the images; "" where the folder does not tell.
        labels: The labels; () where the spec is malformed.
        accuracy: Accuracy on the test split: of the default file where it is verified, else of the
            reference model; None where it is unknown.
        file: Name of the default file; "" without an exported file.
        size_bytes: Its size; 0 without one.
        verified: Whether it is verified.
        adopted: Its status in words where it was adopted, so that it cannot be verified, else "".
        problem: Why the folder cannot be read, in words, or "".
    """

    name: str
    path: Path
    is_shipped: bool = False
    date: str = ""
    data: str = ""
    labels: tuple[str, ...] = ()
    accuracy: MeasuredAccuracy | None = None
    file: str = ""
    size_bytes: int = 0
    verified: bool = False
    adopted: str = ""
    problem: str = ""


def summarise_folder(folder: ModelFolder) -> ModelSummary:
    """Return a summary of a model folder, whatever is wrong with it."""
    name, is_shipped = folder.path.name, folder.is_shipped
    try:
        spec, facts = folder.read_spec(), folder.read_training()
        path, entry = _find_default(folder)
        return ModelSummary(
            name=name,
            path=folder.path,
            is_shipped=is_shipped,
            date=spec.provenance.date,
            data=str(facts.data or folder.read_json(ADOPTED_JSON).get("data", "")),
            labels=spec.labels,
            accuracy=read_accuracy(folder, entry),
            file=path.name if path else "",
            size_bytes=path.stat().st_size if path else 0,
            verified=entry is not None and entry.passed,
            adopted=ADOPTED if spec.adopted else "",
        )
    except (EdgeEmoError, OSError) as error:
        return ModelSummary(name=name, path=folder.path, is_shipped=is_shipped, problem=str(error))


def read_accuracy(folder: ModelFolder, entry: VerifiedFile | None) -> MeasuredAccuracy | None:
    """Return the accuracy of a verified file, of the reference model, or of an adopted file.

    Args:
        folder: The model folder.
        entry: The file's entry in ``verify.json``, if it has one.

    Raises:
        ModelFolderError: If ``report.json`` or ``adopted.json`` is malformed.
    """
    if entry is not None and entry.accuracy is not None and entry.accuracy_n is not None:
        value, low, high = entry.accuracy
        return MeasuredAccuracy(value=value, low=low, high=high, n=entry.accuracy_n)
    recorded, adopted = folder.read_json(REPORT_JSON), folder.read_json(ADOPTED_JSON)
    try:
        found = recorded["test"]["accuracy"] if recorded else adopted.get("accuracy")
        return _parse_accuracy(found) if found else None
    except (KeyError, TypeError, ValueError):
        name, again = (REPORT_JSON, "train or import") if recorded else (ADOPTED_JSON, "adopt")
        raise ModelFolderError(f"{folder.file(name)}: malformed; {again} again") from None


def describe_proof(entry: VerifiedFile | None, spec: ModelSpec) -> str:
    """Return what the verification of a file showed, as a sentence without its full stop.

    Args:
        entry: The file's entry in ``verify.json``; None without one.
        spec: Its spec.
    """
    if spec.adopted:
        return ADOPTED
    if entry is None:
        return "not verified: run 'edgeemo verify'"
    if entry.n is None and entry.equal_to and entry.passed:
        return f"passed: predicts as the verified {entry.equal_to}"
    if entry.n is None and entry.equal_to:
        return f"not passed: resizes by itself, and differs from the verified {entry.equal_to}"
    if entry.n is None:
        return "not passed: it was not run"
    flips, images = entry.figures["measured"].get("flip_count"), f"{entry.n:,} test images"
    labels = (
        f"on {flips:,} of {images} another label than the reference model's"
        if flips
        else f"the reference model's label on all {images}"
    )
    difference = (
        ""
        if entry.max_difference is None
        else f"; probabilities differ by at most {entry.max_difference:.2g}"
    )
    return f"{'passed' if entry.passed else 'not passed'}: {labels}{difference}"


def find_card(folder: Path) -> Path | None:
    """Return the model card in a folder, or None."""
    return _find_file(folder, MODEL_CARD)


def find_report(folder: Path) -> Path | None:
    """Return the page of the training report in a folder, or None."""
    return _find_file(folder, REPORT_HTML)


def _find_file(folder: Path, name: str) -> Path | None:
    path = folder / name
    return path if path.is_file() else None


def _parse_accuracy(fields: Any) -> MeasuredAccuracy:
    known = require_fields(fields, dict.fromkeys(("value", "low", "high"), float))
    return MeasuredAccuracy(
        value=known["value"], low=known["low"], high=known["high"], n=require(known["n"], int, "n")
    )


def _find_default(folder: ModelFolder) -> tuple[Path | None, VerifiedFile | None]:
    """Return the folder's default file and its entry in ``verify.json``."""
    try:
        path = folder.choose_default_file()
    except ModelFolderError:
        return None, None
    return path, find_verification(path, sha256=sha256_file(path))
