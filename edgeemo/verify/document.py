"""The verification of a model folder as a page: ``verify.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.model.folder import VERIFY_PNG
from edgeemo.report.document import Bullets, Document, Heading, Plot, Section, Table, Text
from edgeemo.utils.text import format_size
from edgeemo.verify.quantised import show_quantised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.metrics import SelectiveAccuracy
    from edgeemo.report.document import Block
    from edgeemo.verify.comparison import Flip, PredictionComparison
    from edgeemo.verify.quantised import Quantised
    from edgeemo.verify.report import FileVerification, Verification

_METHOD = (
    "Every exported file predicts every image of the test split, from the image file to the label, "
    "in the engine that ships. The reference model is the trained model before the export. A flip "
    "is an image for which the file predicts another label than the reference model; agreement is "
    "the share of images without a flip. Δp is the difference between two probabilities. Every "
    "interval is a 95 % interval (Wilson)."
)
_ACCURACY_METHOD = (
    "McNemar's p is the probability that chance alone makes the two accuracies differ this much. "
    "ECE is the expected calibration error over 15 bins of equal mass, fewer below "
    "300 images, and stands beside what perfectly calibrated predictions would show by chance."
)

_IMAGES = Plot(VERIFY_PNG, "Images with the largest differences", shows_photos=True)
_AGREEMENT = ("file", "verdict", "n", "agreement", "flips", "max Δp", "mean Δp", "size", "engine")
_ACCURACY = (
    "file",
    "accuracy",
    "reference model",
    "only reference / only file right",
    "extra errors",
    "McNemar's p",
    "ECE",
    "reference ECE",
    "by chance",
)
_SELECTIVE = ("file", "coverage", "accuracy", "reference coverage", "reference accuracy")
_FLIPS = ("image", "truth", "reference model", "file", "SHA-256")


def build_document(
    verification: Verification, *, name: str, quantised: Quantised | None = None
) -> Document:
    """Return the content of ``verify.md``, the same for the same verification.

    Args:
        verification: The verification.
        name: Name of the model folder.
        quantised: How int8 files were quantised, as of `edgeemo.verify.quantised.read_quantised`.
    """
    verdict = verification.verdict
    compared = [(file.file, file.measured) for file in verification.files if file.measured]
    sections = (
        Section("Agreement", [_tabulate_agreement(verification), Text(_METHOD)]),
        Section("Accuracy", _show_accuracy(compared)),
        Section("Above the confidence threshold", _show_selective_accuracy(compared)),
        Section("Gates", [Bullets(_describe_gates(verification))]),
        Section("Not passed", _show_reasons(verification)),
        Section("int8", show_quantised(quantised or {})),
        Section("Flips", _show_flips(compared)),
        Section("Largest differences", [_IMAGES]),
    )
    return Document(
        title=f"Verification of {name}",
        headline=f"{verdict[0].upper()}{verdict[1:]}.",
        warnings=[f"{note[0].upper()}{note[1:]}." for note in verification.notes],
        sections=[section for section in sections if section.blocks],
    )


def _tabulate_agreement(verification: Verification) -> Table:
    return Table(_AGREEMENT, [_build_agreement_row(file) for file in verification.files], 2)


def _build_agreement_row(file: FileVerification) -> Sequence[str]:
    size, found = format_size(file.size_bytes) if file.size_bytes else "", file.measured
    if found is None:
        return (file.file, file.status, "", "", "", "", "", size, file.engine)
    return (
        file.file,
        file.status,
        f"{found.n:,}",
        f"{found.agreement.value:.2%} ({found.agreement.low:.2%} to {found.agreement.high:.2%})",
        str(found.flip_count),
        f"{found.max_difference:.2g}",
        f"{found.mean_difference:.2g}",
        size,
        file.engine,
    )


def _show_accuracy(compared: Sequence[tuple[str, PredictionComparison]]) -> list[Block]:
    rows = [
        (
            name,
            str(found.accuracy.candidate),
            str(found.accuracy.reference),
            f"{found.accuracy.only_reference_right} / {found.accuracy.only_candidate_right}",
            str(found.accuracy.net_extra_errors),
            f"{found.accuracy.mcnemar_p:.3f}",
            f"{found.candidate_ece:.4f}",
            f"{found.reference_ece:.4f}",
            f"{found.ece_by_chance:.4f}",
        )
        for name, found in compared
    ]
    return [Table(_ACCURACY, rows), Text(_ACCURACY_METHOD)] if rows else []


def _show_selective_accuracy(compared: Sequence[tuple[str, PredictionComparison]]) -> list[Block]:
    """Return coverage and accuracy of a model with a confidence threshold; [] without one."""
    found = [(name, each.selective_accuracy) for name, each in compared if each.selective_accuracy]
    if not found:
        return []
    rows = [
        (name, *_describe_selective(each.candidate), *_describe_selective(each.reference))
        for name, each in found
    ]
    threshold = found[0][1].min_confidence
    return [
        Table(_SELECTIVE, rows),
        Text(
            f'Below a confidence of {threshold:.4f} the prediction is "not sure"; the tables above '
            "count the label behind it."
        ),
    ]


def _describe_selective(found: SelectiveAccuracy) -> tuple[str, str]:
    return (f"{found.count:,} ({found.coverage.value:.1%})", str(found.accuracy))


def _describe_gates(verification: Verification) -> list[str]:
    kinds = dict.fromkeys(file.kind for file in verification.files)
    return [f"{kind}: {verification.gates.describe(kind, verification.n)}" for kind in kinds]


def _show_reasons(verification: Verification) -> list[Block]:
    reasons = [
        f"{file.file} ({file.status}): {reason}"
        for file in verification.files
        for reason in file.reasons
    ]
    return [Bullets(reasons)] if reasons else []


def _show_flips(compared: Sequence[tuple[str, PredictionComparison]]) -> list[Block]:
    blocks: list[Block] = []
    for name, found in compared:
        if found.flips:
            blocks += [Heading(name), Table(_FLIPS, [_build_flip_row(f) for f in found.flips], 5)]
    return blocks or [Text("None.")]


def _build_flip_row(flip: Flip) -> Sequence[str]:
    return (
        flip.path,
        flip.label,
        f"{flip.reference_label} {flip.reference_score:.4f}",
        f"{flip.candidate_label} {flip.candidate_score:.4f}",
        flip.sha256[:12],
    )
