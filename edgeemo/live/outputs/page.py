"""--html: a page with the time line of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.live.outputs.clock import format_position, format_short
from edgeemo.live.outputs.summary_text import describe_run, list_labels, list_rows
from edgeemo.model.spec import NOT_SURE
from edgeemo.report.document import (
    Code,
    Document,
    Gallery,
    Note,
    Section,
    Stretch,
    Strip,
    Table,
    Text,
    Tile,
    Timeline,
)
from edgeemo.utils.text import join_and

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.live.outputs.examples import Example
    from edgeemo.live.outputs.summary import FaceSummary, Span, Summary, TimeLine

_COLOURS, _NEUTRAL = 7, 7
_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600, 43200, 86400)
_TICKS = 5


def make_page(
    summary: Summary,
    labels: Sequence[str],
    *,
    source: str,
    examples: Mapping[int, Example],
    began: str = "",
) -> Document:
    """Return the page of a run.

    Args:
        summary: The summary.
        labels: The model's labels.
        source: Name of the source, without a password.
        examples: An example of each face, by its number; may be empty.
        began: Date and time of its beginning; may be empty.
    """
    shown = list_labels(summary, labels)
    since = f", from {began}" if began else ""
    lead = [Text("Source: ", Code(source), f"{since}. {describe_run(summary)}.")]
    return Document(
        title="Faces over time",
        headline=_make_headline(summary, shown),
        lead=lead,
        sections=list(_make_sections(summary, shown, examples)) if summary.faces else [],
    )


def _make_headline(summary: Summary, labels: Sequence[str]) -> str:
    if not summary.faces:
        return "No face was seen."
    shares = sorted(zip(summary.total.shares(labels), labels, strict=True), reverse=True)
    parts = [f"{label} {share:.0%}" for share, label in shares if share >= 0.005]
    return f"Share of the time: {join_and(parts)}." if parts else "One frame was seen."


def _make_sections(
    summary: Summary, labels: Sequence[str], examples: Mapping[int, Example]
) -> list[Section]:
    hint = (
        "Steady: the label over time, which the other outputs show. Raw: the label of each frame "
        "alone. Rest on a bar to read its times."
    )
    rows = list_rows(summary, labels)
    table = Table(["", "from", "to", *labels], rows, has_total=len(rows) > 1)
    sections = [
        Section("Time line", [_make_timeline(summary, labels), Note(hint)]),
        Section("Share of each label", [table, *_note_left_out(summary)]),
    ]
    if examples:
        tiles = [
            Tile(image=examples[face.id].jpeg, caption=f"{face.name}\n{examples[face.id].caption}")
            for face in summary.faces
            if face.id in examples
        ]
        sections.append(Section("Faces", [Gallery(tiles)]))
    return sections


def _note_left_out(summary: Summary) -> list[Note]:
    left_out = summary.face_count - len(summary.faces)
    if not left_out:
        return []
    return [Note(f"{left_out:,} faces that were there for a shorter time are not listed.")]


def _make_timeline(summary: Summary, labels: Sequence[str]) -> Timeline:
    scale = _Scale(summary, labels)
    return Timeline(
        labels=labels,
        rows=[(_make_title(summary, face), scale.make_strips(face)) for face in summary.faces],
        ticks=scale.make_ticks(),
    )


def _make_title(summary: Summary, face: FaceSummary) -> str:
    first, last = (format_short(each - summary.start_s) for each in (face.first_s, face.last_s))
    return f"{face.name}, {first} to {last}"


class _Scale:
    """From times to places along the time line."""

    def __init__(self, summary: Summary, labels: Sequence[str]) -> None:
        self._start_s = summary.start_s
        self._span_s = max(summary.end_s - summary.start_s, 1e-3)
        self._labels = {
            label: _NEUTRAL if label == NOT_SURE else number % _COLOURS
            for number, label in enumerate(labels)
        }

    def make_strips(self, face: FaceSummary) -> list[Strip]:
        return [
            Strip("steady", self._make_stretches(face.steady)),
            Strip("raw", self._make_stretches(face.raw), is_minor=True),
        ]

    def make_ticks(self) -> list[tuple[float, str]]:
        step = next((each for each in _STEPS_S if self._span_s / each <= _TICKS), _STEPS_S[-1])
        inner = [number * step for number in range(1, int(self._span_s / step) + 1)]
        inner = [each for each in inner if each < self._span_s - 0.6 * step]
        places = [0.0, *map(float, inner), self._span_s]
        return [(each / self._span_s, format_short(each)) for each in places]

    def _make_stretches(self, line: TimeLine) -> list[Stretch]:
        return [self._make_stretch(span) for span in line.spans]

    def _make_stretch(self, span: Span) -> Stretch:
        start, end = span.start_s - self._start_s, span.end_s - self._start_s
        text = f"{span.label} {format_position(start)} to {format_position(end)}"
        return Stretch(
            start / self._span_s, end / self._span_s, self._labels.get(span.label, _NEUTRAL), text
        )
