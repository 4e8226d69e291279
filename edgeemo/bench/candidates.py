"""The files to measure, and the numbers of threads to measure each with."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.bench.protocol import OPENVINO
from edgeemo.bench.quantiles import Estimate
from edgeemo.errors import EngineError, ModelFolderError, SpecError
from edgeemo.model.container import unseal
from edgeemo.model.folder import ModelFolder
from edgeemo.model.summary import read_accuracy
from edgeemo.model.verified import find_verification
from edgeemo.utils.system import usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeemo.model.face_request import FaceRequest
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.model.verified import VerifiedFile
    from edgeemo.utils.paths import StrPath

ENGINES = {".tflite": "ai-edge-litert", ".onnx": "onnxruntime"}
"""Suffix of a file to the package that runs it, as pip calls it."""


@dataclass(frozen=True, kw_only=True)
class CandidateFile:
    """A file to measure.

    Attributes:
        name: Its name in tables and reports.
        path: Path of the file, or the worker's name for a file inside a bundle.
        sha256: SHA-256 of its bytes; empty if it cannot be read.
        size_bytes: Its size; 0 if it cannot be read.
        problem: Why it cannot be measured, in one line; empty if it can.
        verified: Whether these bytes passed their verification.
        adopted: Whether they were adopted: there is no reference model to verify them against.
        accuracy: Accuracy on the test split, from the verification; None if unknown.
        faces: Face settings; None if it detects no faces or cannot be read.
        peer: `OPENVINO` to measure it in that engine instead of its own; else empty.
    """

    name: str
    path: str
    sha256: str = ""
    size_bytes: int = 0
    problem: str = ""
    verified: bool = False
    adopted: bool = False
    accuracy: Estimate | None = None
    faces: FaceSettings | None = None
    peer: str = ""

    @property
    def engine(self) -> str:
        """Return the package that runs it; empty for an unknown suffix."""
        return self.peer or ENGINES.get(os.path.splitext(self.name)[1], "")  # noqa: PTH122


def read_candidates(
    paths: Iterable[StrPath], *, faces: FaceRequest | None = None
) -> list[CandidateFile]:
    """Read exported files, each once; a file that cannot be used is a candidate with a problem.

    Args:
        paths: The files. The verification of each is the one in its folder. A file is named by its
            file name, or by its path if another has the same file name.
        faces: Requested changes to the models' face settings; None for none.

    Returns:
        One candidate per file, in the order of `paths`.
    """
    files = list(dict.fromkeys(map(Path, paths)))
    names = [path.name for path in files]
    return [
        _read_candidate(path, path.name if names.count(path.name) == 1 else str(path), faces)
        for path in files
    ]


def add_openvino(files: Iterable[CandidateFile]) -> list[CandidateFile]:
    """Return files and, where OpenVINO is installed, each ``.onnx`` file in it as well.

    No file is verified in it.
    """
    found: list[CandidateFile] = []
    is_installed = find_spec(OPENVINO) is not None
    for file in files:
        found.append(file)
        if is_installed and file.engine == ENGINES[".onnx"] and not (file.problem or file.adopted):
            name = f"{file.name} (OpenVINO)"
            found.append(replace(file, name=name, peer=OPENVINO, verified=False))
    return found


def _read_candidate(path: Path, name: str, faces: FaceRequest | None) -> CandidateFile:
    try:
        model = unseal(path)
    except (EngineError, SpecError) as error:
        return CandidateFile(name=name, path=str(path), problem=str(error))
    verification = find_verification(path, sha256=model.sha256)
    return CandidateFile(
        name=name,
        path=str(path),
        sha256=model.sha256,
        size_bytes=model.size_bytes,
        verified=bool(verification and verification.passed),
        adopted=model.spec.adopted is not None,
        accuracy=_read_adopted_accuracy(path)
        if model.spec.adopted
        else estimate_accuracy(verification),
        faces=faces.apply(model.spec.faces) if faces else model.spec.faces,
    )


def _read_adopted_accuracy(path: Path) -> Estimate | None:
    """Return the accuracy that was measured when a file was adopted, or None."""
    try:
        found = read_accuracy(ModelFolder(path.parent), None)
    except ModelFolderError:
        return None
    return Estimate(found.value, found.low, found.high) if found else None


def estimate_accuracy(verification: VerifiedFile | None) -> Estimate | None:
    """Return the accuracy of a file in its verification, or None if it has none."""
    accuracy = verification.accuracy if verification else None
    return Estimate(*accuracy) if accuracy else None


def parse_threads(text: str | None) -> tuple[int, ...]:
    """Return the numbers in "1,2,4", each once; by default 1 and the number of cores.

    Raises:
        ValueError: If one of them is not a whole number of 1 or more.
    """
    if text is None:
        return tuple(dict.fromkeys((1, usable_cores())))
    counts = [int(part) if part.strip().isdecimal() else 0 for part in text.split(",")]
    if min(counts) < 1:
        raise ValueError(f"{text!r} is not a list of whole numbers such as 1,2,4")
    return tuple(dict.fromkeys(counts))
