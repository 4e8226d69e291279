"""verify.md: the verification for a person to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.model.folder import VERIFY_PNG
from edgeemo.utils.text import one_line
from edgeemo.verify.report import size_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgeemo.metrics import SelectiveAccuracy
    from edgeemo.verify.measure import Flip, Sureness
    from edgeemo.verify.report import FileVerification, Verification

_EXPLANATION = """\
Every exported file answered every image of the test split, from the image file to the label,
with the engine that ships. The *original* is the trained model before it was exported. A *flip* is
an image to which the file gives another label than the original; *agreement* is the share without
one. *Δp* is the difference between two probabilities. McNemar's p says how easily chance alone
would part the two accuracies like this; *ECE* is the expected calibration error over 15 bins of
equal mass. Every interval is a 95 % interval (Wilson)."""


def to_markdown(report: Verification, *, name: str) -> str:
    """The report as Markdown.

    Args:
        report: What the verification found.
        name: Name of the model folder.

    Returns:
        Text that is the same for the same report.
    """
    parts = [
        f"# Verification of {_escape(name)}",
        f"**{_escape(report.verdict[0].upper() + report.verdict[1:])}.**",
        *(f"Note: {note}." for note in report.notes),
        _table(_ANSWERS, map(_answers_row, report.files)),
        _table(_ERRORS, [_errors_row(file) for file in report.files if file.measured]),
        *_sureness(report),
        _EXPLANATION,
        "## Gates",
        _gates(report),
        *_reasons(report),
        "## Flips",
        *_flips(report),
        f"![The images on which the files differ most from the original]({VERIFY_PNG})",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_ANSWERS = ("file", "verdict", "n", "agreement", "flips", "max Δp", "mean Δp", "size", "engine")
_ERRORS = (
    "file",
    "accuracy",
    "the original's",
    "right only in the original / the file",
    "extra errors",
    "McNemar's p",
    "ECE",
    "the original's",
)


def _answers_row(file: FileVerification) -> Sequence[str]:
    size, found = size_text(file.size_bytes) if file.size_bytes else "", file.measured
    if found is None:
        return (file.file, file.status, "", "", "", "", "", size, file.engine)
    return (
        file.file,
        file.status,
        f"{found.n:,}",
        f"{found.agreement.value:.2%} ({found.agreement.low:.2%} to {found.agreement.high:.2%})",
        str(len(found.flips)),
        f"{found.max_difference:.2g}",
        f"{found.mean_difference:.2g}",
        size,
        file.engine,
    )


def _errors_row(file: FileVerification) -> Sequence[str]:
    if file.measured is None:
        return (file.file,)
    found, both = file.measured, file.measured.accuracy
    return (
        file.file,
        str(both.candidate),
        str(both.reference),
        f"{both.only_reference_right} / {both.only_candidate_right}",
        str(both.net_extra_errors),
        f"{both.mcnemar_p:.3f}",
        f"{found.candidate_ece:.4f}",
        f"{found.reference_ece:.4f}",
    )


def _sureness(report: Verification) -> list[str]:
    """What is answered at all, for a model that may be "not sure"."""
    found = {file.file: file.measured.sureness for file in report.files if file.measured}
    rows = [(name, each) for name, each in found.items() if each]
    if not rows:
        return []
    least = rows[0][1].min_confidence
    return [
        _table(_SURENESS, [_sureness_row(name, each) for name, each in rows]),
        f'Below a confidence of {least:.4f} the answer is "not sure"; the tables above take the '
        "label behind it.",
    ]


_SURENESS = (
    "file",
    "answered",
    "accuracy on those",
    "the original answers",
    "its accuracy on those",
)


def _sureness_row(name: str, found: Sureness) -> Sequence[str]:
    return (name, *_answered(found.candidate), *_answered(found.reference))


def _answered(found: SelectiveAccuracy) -> tuple[str, str]:
    return (f"{found.count:,} ({found.coverage.value:.1%})", str(found.accuracy))


def _gates(report: Verification) -> str:
    kinds = dict.fromkeys(file.kind for file in report.files)
    return "\n".join(f"- {kind}: {report.gates.in_words(kind, report.n)}" for kind in kinds)


def _reasons(report: Verification) -> list[str]:
    missed = [file for file in report.files if not file.passed]
    lines = [
        f"- {file.file} ({file.status}): {_escape(reason)}"
        for file in missed
        for reason in file.reasons
    ]
    return ["## Not passed", "\n".join(lines)] if missed else []


def _flips(report: Verification) -> list[str]:
    flipped = [file for file in report.files if file.measured and file.measured.flips]
    if not flipped:
        return ["None."]
    parts = []
    for file in flipped:
        parts.append(f"### {file.file}")
        parts.append(_table(_FLIPS, map(_flip_row, file.measured.flips if file.measured else ())))
    return parts


_FLIPS = ("image", "truth", "original", "file", "SHA-256")


def _flip_row(flip: Flip) -> Sequence[str]:
    return (
        flip.path,
        flip.label,
        f"{flip.reference_label} {flip.reference_score:.4f}",
        f"{flip.candidate_label} {flip.candidate_score:.4f}",
        flip.sha256[:12],
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(map(_escape, row)) for row in rows]
    if not lines:
        return ""
    return "\n".join(f"| {line} |" for line in [" | ".join(header), _rule(header), *lines])


def _rule(header: Sequence[str]) -> str:
    return " | ".join("---" for _ in header)


def _escape(text: str) -> str:
    """Text that Markdown shows as it is: a path or label may hold its special characters."""
    for special in "\\|`*_<>[]":
        text = text.replace(special, "\\" + special)
    return one_line(text)
