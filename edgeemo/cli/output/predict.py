"""How ``edgeemo predict`` prints its answers, and what it says of all of them at the end."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING

import typer

from edgeemo.cli.options.common import OutputFormat
from edgeemo.cli.output.console import say
from edgeemo.model.spec import NOT_SURE
from edgeemo.runtime.formats import to_csv_header, to_csv_rows, to_jsonl
from edgeemo.runtime.prediction import NO_FACE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.model.spec import ModelSpec
    from edgeemo.runtime.prediction import ImageResult, Prediction


def printer(format: OutputFormat, spec: ModelSpec) -> Callable[[ImageResult], None]:
    """What prints one image's answers; the headings are printed at once.

    Args:
        format: How.
        spec: Of the model that answers.
    """
    faces = spec.faces is not None
    if format is OutputFormat.JSONL:
        return lambda result: typer.echo(to_jsonl(result, faces=faces))
    if format is OutputFormat.CSV:
        typer.echo(_csv_line(to_csv_header(spec.labels, faces=faces)))
        return lambda result: _print_csv(to_csv_rows(result, spec.labels, faces=faces))
    return _table(spec)


class Tally:
    """Counts answers while they come."""

    def __init__(self) -> None:
        self._labels: Counter[str] = Counter()
        self._unsure = self._faceless = self._failed = self._images = 0

    def add(self, result: ImageResult) -> None:
        """Count one image."""
        self._images += 1
        self._failed += result.error is not None
        self._faceless += not result.predictions and result.error is None
        for found in result.predictions:
            if found.is_sure:
                self._labels[found.label] += 1
            else:
                self._unsure += 1

    def finish(self, *, quiet: bool) -> bool:
        """Say what came of everything.

        Args:
            quiet: Whether to say no more than what went wrong.

        Returns:
            Whether every image could be read, and there was one.
        """
        if not quiet and self._images > 1:
            say(self._text())
        if not self._images:
            say("error: no image found; name files, or folders that hold .jpg, .png or .bmp files")
        return self._images > 0 and not self._failed

    def _text(self) -> str:
        counts = ", ".join(f"{count} {label}" for label, count in sorted(self._labels.items()))
        said = [f"{self._labels.total()} answered ({counts or 'none'})"]
        if self._unsure:
            said.append(f"{self._unsure} {NOT_SURE}")
        if self._faceless:
            said.append(f"{self._faceless} without a face")
        return ", ".join([*said, f"{self._failed} could not be read"])


def shown_label(found: Prediction) -> str:
    """What a person is told: where the model is not sure, its guess, whose probability it is."""
    return found.label if found.is_sure else _unsure(found.guess)


def _table(spec: ModelSpec) -> Callable[[ImageResult], None]:
    shown = [*spec.labels, *(_unsure(label) for label in spec.labels if spec.min_confidence)]
    if spec.faces:
        shown.append(NO_FACE)
    width = max(len(label) for label in (*shown, "label"))
    face = f"{'face':<15}  " if spec.faces else ""
    typer.echo(f"{'label':<{width}}  {'p':>5}  {'ms':>7}  {face}image")

    def rows(result: ImageResult) -> None:
        for found in result.predictions:
            place = f"{found.face.text:<15}  " if found.face else ""
            typer.echo(
                f"{shown_label(found):<{width}}  {found.score:5.3f}  {result.ms:7.1f}  {place}"
                f"{result.source}"
            )
        if not result.predictions and result.error is None:
            typer.echo(f"{NO_FACE:<{width}}  {'':5}  {result.ms:7.1f}  {'':15}  {result.source}")

    return rows


def _unsure(guess: str) -> str:
    return f"{NOT_SURE} ({guess})"


def _print_csv(rows: Sequence[Sequence[str]]) -> None:
    for row in rows:
        typer.echo(_csv_line(row))


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
