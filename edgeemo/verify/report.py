"""What a verification found, as data, as table rows and as one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from edgeemo.errors import ParityError
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from edgeemo.model.container import Kind
    from edgeemo.verify.gates import Gates
    from edgeemo.verify.measure import Comparison

Status = Literal["passed", "failed", "not run"]


@dataclass(frozen=True, kw_only=True)
class FileVerification:
    """The verification of one exported file.

    Attributes:
        file: Its name.
        kind: "float32", "float16", "dynamic" or "int8": which gates it has to keep to.
        status: "passed"; "failed" (a gate missed, or it cannot be loaded); "not run" (its engine is
            not installed here).
        reasons: Why it did not pass, in words; empty if it did.
        notes: What a reader has to know besides.
        sha256: SHA-256 of its bytes; empty where it could not be read.
        size_bytes: Its size; 0 where it could not be read.
        engine: The engine's package and version; empty where nothing ran it.
        measured: How its answers compare with the original's; None where there are none.
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
    measured: Comparison | None = None

    @property
    def passed(self) -> bool:
        """Whether it ran and kept to every gate."""
        return self.status == "passed"


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The verification of a model folder.

    Attributes:
        n: Number of test images.
        edgeemo_version: Version of edgeemo that verified.
        reference_sha256: SHA-256 of the reference model's predictions (``reference.csv``).
        gates: Gates of the files.
        files: Verification of each exported file.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("version", "passed", "verdict")
    version: ClassVar[int] = 1

    n: int
    edgeemo_version: str
    reference_sha256: str
    gates: Gates
    files: tuple[FileVerification, ...]

    HEADER: ClassVar[tuple[str, ...]] = (
        "file",
        "verdict",
        "agreement (95 %)",
        "flips",
        "max |Δp|",
        "accuracy",
        "size",
    )

    @property
    def passed(self) -> bool:
        """Whether there are files and every one passed."""
        return bool(self.files) and all(file.passed for file in self.files)

    @property
    def verdict(self) -> str:
        """The outcome as one line."""
        if self.passed:
            files = plural(len(self.files), "file agrees", "files agree")
            images = plural(self.n, "test image")
            return f"passed: {files} with the original within the gates on {images}"
        missed = [file for file in self.files if not file.passed]
        details = "; ".join(f"{file.file}: {', '.join(file.reasons)}" for file in missed)
        return f"not passed: {len(missed)} of {plural(len(self.files), 'file')} ({details})"

    @property
    def notes(self) -> tuple[str, ...]:
        """Every file's notes, each once."""
        return tuple(dict.fromkeys(note for file in self.files for note in file.notes))

    def rows(self) -> list[tuple[str, ...]]:
        """One row of text per file, under `HEADER`."""
        return [_row(file) for file in self.files]


def raise_for_gates(report: Verification) -> None:
    """Do nothing if every file passed.

    Raises:
        ParityError: If one did not; it carries the report.
    """
    if not report.passed:
        raise ParityError(report.verdict, report=report)


def size_text(size_bytes: int) -> str:
    """A size for people: "927 B", "14.8 kB", "3.7 MB" (powers of 1000)."""
    size, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 99.95 else f"{size:.1f} {unit}"


def _row(file: FileVerification) -> tuple[str, ...]:
    size = size_text(file.size_bytes) if file.size_bytes else "-"
    if file.measured is None:
        return (file.file, file.status, "-", "-", "-", "-", size)
    found = file.measured
    agreement = found.agreement
    return (
        file.file,
        file.status,
        f"{agreement.value:.2%} ({agreement.low:.2%} to {agreement.high:.2%})",
        str(len(found.flips)),
        f"{found.max_difference:.2g}",
        f"{found.accuracy.candidate.value:.2%} (original {found.accuracy.reference.value:.2%})",
        size,
    )
