"""``edgeemo train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgeemo.cli.options import train as how
from edgeemo.cli.options.common import MODELS, Data, Force, Json
from edgeemo.cli.options.faces import (  # noqa: TC001 - Typer reads these when it runs
    FaceDetector,
    FaceMargin,
    FaceModelFile,
    FaceScore,
)
from edgeemo.cli.options.learning import (  # noqa: TC001 - likewise
    Ema,
    Mixup,
    Teacher,
    TeacherTemperature,
    TeacherWeight,
)
from edgeemo.cli.output.console import EXAMPLES, print_facts, print_json, say
from edgeemo.cli.output.progress import progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.model.folder import ModelFolder
    from edgeemo.utils.progress import Progress

_EXAMPLES = f"""{EXAMPLES}  edgeemo train
  edgeemo train --data faces/ --arch cnn-bn-64 --augment light
  edgeemo train --data faces.zip --size 48 --channels 1 --epochs 40 --out models/mine
  edgeemo train --data faces --recipe filters-16-32-16
  edgeemo train --data photos --faces
  edgeemo train --config models/mine/config.toml --seed 1 --out models/again
  edgeemo train --resume
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train", epilog=_EXAMPLES)(train)


def train(
    data: Data = None,
    recipe: how.Recipe = None,
    config: how.Config = None,
    arch: how.Arch = None,
    size: how.Size = None,
    channels: how.Channels = None,
    epochs: how.Epochs = None,
    batch_size: how.BatchSize = None,
    seed: how.Seed = None,
    labels: how.Labels = None,
    accept: how.Accept = None,
    threshold: how.Threshold = None,
    ratios: how.Ratios = None,
    split: how.Split = None,
    augment: how.Augment = None,
    loss: how.Loss = None,
    class_weights: how.ClassWeights = None,
    optimizer: how.Optimizer = None,
    lr: how.Lr = None,
    schedule: how.Schedule = None,
    early_stopping: how.EarlyStopping = None,
    label_smoothing: how.LabelSmoothing = None,
    ema: Ema = None,
    mixup: Mixup = None,
    teacher: Teacher = None,
    teacher_weight: TeacherWeight = None,
    teacher_temperature: TeacherTemperature = None,
    metrics: how.Metrics = None,
    weights: how.Weights = None,
    frozen_epochs: how.FrozenEpochs = None,
    target_accuracy: how.TargetAccuracy = None,
    tensorboard: how.Tensorboard = None,
    save_keras: how.SaveKeras = None,
    faces: how.Faces = None,
    cropped: how.Cropped = None,
    face_detector: FaceDetector = None,
    face_margin: FaceMargin = None,
    face_score: FaceScore = None,
    face_model: FaceModelFile = None,
    workers: how.Workers = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the training of --out that was interrupted (by default the latest).",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="The model folder.", show_default="models/DATA-RECIPE or -ARCH"
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Train a network on a folder of images and write a model folder.

    Without --data it takes the classes in data/, else it draws practice faces. Duplicates never
    straddle the splits, unusable images are set aside, and nothing in your folder is touched.
    Ctrl-C keeps the best model so far; after a crash or a power cut --resume goes on.

    With --faces the model is one for photos, in which 'edgeemo predict' then answers every face. A
    folder that 'edgeemo data crop' wrote needs no --faces.
    """
    options = locals()
    for name in ("config", "resume", "force", "json"):
        del options[name]
    with progress() as shown:
        folder = _run(how.said(options), config, resume=resume, force=force, shown=shown)
    if folder is None:
        print_json({"assisted": True}) if json else say("done; worker 0 writes the model folder")
        return
    print_trained(folder, json=json)


def _run(
    said: Mapping[str, Any], config: Path | None, *, resume: bool, force: bool, shown: Progress
) -> ModelFolder | None:
    """Train, resume, or on all machines but worker 0's assist, which gives no folder."""
    from edgeemo.train import training as trainer
    from edgeemo.train.distributed import assist, read_rank
    from edgeemo.train.loop import checkpoint
    from edgeemo.train.networks import network
    from edgeemo.train.options.config import configured, read_config

    asked = configured(read_config(config) if config else {}, said)
    where = read_rank(asked.options.workers)
    if where.is_helper:
        assist(
            where,
            data=chosen_data(asked.data, shown) if asked.data else None,
            options=None if resume else asked.options,
            spec_of=network.make_spec,
            progress=shown,
        )
        return None
    if resume:
        out = asked.out or checkpoint.find_interrupted(MODELS)
        shown.note(f"Resuming {out}")
        return trainer.resume(
            out, data=asked.data, requested=asked.asked, replace=force, progress=shown
        )
    asked.options.check()
    source = chosen_data(asked.data, shown)
    name = source.stem if source.suffix == ".zip" else source.name
    out = asked.out or MODELS / f"{name}-{asked.options.recipe or asked.options.arch}"
    return trainer.train(source, out, options=asked.options, replace=force, progress=shown)


def chosen_data(data: Path | None, shown: Progress) -> Path:
    """The images: those named, else those that lie here, else practice faces."""
    from edgeemo.dataset import PRACTICE_FOLDER, choose_data, ensure_practice_faces

    if data is None:
        return choose_data(Path(), progress=shown)
    if data == Path(PRACTICE_FOLDER):
        return ensure_practice_faces(data, progress=shown)
    return data.resolve() if data in (Path(), Path("..")) else data


def print_trained(folder: ModelFolder, *, json: bool) -> None:
    """What became of a training or an import, as a table or as JSON."""
    from edgeemo.model.folder import REPORT_HTML, REPORT_JSON

    report = folder.read_json(REPORT_JSON)
    if json:
        print_json({"folder": str(folder.path), **report})
        return
    print_facts(_facts(report), title=str(folder.path))
    for warning in report["warnings"]:
        say(f"warning: {warning}")
    say(f"report: {folder.file(REPORT_HTML)}")


def _facts(report: dict[str, Any]) -> dict[str, str]:
    model, data, test = report["model"], report["data"], report["test"]
    height, width, channels = model["input_shape"]
    images = [f"{sum(counts.values()):,} {split}" for split, counts in data["counts"].items()]
    aside = [f"{count:,} {reason}" for reason, count in data["set_aside"].items()]
    facts = {
        "network": f"{model['architecture']}, {model['parameters']:,} parameters",
        "input": f"{width}x{height} {'grey' if channels == 1 else 'RGB'}",
        "labels": ", ".join(model["labels"]),
        "images": ", ".join(images),
        "set aside": ", ".join(aside) or "none",
        "test accuracy": f"{_interval(test['accuracy'])}, n = {test['n']:,}",
        "test F1 (mean)": _interval(test["macro"]["f1"]),
    }
    if test["auc"]:
        facts["test AUC"] = _interval(test["auc"])
    return facts


def _interval(interval: dict[str, float]) -> str:
    return f"{interval['value']:.3f} ({interval['low']:.3f} to {interval['high']:.3f})"
