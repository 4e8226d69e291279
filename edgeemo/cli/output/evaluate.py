"""Output of ``edgeemo evaluate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.cli.output.console import note, print_table, warn

if TYPE_CHECKING:
    from edgeemo.evaluate import Evaluation

_MISTAKES = 5
"""Number of mistakes that the table lists; --json has more."""


def print_evaluation(found: Evaluation) -> None:
    """Print an evaluation as tables, with its notes."""
    from edgeemo.evaluate.tables import (
        describe_evaluation,
        list_warnings,
        tabulate_classes,
        tabulate_confusion,
        tabulate_figures,
        tabulate_mistakes,
        tabulate_slices,
        tabulate_unknown,
    )

    print_table(*tabulate_figures(found), title=describe_evaluation(found))
    print_table(*tabulate_classes(found))
    print_table(*tabulate_confusion(found), title="Images by true class and by prediction:")
    if found.unknown:
        title = "Classes that the model does not know, by prediction:"
        print_table(*tabulate_unknown(found), title=title)
    if found.slices:
        print_table(*tabulate_slices(found), title="Slices, the lowest accuracy first:")
    if found.mistakes:
        shown = min(_MISTAKES, found.mistake_count)
        title = f"The {shown} most confident of {found.mistake_count:,} mistakes:"
        print_table(*tabulate_mistakes(found, at_most=shown), title=title, numbers_from=3)
    for text in found.notes:
        note(f"note: {text}")
    for text in list_warnings(found):
        warn(text)
