"""``edgeemo models``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from edgeemo.cli.command import command
from edgeemo.cli.options.common import MODELS, Json
from edgeemo.cli.output.console import note, print_json, print_table, warn
from edgeemo.utils.options import Option
from edgeemo.utils.text import format_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.chosen import ChosenModel
    from edgeemo.model.summary import ModelSummary

_COLUMNS = ("model", "date", "accuracy (95 %)", "size", "verified", "data")
_WHY = {
    "settled": "the default",
    "newest": "the newest; 'edgeemo models --default NAME' settles one",
    "included": "included with edgeemo; no other can predict",
}


@dataclass(frozen=True, kw_only=True)
class ModelsArguments:
    """Options of ``edgeemo models``."""

    default: Annotated[
        str | None,
        Option(
            "Name of the model that predicts where none is named; newest goes back to the newest.",
            metavar="NAME",
        ),
    ] = None
    json: Json = False


@command("edgeemo models", "edgeemo models --default happy-sad", "edgeemo models --default newest")
def models(given: ModelsArguments) -> None:
    """List the models under models/ and those that edgeemo includes.

    The newest comes first. Accuracy is that on the model's own test images. The last line says
    which model predicts where none is named, and why; --default settles it, in
    models/default-model.json.
    """
    from edgeemo.model.chosen import choose_model_folder, list_folders, settle_model
    from edgeemo.model.folder import SHIPPED_MODELS, shipped_folder
    from edgeemo.model.summary import summarise_folder

    chosen = settle_model(MODELS, given.default) if given.default else choose_model_folder(MODELS)
    folders = [*list_folders(MODELS), *map(shipped_folder, SHIPPED_MODELS)]
    summaries = [summarise_folder(folder) for folder in folders]
    for each in summaries:
        if each.problem:
            warn(each.problem)
    if chosen.gone:
        warn(f"the default model {chosen.gone} is gone")
    if given.json:
        print_json({"models": summaries, "chosen": chosen.folder.path, "reason": chosen.reason})
    else:
        _print(summaries, chosen)


def _print(summaries: Sequence[ModelSummary], chosen: ChosenModel) -> None:
    rows = [_make_row(each, is_chosen=each.path == chosen.folder.path) for each in summaries]
    print_table(_COLUMNS, rows, numbers_from=len(_COLUMNS), prose=("data",))
    note(f"predict takes {_name(chosen)}: {_WHY[chosen.reason]}")
    if chosen.unexported:
        newer = chosen.unexported.path
        note(f"{newer} is newer, but not exported: 'edgeemo export {newer}'")


def _name(chosen: ChosenModel) -> str:
    path = chosen.folder.path
    return path.name if chosen.folder.is_shipped else str(path)


def _make_row(each: ModelSummary, *, is_chosen: bool) -> tuple[str, ...]:
    accuracy = each.accuracy
    return (
        f"{each.name} *" if is_chosen else each.name,
        each.date[:10],
        str(accuracy) if accuracy else "",
        format_size(each.size_bytes) if each.size_bytes else "-",
        "yes" if each.verified else "adopted" if each.adopted else "no",
        _describe_data(each),
    )


def _describe_data(each: ModelSummary) -> str:
    if each.problem:
        return "unreadable"
    return "included" if each.is_shipped else each.data
