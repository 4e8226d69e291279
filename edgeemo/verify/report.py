"""The outcome of a verification."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from edgeemo.errors import ParityError
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from edgeemo.model.container import Kind
    from edgeemo.verify.comparison import PredictionComparison
    from edgeemo.verify.gates import Gates

Status = Literal["passed", "failed", "not run"]


@dataclass(frozen=True, kw_only=True)
class FileVerification:
    """The verification of one exported file.

    Attributes:
        file: Name of the file.
        kind: "float32", "float16", "dynamic" or "int8", which decides its gates.
        status: "passed"; "failed" (a gate missed, or the file cannot be loaded); "not run" (its
            engine is not installed here).
        reasons: Why it did not pass, in words; empty if it did.
        notes: What a reader of the figures has to know, in words.
        sha256: SHA-256 of the file, hexadecimal; empty if it cannot be read.
        size_bytes: Size of the file; 0 if it cannot be read.
        engine: Package and version of the engine; empty if none ran it.
        measured: Its predictions against those of the reference model; None without predictions.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("passed",)

    file: str
    kind: Kind
    status: Status
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sha256: str = ""
    size_bytes: int = 0
    engine: str = ""
    measured: PredictionComparison | None = None

    @property
    def passed(self) -> bool:
        """Return whether the file ran and met every gate."""
        return self.status == "passed"

    def judge(self, gates: Gates) -> FileVerification:
        """Return the same figures judged by other gates; a file that did not run stays failed."""
        if self.measured is None:
            return self
        failures = gates.list_failures(self.kind, self.measured)
        return replace(self, status="failed" if failures else "passed", reasons=failures)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The verification of a model folder, which is the content of ``verify.json``.

    Attributes:
        n: Number of test images.
        edgeemo_version: Version of edgeemo that verified.
        reference_sha256: SHA-256 of the predictions of the reference model (``reference.csv``).
        gates: The gates.
        files: The verification of each exported file.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("version", "passed", "verdict")
    version: ClassVar[int] = 1

    n: int
    edgeemo_version: str
    reference_sha256: str
    gates: Gates
    files: tuple[FileVerification, ...]

    @property
    def passed(self) -> bool:
        """Return whether there are files and all of them passed."""
        return bool(self.files) and all(file.passed for file in self.files)

    def judge(self, gates: Gates) -> Verification:
        """Return the same figures judged by other gates."""
        return replace(self, gates=gates, files=tuple(each.judge(gates) for each in self.files))

    @property
    def verdict(self) -> str:
        """Return the outcome as one line."""
        if self.passed:
            files = plural(len(self.files), "file agrees", "files agree")
            images = plural(self.n, "test image")
            return f"passed: {files} with the reference model within the gates on {images}"
        missed = [file for file in self.files if not file.passed]
        details = "; ".join(f"{file.file}: {', '.join(file.reasons)}" for file in missed)
        return f"not passed: {len(missed)} of {plural(len(self.files), 'file')} ({details})"

    @property
    def notes(self) -> tuple[str, ...]:
        """Return the notes of all files, each once."""
        return tuple(dict.fromkeys(note for file in self.files for note in file.notes))


def raise_for_gates(verification: Verification) -> None:
    """Do nothing if every file passed.

    Raises:
        ParityError: If one did not; it carries the verification.
    """
    if not verification.passed:
        raise ParityError(verification.verdict, report=verification)
