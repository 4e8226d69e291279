"""``edgeemo export``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from edgeemo.cli.clients import export_existing, find_shipped, has_files, make_clients
from edgeemo.cli.command import command
from edgeemo.cli.commands.verify import run_verification
from edgeemo.cli.default_model import check_model, require_folder
from edgeemo.cli.foreign import export_foreign, run_foreign
from edgeemo.cli.options.clients import ClientArguments
from edgeemo.cli.options.common import MODELS, Data, Force, Json
from edgeemo.cli.options.int8 import Int8Arguments, check_kept_layers
from edgeemo.cli.options.own_model import OwnModelArguments
from edgeemo.cli.options.usage import refuse_options
from edgeemo.cli.output.clients import print_clients
from edgeemo.cli.output.console import note, print_json
from edgeemo.cli.output.doubt import warn_of_doubt
from edgeemo.cli.output.progress import progress
from edgeemo.cli.output.verify import print_verification
from edgeemo.train.options.shared import MAX_SEED
from edgeemo.utils.options import Argument, Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.export import ExportedFile
    from edgeemo.model.container import Format
    from edgeemo.model.folder import ModelFolder

_KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")
"""A file with one of them that is no Keras model is a damaged one, as its import says."""

_file = partial(Option, group="Files to export")


class Formats(StrEnum):
    """Formats to export."""

    TFLITE = "tflite"
    ONNX = "onnx"
    ALL = "all"

    @property
    def listed(self) -> tuple[Format, ...]:
        """Return the formats one by one."""
        formats: tuple[Format, ...] = ("tflite", "onnx")
        return tuple(each for each in formats if self in (each, Formats.ALL))


@dataclass(frozen=True, kw_only=True)
class ExportArguments:
    """Options of ``edgeemo export``."""

    model: Annotated[
        Path | None,
        Argument(
            "Model folder, or your own .keras, .h5 or SavedModel; by default the newest folder "
            "under models/.",
            metavar="MODEL",
        ),
    ] = None
    data: Data = None
    force: Force = False
    json: Json = False
    int8: Annotated[bool, _file("Export full-integer TFLite and ONNX, too.")] = False
    float16: Annotated[bool, _file("Export TFLite with float16 weights, too.")] = False
    dynamic: Annotated[
        bool, _file("Export TFLite with int8 weights and float activations, too.")
    ] = False
    format: Annotated[Formats, _file("Formats to export.")] = Formats.ALL
    seed: Annotated[
        int, _file("Seed of the choice of calibration images.", minimum=0, maximum=MAX_SEED)
    ] = 0
    int8_file: Int8Arguments
    own: OwnModelArguments
    clients: ClientArguments


@command(
    "edgeemo export --int8",
    "edgeemo export models/mine --int8 --float16 --format tflite --force",
    "edgeemo export models/mine --client frigate",
    "edgeemo export my.keras --labels happy,sad --scale 1/255 --data faces",
)
def export(given: ExportArguments) -> None:
    """Export a model to TFLite and ONNX, and verify the files.

    float32 files are always made. int8 is calibrated on images of the training split alone. Until
    the verification that follows has passed, the files count as unverified. --client and --c-array
    take the files of an earlier export as they are.
    """
    from edgeemo.errors import PartialExportError
    from edgeemo.export import ExportOptions, check_packages
    from edgeemo.export import export as run
    from edgeemo.verify import raise_for_gates

    with refuse_options():
        options = ExportOptions(
            int8=given.int8,
            float16=given.float16,
            dynamic=given.dynamic,
            formats=given.format.listed,
            seed=given.seed,
            **vars(given.int8_file),
        )
    clients = given.clients.make_options(given.format.listed)
    own = _own_model(given.model)
    if clients and not own:
        folder = find_shipped(given.model) or _model_folder(given)
        if has_files(folder, options) and (folder.is_shipped or not given.force):
            export_existing(folder, clients, given.data, json=given.json)
            return
    check_packages(options)
    folder = _import_own(own, given) if own else _model_folder(given)
    check_kept_layers(folder, options.keep_float)
    failure = None
    try:
        with progress() as shown:
            is_foreign = folder.read_training().arch == "imported"
            exported = (export_foreign if is_foreign else run)(
                folder, options=options, data=given.data, replace=given.force, progress=shown
            )
    except PartialExportError as error:
        exported, failure = error.files, error
    report = run_verification(folder, given.data)
    if not given.json:
        print_verification(folder, report)
        _print_partitions(exported)
    verified = any(file.passed for file in report.files)
    made = make_clients(folder, clients, given.data) if clients and verified else None
    if given.json:
        also = {"clients": made} if clients else {}
        print_json({"folder": folder.path, "exported": exported, "verification": report, **also})
    else:
        print_clients(made)
    warn_of_doubt(folder, own, options=_list_options(given) if own else ())
    if failure:
        raise failure
    raise_for_gates(report)


def _list_options(given: ExportArguments) -> list[str]:
    """Return the options about files that are not at their default."""
    kinds = ("int8", "float16", "dynamic")
    chosen = [f"--{name}" for name in kinds if getattr(given, name)]
    chosen += ["--format", given.format] if given.format is not Formats.ALL else []
    return chosen + (["--seed", str(given.seed)] if given.seed else [])


def _print_partitions(exported: Sequence[ExportedFile]) -> None:
    counts = {entry.path.name: entry.partitions for entry in exported}
    split = [f"{name} {count}" for name, count in counts.items() if count not in (None, 1)]
    if split:
        note(f"note: XNNPACK partitions (1 is fastest): {', '.join(split)}")


def _own_model(model: Path | None) -> Path | None:
    """Return the path itself if it is a Keras model and not (part of) a model folder."""
    from edgeemo.model.file_kind import KERAS_KINDS, recognise

    if model is None or _model_folder_of(model) is not None:
        return None
    is_keras = model.suffix.lower() in _KERAS_SUFFIXES or recognise(model) in KERAS_KINDS
    return model if is_keras else None


def _model_folder_of(model: Path) -> Path | None:
    from edgeemo.model.folder import SPEC

    return next((path for path in (model, model.parent) if (path / SPEC).exists()), None)


def _refuse_foreign(model: Path) -> None:
    """Refuse what is neither a model folder nor a Keras model.

    Raises:
        ModelFolderError: If it is none of them, or is not there.
    """
    from edgeemo.errors import ModelFolderError
    from edgeemo.model.file_kind import describe_foreign, describe_not_keras
    from edgeemo.model.folder import is_shipped_name

    if not is_shipped_name(model):  # which `open_folder` explains
        check_model(model)
        if model.is_dir() and not describe_foreign(model):
            require_folder(model)
        raise ModelFolderError(f"{model}: {describe_not_keras(model)}")


def _model_folder(given: ExportArguments) -> ModelFolder:
    """Return the model folder to export.

    Raises:
        typer.BadParameter: If an option is for one's own Keras model.
    """
    from edgeemo.model.folder import find_newest_folder, open_folder

    if given.model is not None and _model_folder_of(given.model) is None:
        _refuse_foreign(given.model)
    given.own.refuse_any()
    if given.model is None:
        return find_newest_folder(MODELS)
    folder = _model_folder_of(given.model) or given.model
    require_folder(folder)
    opened = open_folder(folder)
    opened.refuse_adopted()
    return opened


def _import_own(model: Path, given: ExportArguments) -> ModelFolder:
    """Import one's own Keras model.

    Raises:
        typer.BadParameter: If an option is missing.
    """
    from edgeemo.model.folder import open_folder
    from edgeemo.train import import_keras_model

    check_model(model)
    options, out = (
        given.own.make_options(model, given.data, seed=given.seed),
        given.own.out or MODELS / model.stem,
    )
    with progress() as shown:
        run_foreign(
            import_keras_model,
            model,
            out,
            places=(out,),
            data=given.data,
            options=options,
            replace=given.force,
            progress=shown,
        )
    return open_folder(out)
