"""The summary of a file as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.live.outputs.clock import format_short
from edgeemo.model.spec import NOT_SURE
from edgeemo.utils.layout import format_table
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.live.outputs.summary import Summary


def summarize(summary: Summary, labels: Sequence[str], *, width: int | None = None) -> list[str]:
    """Return the lines of a summary: the share of each label, per face and of all.

    Args:
        summary: The summary.
        labels: The model's labels.
        width: Number of columns to write in; None for any.
    """
    if not summary.faces:
        return [describe_run(summary)]
    shown = list_labels(summary, labels)
    head = ["", "from", "to", *shown]
    return [describe_run(summary), *format_table(head, list_rows(summary, shown), width=width)]


def list_labels(summary: Summary, labels: Sequence[str]) -> list[str]:
    """Return the labels that a table has columns for: the model's, and "not sure" where it was."""
    return [*labels, *([NOT_SURE] if summary.seconds[NOT_SURE] else [])]


def list_rows(summary: Summary, labels: Sequence[str]) -> list[list[str]]:
    """Return the rows of a table: name, from, to, and the share of each label.

    Args:
        summary: The summary.
        labels: The labels of the columns.
    """
    rows = [
        [
            face.name,
            *_place(summary, face.first_s, face.last_s),
            *_percent(face.steady.shares(labels)),
        ]
        for face in summary.faces
    ]
    if len(rows) > 1:
        total = summary.total.shares(labels)
        rows.append(["all", *_place(summary, summary.start_s, summary.end_s), *_percent(total)])
    return rows


def describe_run(summary: Summary) -> str:
    """Return number of frames and faces, and the duration, as a sentence."""
    span = format_short(summary.end_s - summary.start_s)
    faces = [each for each in summary.faces if each.is_face]
    seen = f", {plural(summary.face_count, 'face')}" if faces or not summary.faces else ""
    damaged = f", {summary.damaged:,} of them damaged" if summary.damaged else ""
    changes = plural(summary.changes, "change of label", "changes of label")
    return f"{plural(summary.frames, 'frame')} in {span}{damaged}{seen}, {changes}"


def _place(summary: Summary, first_s: float, last_s: float) -> list[str]:
    return [format_short(each - summary.start_s) for each in (first_s, last_s)]


def _percent(shares: Sequence[float]) -> list[str]:
    return [f"{share:.0%}" for share in shares]
