"""Output of ``edgeemo export --client``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.cli.output.console import note, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.clients import CArray, ClientExport, ClientFile

COLUMNS = ("file", "predicts as", "max |Δp|", "resized", "flips", "size")
"""Largest |Δp| on the same pixels; largest |Δp|, and number of other labels, from image files that
each resizes itself."""


def print_clients(made: ClientExport | None) -> None:
    """Print the files for other programs, if there are any, as a table with notes."""
    if made is None:
        return
    rows = [_build_row(file, made) for file in made.files]
    title = str(made.folder)
    if made.files:
        title += f": {made.files[0].equality.n:,} {made.images}"
    if made.c_array:
        rows.append(_build_source_row(made.c_array, made))
    print_table(COLUMNS, rows, title=title, numbers_from=2)
    for text in made.notes:
        note(f"note: {text}")


def _build_row(file: ClientFile, made: ClientExport) -> Sequence[str]:
    from edgeemo.utils.text import format_size

    equality = file.equality
    same = "-" if file.form == "frigate" else f"{equality.max_difference:.2g}"
    return (
        file.path.relative_to(made.folder).as_posix(),
        file.made_of,
        same,
        f"{equality.file_max_difference:.2g}",
        str(equality.file_flips),
        format_size(file.size_bytes),
    )


def _build_source_row(source: CArray, made: ClientExport) -> Sequence[str]:
    from edgeemo.utils.text import format_size

    name = source.source.relative_to(made.folder).as_posix()
    return (name, source.made_of, "0", "0", "0", format_size(source.size_bytes))
