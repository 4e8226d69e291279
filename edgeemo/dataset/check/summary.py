"""The figures of a check in words, for the terminal and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edgeemo.dataset.check.groups import DuplicateGroup
    from edgeemo.dataset.check.report import CheckReport, FaceCounts, ImageSizes

SHORTCUT_COLUMNS = ("measure", "shortcut", "meaning", "AUC (95 %)")
PROCESSING_COLUMNS = ("processing", "example", "images", "share")


def describe_figures(report: CheckReport) -> dict[str, str]:
    """Return what a check counted and measured, by name."""
    figures = {
        "files": f"{report.found:,}, of which {report.usable:,} usable",
        "formats": _list_counts(report.formats),
        "modes": _list_counts(report.modes) or "none",
    }
    if report.sizes:
        figures["sizes"] = _describe_sizes(report.sizes)
        figures["bytes"] = f"{report.sizes.bytes / 1e6:,.1f} MB"
    figures["copies"] = _count_groups(report.identical)
    figures["near-duplicates"] = _count_groups(
        group for group in report.near_duplicates if not group.identical
    )
    if not any(one.count for one in report.processing):
        figures["processing"] = "no traces found"
    figures["faces"] = _describe_faces(report.faces) if report.faces else _describe_sample(report)
    if report.label_check.skipped:
        figures["suspicious labels"] = f"unknown: {report.label_check.skipped}"
    return figures


def list_shortcuts(report: CheckReport) -> list[tuple[str, ...]]:
    """Return one row per shortcut, under `SHORTCUT_COLUMNS`."""
    return [
        (
            shortcut.measure,
            "yes" if shortcut.flagged else "",
            shortcut.meaning,
            f"{shortcut.auc:.2f} ({shortcut.low:.2f} to {shortcut.high:.2f})",
        )
        for shortcut in report.shortcuts
    ]


def list_processing(report: CheckReport) -> list[tuple[str, ...]]:
    """Return one row per kind of processing that is found, under `PROCESSING_COLUMNS`."""
    return [
        (one.kind, one.example, f"{one.count:,} of {one.measured:,}", f"{one.share:.1%}")
        for one in report.processing
        if one.count
    ]


def _describe_sizes(sizes: ImageSizes) -> str:
    smallest, median, largest = (
        f"{width}x{height}" for width, height in (sizes.smallest, sizes.median, sizes.largest)
    )
    return f"{smallest} to {largest}, median {median}; {plural(sizes.different, 'size')}"


def _describe_faces(faces: FaceCounts) -> str:
    shares = ", ".join(f"{label} {share:.0%}" for label, share in faces.share_per_class.items())
    return (
        f"one in {faces.one:,}, several in {faces.several:,}, none in {len(faces.none):,} "
        f"(detected by {faces.detector}); share with a face: {shares}"
    )


def _describe_sample(report: CheckReport) -> str:
    found = report.face_sample.text if report.face_sample else "not detected"
    return f"{found}: {report.faces_skipped}"


def _list_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _count_groups(groups: Iterable[DuplicateGroup]) -> str:
    sizes = [len(group.paths) for group in groups]
    return f"{plural(sum(sizes), 'image')} in {plural(len(sizes), 'group')}" if sizes else "none"
