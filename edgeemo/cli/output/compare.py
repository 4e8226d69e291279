"""Output of ``edgeemo compare``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from edgeemo.cli.output.console import note, print_table, warn
from edgeemo.utils.layout import get_width, wrap

if TYPE_CHECKING:
    from edgeemo.evaluate import Comparison

_DISAGREEMENTS = 5
"""Number of disagreements that the table lists; --json has more."""


def print_comparison(found: Comparison) -> None:
    """Print a comparison as tables, with its verdicts and notes."""
    from edgeemo.evaluate.comparison_tables import (
        describe_comparison,
        list_training_warnings,
        tabulate_differences,
        tabulate_disagreements,
        tabulate_models,
        tabulate_pairs,
    )

    print_table(*tabulate_models(found), title=describe_comparison(found))
    title = f"Against {found.models[0].name}, on the images for which both predict a class:"
    print_table(*tabulate_pairs(found), title=title)
    width = get_width(sys.stdout)
    for pair in found.pairs:
        typer.echo("\n".join(wrap(f"{pair.verdict}.", width)))
    typer.echo("")
    if found.differences:
        columns, rows = tabulate_differences(found)
        title = "Options of the trainings that differ:"
        print_table(columns, rows, title=title, numbers_from=len(columns), prose=columns[1:])
    if found.disagreements:
        shown = min(_DISAGREEMENTS, found.disagreement_count)
        columns, rows = tabulate_disagreements(found, at_most=shown)
        count = f"{shown} of {found.disagreement_count:,} images"
        title = f"{count} that only some of the models predict rightly:"
        print_table(columns, rows, title=title, numbers_from=len(columns))
    for text in found.notes:
        note(f"note: {text}")
    for text in list_training_warnings(found):
        warn(text)
