"""How the int8 files of a model folder were quantised, for the page of a verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.errors import ModelFolderError
from edgeemo.model.folder import EXPORT
from edgeemo.model.quantisation import Choice, Quantisation
from edgeemo.report.document import Bullets, Heading, Table, Text
from edgeemo.utils.serialize import from_plain
from edgeemo.utils.text import format_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.model.folder import ModelFolder
    from edgeemo.report.document import Block
    from edgeemo.verify.report import Verification

    Quantised = Mapping[str, tuple[Quantisation, Choice | None]]

_TRIALS = ("quantisation", "size", "flips", "expected flips")
_METHOD = (
    "`--auto` compared these on images that are not test images, and took the first that was good "
    "enough, else the best: with the fewest layers in float. Expected flips are those on as many "
    "other images, from the errors of all doubtful ones."
)


def read_quantised(folder: ModelFolder, verification: Verification) -> Quantised:
    """Return how each verified int8 file was quantised, as ``export.json`` records it.

    Args:
        folder: The model folder.
        verification: The verification; files that are not the recorded ones are left out.
    """
    try:
        entries = folder.read_json(EXPORT).get("files", [])
        recorded = {each["sha256"]: each for each in entries if "quantisation" in each}
        return {
            file.file: _parse(recorded[file.sha256])
            for file in verification.files
            if file.sha256 in recorded
        }
    except (ModelFolderError, AttributeError, KeyError, TypeError, ValueError):  # no record
        return {}


def _parse(entry: Mapping[str, object]) -> tuple[Quantisation, Choice | None]:
    choice = entry.get("choice")
    return (
        from_plain(Quantisation, entry["quantisation"]),
        None if choice is None else from_plain(Choice, choice),
    )


def show_quantised(quantised: Quantised) -> list[Block]:
    """Return how the files were quantised; [] where all were in the ordinary way."""
    blocks: list[Block] = []
    for name, (quantisation, choice) in quantised.items():
        if choice is None and quantisation == Quantisation():
            continue
        blocks += [Heading(name), Text(_describe(quantisation, choice))]
        if quantisation.keep_float:
            blocks.append(Bullets([f"in float: {', '.join(quantisation.keep_float)}"]))
        if choice:
            blocks += [_tabulate(choice), Text(_METHOD)]
    return blocks


def _describe(quantisation: Quantisation, choice: Choice | None) -> str:
    text = choice.describe(quantisation) if choice else quantisation.describe()
    return f"{text[0].upper()}{text[1:]}."


def _tabulate(choice: Choice) -> Table:
    rows = [
        (
            trial.quantisation.describe(),
            format_size(trial.size_bytes),
            str(trial.flips),
            f"{trial.expected_flips:.1f}",
        )
        for trial in choice.trials
    ]
    return Table(_TRIALS, rows)
