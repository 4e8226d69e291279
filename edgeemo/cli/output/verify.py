"""Output of ``edgeemo verify``, and of the verification that follows an export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.cli.output.console import note, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.folder import ModelFolder
    from edgeemo.verify import FileVerification, Verification

COLUMNS = ("file", "verdict", "agreement (95 %)", "flips", "max |Δp|", "accuracy", "size")


def print_verification(folder: ModelFolder, verification: Verification) -> None:
    """Print a verification as a table with its notes and its verdict."""
    from edgeemo.model.folder import VERIFY_MD

    rows = [build_row(file) for file in verification.files]
    print_table(COLUMNS, rows, title=_build_title(folder, verification), numbers_from=2)
    for text in verification.notes:
        note(f"note: {text}")
    if verification.passed:
        note(verification.verdict)
    elif any(
        each.measured and not each.passed for each in verification.files if each.kind == "int8"
    ):
        note(f"note: 'edgeemo diagnose {folder.path}' shows where int8 departs from float, and why")
    note(f"report: {folder.file(VERIFY_MD)}")


def build_row(file: FileVerification) -> Sequence[str]:
    """Return the cells of one file, under `COLUMNS`."""
    from edgeemo.utils.text import format_size

    size = format_size(file.size_bytes) if file.size_bytes else "-"
    if file.measured is None:
        return (file.file, file.status, "-", "-", "-", "-", size)
    found = file.measured
    agreement = found.agreement
    return (
        file.file,
        file.status,
        f"{agreement.value:.2%} (≥ {agreement.low:.2%})",
        str(found.flip_count),
        f"{found.max_difference:.2g}",
        f"{found.accuracy.candidate.value:.2%}",
        size,
    )


def _build_title(folder: ModelFolder, verification: Verification) -> str:
    """Return the folder with the number of test images and the reference model's accuracy."""
    from edgeemo.utils.text import plural

    text = f"{folder.path}: {plural(verification.n, 'test image')}"
    found = next((file.measured for file in verification.files if file.measured), None)
    if found is None:
        return text
    accuracy = found.accuracy.reference
    classes = "" if accuracy.n == verification.n else f" on {accuracy.n:,} of the classes"
    return f"{text}; accuracy of the reference model {accuracy.value:.2%}{classes}"
