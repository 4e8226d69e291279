"""``edgeemo adopt``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgeemo.adopt.options import Activation, AdoptOptions
from edgeemo.cli.command import Given, command
from edgeemo.cli.commands.evaluate import ChoiceArguments
from edgeemo.cli.options.common import MODELS, Data, Force, Json
from edgeemo.cli.options.scaling import (
    BACKGROUND,
    BGR,
    OFFSET,
    PREPROCESS,
    SCALE,
    THRESHOLD,
)
from edgeemo.cli.options.usage import refuse_options
from edgeemo.cli.output.console import note, print_facts, print_json, warn
from edgeemo.cli.output.progress import progress
from edgeemo.model.adoption import Layout
from edgeemo.model.scaling import PRESETS, Preset
from edgeemo.utils.options import Argument, Option, option_fields

if TYPE_CHECKING:
    from edgeemo.adopt import AdoptedModel
    from edgeemo.model.doubt import Doubt

_GROUP = "Properties of the model"
_model = partial(Option, group=_GROUP)
_MANY = 12


@dataclass(frozen=True, kw_only=True)
class AdoptArguments:
    """Options of ``edgeemo adopt``."""

    model: Annotated[Path, Argument("Finished .tflite or .onnx file.", metavar="FILE")]
    data: Data = None
    choice: Annotated[
        Mapping[str, Any], Given(ChoiceArguments, only=("split", "classes", "rename"))
    ]
    name: Annotated[
        str | None, Option("Name of the model folder under models/.", default="that of the file")
    ] = None
    out: Annotated[
        Path | None, Option("Model folder to make.", metavar="FOLDER", default="models/NAME")
    ] = None
    force: Force = False
    json: Json = False
    labels: Annotated[
        tuple[str, ...],
        _model(
            "Labels in the order of the outputs, or a text file with one a line.",
            metavar="A,B,...|FILE",
            default="those in the file",
        ),
    ] = ()
    scale: Annotated[
        tuple[float, ...], replace(SCALE, group=_GROUP, default="that in the file")
    ] = ()
    offset: Annotated[tuple[float, ...], replace(OFFSET, group=_GROUP)] = ()
    layout: Annotated[
        Layout | None,
        _model("Axes of the input: channels last or first.", default="read from its shape"),
    ] = None
    bgr: Annotated[bool, replace(BGR, group=_GROUP)] = False
    preprocess: Annotated[Preset | None, replace(PREPROCESS, group=_GROUP)] = None
    activation: Annotated[
        Activation | None,
        _model(
            "Outputs: one probability (sigmoid), one per label (softmax), or logits, to which "
            "edgeemo applies either.",
            default="judged by the last operator",
        ),
    ] = None
    threshold: Annotated[float, replace(THRESHOLD, group=_GROUP)] = 0.5
    background: Annotated[str | None, replace(BACKGROUND, group=_GROUP)] = None


@command(
    "edgeemo adopt model.tflite --labels happy,sad --scale 1/255 --data faces",
    "edgeemo adopt resnet.onnx --labels labels.txt --preprocess imagenet-torch --activation logit",
    "edgeemo adopt best.onnx --name expressions",
)
def adopt(given: AdoptArguments) -> None:
    """Make a model folder of somebody else's finished .tflite or .onnx file.

    The model keeps its bytes; spec and checksum follow them, after checks of shapes, types and
    operators. Labels and scaling are read from TFLite Metadata or Ultralytics' metadata, where the
    file has them. With --data it is measured on these images. There is no reference model to verify
    it against. Needs no TensorFlow.
    """
    from edgeemo.adopt import adopt as run
    from edgeemo.cli.default_model import check_model
    from edgeemo.dataset import check_source

    if given.name and given.out:
        raise typer.BadParameter("--name excludes --out")
    if given.name and Path(given.name).name != given.name:
        raise typer.BadParameter(f"--name must be a name, not {given.name}; --out takes a path")
    if given.choice and not given.data:
        raise typer.BadParameter("--split, --classes and --rename require --data")
    if given.preprocess and (given.scale or given.offset or given.bgr):
        raise typer.BadParameter("--preprocess excludes --scale, --offset and --bgr")
    usual = PRESETS[given.preprocess] if given.preprocess else None
    with refuse_options():
        options = AdoptOptions(
            labels=_read_labels(given.labels),
            scale=usual.scale if usual else given.scale,
            offset=usual.offset if usual else given.offset,
            bgr=usual.bgr if usual else given.bgr,
            layout=given.layout,
            activation=given.activation,
            threshold=given.threshold,
            background=given.background,
        )
    check_model(given.model)
    if given.data:
        check_source(given.data)
    out = given.out or MODELS / (given.name or given.model.stem)
    with progress() as shown:
        made = run(
            given.model,
            out,
            options=options,
            data=given.data,
            choice=ChoiceArguments(**given.choice).make_choice(),
            replace=given.force,
            progress=shown,
        )
    for text in made.notes:
        warn(text)
    if made.doubt:
        warn(f"{made.doubt}; try: {_format_command(given, made.doubt)}")
    if given.json:
        print_json(made)
    else:
        print_facts(_list_facts(made), title=f"{made.folder} (model folder)")
        note(f"edgeemo predict IMAGE --model {made.folder}")


def _read_labels(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels; of a single name of a file those in it."""
    from edgeemo.adopt.metadata import parse_labels
    from edgeemo.errors import AdoptError

    if len(given) != 1 or not Path(given[0]).is_file():
        return given
    try:
        return parse_labels(Path(given[0]).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise AdoptError(f"--labels {given[0]}: not a text file with one label a line") from error


def _format_command(given: AdoptArguments, doubt: Doubt) -> str:
    """Return the command with other labels or another scaling."""
    words = ["edgeemo", "adopt", str(given.model)]
    replaced = {"labels"} if doubt.labels else set()
    replaced |= {"scale", "offset", "bgr", "preprocess"} if doubt.scaling else set()
    for name, field in option_fields(AdoptArguments).items():
        value = getattr(given, name)
        if name not in {"model", "force", "json", *replaced} and value != field.default:
            words += _format_option(field.flag, value)
    chosen = option_fields(ChoiceArguments)
    for name, value in given.choice.items():
        words += _format_option(chosen[name].flag, value)
    words += ["--labels", ",".join(doubt.labels)] if doubt.labels else []
    words += doubt.scaling.to_arguments() if doubt.scaling else []
    return shlex.join([*words, "--force"])


def _format_option(flag: str, value: Any) -> list[str]:
    """Return an option as it is typed, in words."""
    if isinstance(value, bool):
        return [flag]
    if isinstance(value, tuple):
        value = ",".join(f"{each:.9g}" if isinstance(each, float) else str(each) for each in value)
    return [flag, str(value)]


def _list_facts(made: AdoptedModel) -> dict[str, str]:
    from edgeemo.model.adoption import ADOPTED

    spec, found = made.spec, made.evaluation
    names = ", ".join(spec.labels[:_MANY]) + (", ..." if len(spec.labels) > _MANY else "")
    facts = {
        "status": ADOPTED,
        "file": made.file,
        "labels": f"{names} (from {made.labels_from})",
        "image": f"{spec.width}x{spec.height}",
    }
    if spec.adopted:
        facts["input"] = f"{spec.adopted.describe_tensor()} (from {made.scaling_from})"
        facts["outputs"] = f"logits, {spec.activation}" if spec.adopted.logits else spec.activation
    if found:
        accuracy = found.overall.accuracy
        facts["accuracy"] = f"{accuracy} on {accuracy.n:,} images of {found.data}"
    return facts
