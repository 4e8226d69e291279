"""``edgeemo diagnose``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edgeemo.cli.command import command
from edgeemo.cli.default_model import check_model, require_folder
from edgeemo.cli.options.common import MODELS, Data, Html, Json, check_html
from edgeemo.cli.output.console import note, print_json
from edgeemo.cli.output.progress import progress
from edgeemo.utils.options import Argument, Option

if TYPE_CHECKING:
    from edgeemo.diagnose import Diagnosis

_MOST_IMAGES = 100_000


@dataclass(frozen=True, kw_only=True)
class DiagnoseArguments:
    """Options of ``edgeemo diagnose``."""

    model: Annotated[
        Path | None,
        Argument(
            "Model folder, or an int8 file in one; by default the newest under models/.",
            metavar="MODEL",
        ),
    ] = None
    data: Data = None
    html: Html = None
    json: Json = False
    format: Annotated[
        Literal["tflite", "onnx"] | None,
        Option("Format of the int8 file.", default="tflite where the folder has it, else onnx"),
    ] = None
    file: Annotated[
        Path | None, Option("File of the model in int8, outside its folder.", metavar="FILE")
    ] = None
    images: Annotated[
        int,
        Option(
            "Largest number of test images, and of training images.",
            metavar="N",
            minimum=1,
            maximum=_MOST_IMAGES,
        ),
    ] = 200


@command(
    "edgeemo diagnose models/mine",
    "edgeemo diagnose models/mine --format onnx --html diagnosis.html",
    "edgeemo diagnose happy-sad --data photos --json",
)
def diagnose(given: DiagnoseArguments) -> None:
    """Show where an int8 file departs from float, why, and what helps.

    For every layer: range, clipped values, noise, and its share in the error of the probabilities.
    The layers run in int8 one at a time with the others in float, and the other way round. Test
    images are predicted; ranges are measured on training images, which calibration used. Needs no
    TensorFlow.
    """
    from edgeemo.cli.output.diagnose import print_diagnosis
    from edgeemo.dataset import check_source
    from edgeemo.diagnose import diagnose as run
    from edgeemo.utils.serialize import to_plain

    check_html(given.html)
    model = _choose_model(given)
    if given.data is not None:
        check_source(given.data)
    with progress() as shown:
        found: Diagnosis = run(
            model,
            file=given.file,
            format=given.format,
            data=given.data,
            images=given.images,
            html=given.html,
            progress=shown,
        )
    if given.json:
        written = {"html": str(given.html)} if given.html else {}
        print_json({**to_plain(found), **written})
    else:
        print_diagnosis(found)
    if given.html:
        note(f"page: {given.html}")


def _choose_model(given: DiagnoseArguments) -> Path:
    """Return the model folder, shipped model or int8 file.

    Raises:
        typer.BadParameter: If a file is given twice.
        ModelFolderError: If it is something else.
    """
    from edgeemo.model.folder import SPEC, find_newest_folder, is_shipped_name

    for path in (given.file, given.model):
        if path is not None and not is_shipped_name(path):
            check_model(path)
    if given.model is None:
        return find_newest_folder(MODELS).path
    is_exported = given.model.suffix in (".tflite", ".onnx") and given.model.is_file()
    if is_exported and (given.model.parent / SPEC).is_file():
        if given.file is not None:
            raise typer.BadParameter("give the model folder with --file", param_hint="'MODEL'")
        return given.model
    require_folder(given.model)
    return given.model
