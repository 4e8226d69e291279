"""Output of ``edgeemo evaluate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.cli.output.console import note, print_table, warn
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.evaluate import Evaluation

_MISTAKES = 5
"""Number of mistakes that the table lists; --json has more."""

_NAMED = 3
"""Number of images that cannot be read that a warning names."""


def print_evaluation(found: Evaluation) -> None:
    """Print an evaluation as tables, with its notes."""
    from edgeemo.evaluate.tables import (
        describe_evaluation,
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
    for text in _list_warnings(found):
        warn(text)


def _list_warnings(found: Evaluation) -> Iterator[str]:
    if found.trained_on:
        yield (
            f"the model was trained on {found.trained_on:,} of these images, which flatters it: "
            "--exclude-trained"
        )
    if found.unreadable:
        named = "; ".join(each.reason for each in found.unreadable[:_NAMED])
        more = "; ..." if len(found.unreadable) > _NAMED else ""
        count = plural(len(found.unreadable), "image", "images")
        yield f"{count} left out, which cannot be read: {named}{more}"
