"""``edgeemo export``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgeemo.cli.commands.verify import print_report, run_verification
from edgeemo.cli.options.common import MODELS, Data, Force, Json, names, number
from edgeemo.cli.output.console import EXAMPLES, print_json, say
from edgeemo.cli.output.progress import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.export import ExportedFile
    from edgeemo.model.container import Format
    from edgeemo.model.folder import ModelFolder

_EXAMPLES = f"""{EXAMPLES}  edgeemo export --int8
  edgeemo export models/mine --int8 --float16 --format tflite --force
  edgeemo export my_model.keras --labels happy,sad --scale 1/255 --data faces/ --int8
"""

_KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")


class Formats(StrEnum):
    """Which formats to export."""

    tflite = "tflite"
    onnx = "onnx"
    all = "all"


_FORMATS: dict[Formats, tuple[Format, ...]] = {
    Formats.tflite: ("tflite",),
    Formats.onnx: ("onnx",),
    Formats.all: ("tflite", "onnx"),
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export", epilog=_EXAMPLES)(export)


def export(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL",
            help="A model folder, or your own .keras, .h5 or SavedModel; by default the newest "
            "folder under models/.",
        ),
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Full-integer TFLite and ONNX as well.")
    ] = False,
    float16: Annotated[
        bool, typer.Option("--float16", help="TFLite with float16 weights as well.")
    ] = False,
    dynamic: Annotated[
        bool, typer.Option("--dynamic", help="TFLite with int8 weights and float answers as well.")
    ] = False,
    format: Annotated[Formats, typer.Option(help="Which formats.")] = Formats.all,
    data: Data = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Own model: its classes in the order of its outputs."),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(
            parser=number,
            metavar="NUMBER",
            help="Own model: what a pixel of 0 to 255 was multiplied by, as in 1/255.",
        ),
    ] = None,
    offset: Annotated[
        float,
        typer.Option(
            parser=number,
            metavar="NUMBER",
            help="Own model: what was added after that, as in -1.",
            show_default="0",
        ),
    ] = 0.0,
    threshold: Annotated[
        float,
        typer.Option(
            metavar="P", help="Own model with two classes: the second is answered from here on."
        ),
    ] = 0.5,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Own model: its model folder.", show_default="models/NAME"
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="For the choice of calibration images.")
    ] = 0,
    force: Force = False,
    json: Json = False,
) -> None:
    """Export a model to TFLite and ONNX, and prove that the files answer as the original does.

    float32 files are always made. int8 is calibrated on images of the training split alone. Until
    the verification that follows has passed, the files count as unverified.
    """
    from edgeemo.export import ExportOptions
    from edgeemo.export import export as run
    from edgeemo.verify import raise_for_gates

    options = ExportOptions(
        int8=int8,
        float16=float16,
        dynamic=dynamic,
        formats=_FORMATS[format],
        seed=seed,
    )
    own = _own_model(model)
    if own is not None:
        wanted = {"labels": names(labels), "scale": scale, "data": data}
        _require(own, wanted)
        folder = _adopt(own, wanted, offset, threshold, out or MODELS / own.stem, seed, force)
    else:
        _refuse({"labels": labels, "scale": scale, "out": out})
        folder = _model_folder(model)
    with progress() as shown:
        exported = run(folder, options=options, data=data, replace=force, progress=shown)
    report = run_verification(folder, data)
    if json:
        print_json({"folder": folder.path, "exported": exported, "verification": report})
    else:
        print_report(folder, report)
        _print_partitions(exported)
    raise_for_gates(report)


def _print_partitions(exported: Sequence[ExportedFile]) -> None:
    counts = {entry.path.name: entry.partitions for entry in exported}
    split = [f"{name} {count}" for name, count in counts.items() if count not in (None, 1)]
    if split:
        say(f"note: XNNPACK partitions (1 is fastest): {', '.join(split)}")


def _own_model(model: Path | None) -> Path | None:
    """The path itself if it is a Keras model and not (part of) a model folder."""
    if model is None or _model_folder_of(model) is not None:
        return None
    is_saved_model = (model / "saved_model.pb").exists()
    return model if model.suffix in _KERAS_SUFFIXES or is_saved_model else None


def _model_folder_of(model: Path) -> Path | None:
    from edgeemo.model.folder import SPEC

    return next((path for path in (model, model.parent) if (path / SPEC).exists()), None)


def _model_folder(model: Path | None) -> ModelFolder:
    from edgeemo.model.folder import newest_folder, open_folder

    if model is None:
        return newest_folder(MODELS)
    return open_folder(_model_folder_of(model) or model)


def _require(model: Path, wanted: dict[str, Any]) -> None:
    missing = [f"--{name}" for name, value in wanted.items() if not value]
    if missing:
        raise typer.BadParameter(
            f"{model} does not say this itself: give {', '.join(missing)} "
            "(--labels in the order of its outputs; --scale 1/255 if pixels were divided by 255)"
        )


def _refuse(own_only: dict[str, Any]) -> None:
    given = [f"--{name}" for name, value in own_only.items() if value]
    if given:
        raise typer.BadParameter(
            f"{', '.join(given)}: only for your own Keras model; a model folder knows its own"
        )


def _adopt(
    model: Path,
    wanted: dict[str, Any],
    offset: float,
    threshold: float,
    out: Path,
    seed: int,
    force: bool,
) -> ModelFolder:
    from edgeemo.train import import_keras_model

    with progress() as shown:
        return import_keras_model(
            model,
            out,
            **wanted,
            offset=offset,
            threshold=threshold,
            seed=seed,
            replace=force,
            progress=shown,
        )
