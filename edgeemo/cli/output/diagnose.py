"""Output of ``edgeemo diagnose``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from edgeemo.cli.output.console import note, print_table

if TYPE_CHECKING:
    from edgeemo.diagnose import Diagnosis

_LAYERS = 16
"""Number of layers that the table lists; --json and --html have all."""

_IMAGES = 5
"""Number of images that the table lists; --json and --html have more."""


def print_diagnosis(found: Diagnosis) -> None:
    """Print a diagnosis as tables, with causes and remedies."""
    from edgeemo.diagnose.tables import (
        LEGEND,
        choose_layers,
        describe_outcome,
        describe_replay,
        name_file,
        tabulate_layers,
        tabulate_worst,
    )
    from edgeemo.utils.layout import get_width, wrap

    width = get_width(sys.stdout)
    layers = choose_layers(found, _LAYERS)
    rest = len(found.layers) - len(layers)
    which = f"; of {len(found.layers)} layers those with the largest error" if rest else ""
    print_table(
        *tabulate_layers(layers, width=width),
        title=f"{name_file(found)}: {describe_outcome(found)}{which}",
    )
    head, rows = tabulate_worst(found.worst[:_IMAGES])
    print_table(head, rows, title="Largest differences:", numbers_from=len(head) - 1)
    for number, each in enumerate(found.findings, 1):
        cause = f"{number}. {_capitalise(each.cause)}, {each.share:.0%} of the error"
        lines = wrap(f"{cause}: {each.text}.", width)
        lines += wrap(f"Remedy: {each.remedy}:", width)
        typer.echo("\n".join([*lines, f"  {each.command}", ""]))
    if not found.findings:
        typer.echo("Nothing to mend: int8 gives the probabilities of float.\n")
    for text in (LEGEND, describe_replay(found), *found.notes):
        note("\n".join(wrap(f"note: {text}", width)))


def _capitalise(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
