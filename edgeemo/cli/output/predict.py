"""Output of ``edgeemo predict``: predictions while they come, and a summary at the end."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edgeemo.cli.options.common import OutputFormat
from edgeemo.cli.output.console import echo, note, say
from edgeemo.model.spec import NOT_SURE
from edgeemo.runtime.formats import to_csv_header, to_csv_rows, to_jsonl
from edgeemo.runtime.prediction import NO_FACE
from edgeemo.utils.csv_text import to_line
from edgeemo.utils.layout import format_list, get_width
from edgeemo.utils.text import escape_controls, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edgeemo.model.spec import ModelSpec
    from edgeemo.runtime.prediction import ImageResult, Prediction

_MIN_PATH = 20
"""Smallest room for a path beside the other cells of its row."""


def make_printer(
    format: OutputFormat, spec: ModelSpec, *, timed: bool = False
) -> Callable[[ImageResult], None]:
    """Return a function that prints the predictions of one image; print the headings at once.

    Args:
        format: Format of the output.
        spec: Spec of the model.
        timed: Whether some images are frames of videos, whose times are a column of CSV.
    """
    faces = spec.faces is not None
    if format is OutputFormat.JSONL:
        return lambda result: echo(to_jsonl(result, faces=faces))
    if format is OutputFormat.CSV:
        echo(to_line(to_csv_header(spec.labels, faces=faces, timed=timed)))
        return lambda result: _print_csv(to_csv_rows(result, spec.labels, faces=faces, timed=timed))
    return _make_row_printer(spec)


class Tally:
    """Counts the predictions of a run."""

    def __init__(self) -> None:
        self._labels: Counter[str] = Counter()
        self._unsure = self._faceless = self._failed = self._images = 0
        self._videos: dict[str, _Video] = {}

    def add(self, result: ImageResult) -> None:
        """Count one image."""
        self._images += 1
        self._failed += result.error is not None
        self._faceless += not result.predictions and result.error is None
        if result.time_s is not None:
            self._videos.setdefault(result.source, _Video()).add(result)
        for found in result.predictions:
            if found.label == NOT_SURE:
                self._unsure += 1
            else:
                self._labels[found.label] += 1

    def count_failure(self) -> None:
        """Count an image that was predicted and could not be annotated."""
        self._failed += 1

    def to_summary(self) -> dict[str, object]:
        """Return the counts as plain JSON."""
        return {
            "images": self._images,
            "predicted": dict(sorted(self._labels.items())),
            "not_sure": self._unsure,
            "without_face": self._faceless,
            "errors": self._failed,
        }

    def finish(self, *, quiet: bool) -> bool:
        """Print the summary.

        Args:
            quiet: Whether to print errors alone.

        Returns:
            Whether there was an image and all of them could be read.
        """
        if not quiet:
            for name, video in self._videos.items():
                note(f"{name}: {video.describe()}")
        if not quiet and self._images > 1:
            note(self._describe())
        if not self._images:
            say("error: no image found; name files, or folders that hold .jpg, .png or .bmp files")
        return self._images > 0 and not self._failed

    def _describe(self) -> str:
        counts = ", ".join(f"{count} {label}" for label, count in sorted(self._labels.items()))
        parts = [f"{self._labels.total()} predicted ({counts or 'none'})"]
        if self._unsure:
            parts.append(f"{self._unsure} {NOT_SURE}")
        if self._faceless:
            parts.append(f"{self._faceless} without a face")
        return ", ".join([*parts, f"{self._failed} could not be read"])


class _Video:
    """The frames of one video."""

    def __init__(self) -> None:
        self._labels: Counter[str] = Counter()
        self._frames, self._end_s = 0, 0.0

    def add(self, result: ImageResult) -> None:
        self._frames += 1
        self._end_s = result.time_s or 0.0
        self._labels.update(found.label for found in result.predictions)

    def describe(self) -> str:
        """Return the share of each label, the most frequent first."""
        total = self._labels.total()
        shares = (f"{label} {count / total:.0%}" for label, count in self._labels.most_common())
        frames = f"{plural(self._frames, 'frame')} to {self._end_s:.1f} s"
        return f"{frames}: {', '.join(shares) if total else NO_FACE}"


def describe_label(found: Prediction) -> str:
    """Return the label; with the most probable class where that is not the label."""
    return found.label if found.is_sure else f"{found.label} ({found.guess})"


def _make_row_printer(spec: ModelSpec) -> Callable[[ImageResult], None]:
    """Return a function that prints rows, or in a narrow terminal lists; print the headings."""
    shown = [*spec.labels, NO_FACE] if spec.faces else list(spec.labels)
    for withheld in (NOT_SURE if spec.min_confidence else None, spec.background):
        shown += [f"{withheld} ({label})" for label in spec.classes if withheld]
    width = get_width(sys.stdout)
    row = _Row(label=max(len(label) for label in (*shown, "label")), faces=spec.faces is not None)
    begin = row.format("label", "p", "ms", "face")
    if width is not None and len(begin) + _MIN_PATH > width:
        return partial(_print_list, width=width)
    echo(f"{begin}image")

    def print_rows(result: ImageResult) -> None:
        for cells in _list_cells(result):
            begin, source = row.format(*cells), _name(result)
            if width is not None and len(begin) + len(source) > width:
                begin = f"{begin.rstrip()}\n  "
            echo(f"{begin}{source}")

    return print_rows


@dataclass(frozen=True)
class _Row:
    """The widths of a row, whose last cell, the path, may have any.

    Attributes:
        label: Width of a label.
        faces: Whether there is a face's bounding box.
    """

    label: int
    faces: bool

    def format(self, label: str, p: str, ms: str, face: str) -> str:
        """Return a row without its path."""
        box = f"{face:<15}  " if self.faces else ""
        return f"{label:<{self.label}}  {p:>5}  {ms:>7}  {box}"


def _print_list(result: ImageResult, *, width: int) -> None:
    rows = [(_name(result), *cells) for cells in _list_cells(result)]
    for line in format_list(("image", "label", "p", "ms", "face"), rows, width=width):
        echo(line)


def _name(result: ImageResult) -> str:
    """Return the name of an image; of a frame with its time."""
    name = escape_controls(result.source)
    return name if result.time_s is None else f"{name} at {result.time_s:.2f} s"


def _list_cells(result: ImageResult) -> Iterator[tuple[str, str, str, str]]:
    """Yield label, probability, time and bounding box of each prediction, as text."""
    ms = f"{result.ms:.1f}"
    for found in result.predictions:
        face = found.face.text if found.face else ""
        yield describe_label(found), f"{found.score:.3f}", ms, face
    if not result.predictions and result.error is None:
        yield NO_FACE, "", ms, ""


def _print_csv(rows: Sequence[Sequence[str]]) -> None:
    """Print rows; on a terminal, which a carriage return in a name would steer, without any."""
    for row in rows:
        echo(to_line(map(escape_controls, row) if _is_terminal() else row))


def _is_terminal() -> bool:
    return sys.stdout.isatty()
