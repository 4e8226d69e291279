"""What is to be measured: exported files, each with several numbers of threads."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.bench.quantiles import Estimate
from edgeemo.errors import EngineError, SpecError
from edgeemo.model.container import unseal
from edgeemo.model.verified import VERIFY_JSON, is_verified
from edgeemo.utils.system import usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from edgeemo.model.face_settings import FaceRequest, FaceSettings

ENGINES = {".tflite": "ai-edge-litert", ".onnx": "onnxruntime"}
"""The package that runs a file, as pip calls it."""


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """A file to be measured.

    Attributes:
        name: What to call it.
        path: The file, or what a worker calls the one inside a bundle.
        sha256: SHA-256 of its bytes; empty where it cannot be read.
        size_bytes: Its size; 0 where it cannot be read.
        problem: Why it cannot be measured, in one line; empty if it can.
        verified: Whether these bytes passed their verification.
        accuracy: On the test split, from the verification; None where there is none.
        faces: How it finds faces; None where it does not, or cannot be read.
    """

    name: str
    path: str
    sha256: str = ""
    size_bytes: int = 0
    problem: str = ""
    verified: bool = False
    accuracy: Estimate | None = None
    faces: FaceSettings | None = None

    @property
    def engine(self) -> str:
        """The package that runs it; empty where its name does not tell."""
        return ENGINES.get(os.path.splitext(self.name)[1], "")  # noqa: PTH122


def exported_files(
    paths: Iterable[Path], *, faces: FaceRequest | None = None
) -> list[ExportedFile]:
    """Files on disk, each once; if one cannot be used, that is its problem and no exception.

    Args:
        paths: The files; the verification of each is that in the folder it lies in. They are called
            by their names, or by their paths where two have the same name.
        faces: Requested changes to the models' face settings; None for none.
    """
    paths = list(dict.fromkeys(paths))
    names = [path.name for path in paths]
    return [
        _exported_file(path, path.name if names.count(path.name) == 1 else str(path), faces)
        for path in paths
    ]


def _exported_file(path: Path, name: str, faces: FaceRequest | None) -> ExportedFile:
    try:
        model = unseal(path)
    except (EngineError, SpecError) as error:
        return ExportedFile(name=name, path=str(path), problem=str(error))
    return ExportedFile(
        name=name,
        path=str(path),
        sha256=model.sha256,
        size_bytes=model.size_bytes,
        verified=is_verified(path, sha256=model.sha256),
        accuracy=_verified_accuracy(path.parent / VERIFY_JSON, model.sha256),
        faces=faces.apply(model.spec.faces) if faces else model.spec.faces,
    )


def accuracy_of(entry: Mapping[str, Any] | None) -> Estimate | None:
    """The accuracy in a file's entry of ``verify.json``, or None."""
    try:
        found = (entry or {})["measured"]["accuracy"]["candidate"]
        return Estimate(float(found["value"]), float(found["low"]), float(found["high"]))
    except (KeyError, TypeError, ValueError):
        return None


def thread_counts(text: str | None) -> tuple[int, ...]:
    """The numbers in "1,2,4", each once; by default 1 and as many as there are cores.

    Raises:
        ValueError: If one of them is not a whole number of 1 or more.
    """
    if text is None:
        return tuple(dict.fromkeys((1, usable_cores())))
    counts = [int(part) if part.strip().isdecimal() else 0 for part in text.split(",")]
    if min(counts) < 1:
        raise ValueError(f"{text!r} is not a list of whole numbers such as 1,2,4")
    return tuple(dict.fromkeys(counts))


def _verified_accuracy(verification: Path, sha256: str) -> Estimate | None:
    try:
        entries: Iterable[Any] = json.loads(verification.read_bytes())["files"]
        return next(accuracy_of(each) for each in entries if each["sha256"] == sha256)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None
