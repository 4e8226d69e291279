"""``edgeemo train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgeemo.cli.console import EXAMPLES, print_facts, print_json, say
from edgeemo.cli.options import MODELS, Data, Force, Json, names
from edgeemo.cli.progress import progress

if TYPE_CHECKING:
    from edgeemo.folder import ModelFolder
    from edgeemo.progress import Progress

_EXAMPLES = f"""{EXAMPLES}  edgeemo train
  edgeemo train --data faces/ --arch cnn-bn-64
  edgeemo train --data faces.zip --size 48 --channels 1 --epochs 40 --out models/mine
  edgeemo train --data practice-faces --force
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train", epilog=_EXAMPLES)(train)


def train(
    data: Data = None,
    arch: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="cnn-16-32-16, cnn-16-32-16-same, cnn-16-32-64 or cnn-bn-64."
        ),
    ] = "cnn-16-32-16",
    size: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Side of the network's input in pixels.",
            show_default="the architecture's own",
        ),
    ] = None,
    channels: Annotated[int, typer.Option(metavar="1|3", help="3 for RGB, 1 for grey.")] = 3,
    epochs: Annotated[
        int, typer.Option(metavar="N", min=1, help="Passes over the training pictures.")
    ] = 20,
    batch_size: Annotated[int, typer.Option(metavar="N", min=1, help="Pictures per step.")] = 32,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="For the split, the weights and the order.")
    ] = 0,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="The classes in the order of the outputs, as in sad,happy.",
            show_default="by name",
        ),
    ] = None,
    accept: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Formats to take besides JPEG, PNG and BMP: webp, gif.",
            show_default="none",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The model folder.", show_default="models/DATA-ARCH"),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Train a network on a folder of pictures and write a model folder.

    Without --data it takes the classes in data/, else it draws practice faces. Duplicates never
    straddle the splits, unusable pictures are set aside, and nothing in your folder is touched.
    Ctrl-C keeps the best model so far.
    """
    from edgeemo.train import TrainOptions
    from edgeemo.train import train as run

    if channels not in (1, 3):
        raise typer.BadParameter(
            f"{channels} is neither 1 (grey) nor 3 (RGB)", param_hint="--channels"
        )
    with progress() as shown:
        source = _data(data, shown)
        target = out or MODELS / f"{source.stem if source.suffix == '.zip' else source.name}-{arch}"
        options = TrainOptions(
            arch=arch,
            size=size,
            channels=1 if channels == 1 else 3,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
            labels=names(labels) or None,
            accept=names(accept),
        )
        folder = run(source, target, options=options, replace=force, progress=shown)
    print_trained(folder, json=json)


def _data(data: Path | None, shown: Progress) -> Path:
    from edgeemo.dataset import PRACTICE, choose_data, practice_faces

    if data is None:
        return choose_data(Path(), progress=shown)
    if data == Path(PRACTICE):
        return practice_faces(data, progress=shown)
    return data.resolve() if data in (Path(), Path("..")) else data


def print_trained(folder: ModelFolder, *, json: bool) -> None:
    """What became of a training or an import, as a table or as JSON."""
    from edgeemo.folder import REPORT_JSON, REPORT_MD

    report = folder.read_json(REPORT_JSON)
    if json:
        print_json({"folder": str(folder.path), **report})
        return
    print_facts(_facts(report), title=str(folder.path))
    for warning in report["warnings"]:
        say(f"warning: {warning}")
    say(f"report: {folder.file(REPORT_MD)}")


def _facts(report: dict[str, Any]) -> dict[str, str]:
    model, data, test = report["model"], report["data"], report["test"]
    height, width, channels = model["input_shape"]
    pictures = [f"{sum(counts.values()):,} {split}" for split, counts in data["counts"].items()]
    aside = [f"{count:,} {reason}" for reason, count in data["set_aside"].items()]
    facts = {
        "network": f"{model['architecture']}, {model['parameters']:,} parameters",
        "input": f"{width}x{height} {'grey' if channels == 1 else 'RGB'}",
        "labels": ", ".join(model["labels"]),
        "pictures": ", ".join(pictures),
        "set aside": ", ".join(aside) or "none",
        "test accuracy": f"{_interval(test['accuracy'])}, n = {test['n']:,}",
        "test F1 (mean)": _interval(test["macro"]["f1"]),
    }
    if test["auc"]:
        facts["test AUC"] = _interval(test["auc"])
    return facts


def _interval(interval: dict[str, float]) -> str:
    return f"{interval['value']:.3f} ({interval['low']:.3f} to {interval['high']:.3f})"
