"""``edgeemo train``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgeemo.cli.command import Given, command
from edgeemo.cli.options.common import MODELS, Force, Json, TrainingData
from edgeemo.cli.options.usage import refuse_options
from edgeemo.cli.output.progress import progress
from edgeemo.cli.output.train import print_trained
from edgeemo.train.options.options import TrainOptions
from edgeemo.utils.interrupt import interrupt_status
from edgeemo.utils.options import Option

if TYPE_CHECKING:
    from edgeemo.train import TrainedModel
    from edgeemo.train.data.source import ImageSource
    from edgeemo.train.options.config import Config
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True, kw_only=True)
class TrainArguments:
    """Options of ``edgeemo train``."""

    data: TrainingData = None
    out: Annotated[
        Path | None,
        Option(
            "Model folder to make.", metavar="FOLDER", default="models/DATA-auto, -RECIPE or -ARCH"
        ),
    ] = None
    config: Annotated[
        Path | None,
        Option(
            "TOML file of options, spelt with _ for -; the command line overrides it.",
            metavar="FILE",
        ),
    ] = None
    options: Annotated[Mapping[str, Any], Given(TrainOptions)]
    resume: Annotated[
        bool, Option("Continue the interrupted training of --out, by default the latest.")
    ] = False
    force: Force = False
    json: Json = False


@command(
    "edgeemo train",
    "edgeemo train --data faces/ --arch cnn-bn-64 --augment light",
    "edgeemo train --data faces.zip --size 48 --channels 1 --out models/mine",
    "edgeemo train --data faces --recipe filters-16-32-16",
    "edgeemo train --data faces --classes happy,sad",
    "edgeemo train --data faces --data more-faces",
    "edgeemo train --data faces --soft-labels votes.csv",
    "edgeemo train --data photos --minutes 5",
    "edgeemo train --data faces --from models/other",
    "edgeemo train --data faces --workers 2",
    "edgeemo train --config models/mine/config.toml --seed 1 --out models/again",
    "edgeemo train --resume",
)
def train(given: TrainArguments) -> None:
    """Train a network on a folder of images, and write a model folder.

    Options that are not given are chosen from the images: whether to train on faces, the network, a
    pretrained start, when to stop. Each choice is shown with its reason. --recipe and --arch choose
    nothing else.

    Without --data it takes the classes in data/, else it draws practice faces. Duplicates never
    straddle the splits, unusable images are left out, and nothing in your folder is touched.
    Ctrl-C and SIGTERM keep the best model so far (exit status 130 and 143); after a crash or a
    power cut --resume continues.

    A model that was trained on faces is one for photos, in which 'edgeemo predict' then predicts
    every face. --no-faces takes images whole.
    """
    with progress() as shown:
        model = _run(given, shown)
    print_trained(model, json=given.json)
    if model.report.fit and model.report.fit.interrupted:
        raise typer.Exit(interrupt_status())


def _run(given: TrainArguments, shown: Progress) -> TrainedModel:
    """Train or resume."""
    from edgeemo.train import training
    from edgeemo.train.data.source import name_source
    from edgeemo.train.loop import checkpoint

    config = _merge(given)
    if given.resume:
        out = config.out or checkpoint.find_interrupted(MODELS)
        return training.resume(
            out, data=config.data, requested=config.given, replace=given.force, progress=shown
        )
    source = choose_images(config.data, shown)
    out = config.out or MODELS / f"{name_source(source)}-{_name_options(config.options)}"
    return training.train(source, out, options=config.options, replace=given.force, progress=shown)


def _name_options(options: TrainOptions) -> str:
    return options.recipe or ("auto" if options.undecided else options.arch)


def _merge(given: TrainArguments) -> Config:
    """Return the options that the configuration file and the command line give, checked."""
    from edgeemo.train.data.source import make_source
    from edgeemo.train.options.checks import check_choices, check_files, check_packages
    from edgeemo.train.options.config import merge_options, read_config

    places = {"data": given.data and make_source(given.data), "out": given.out}
    named = {name: place for name, place in places.items() if place is not None}
    file = read_config(given.config) if given.config else {}
    with refuse_options():
        config = merge_options(file, given.options, named)
        if not given.resume:  # which has most options from its checkpoint
            check_choices(config.options)
    check_packages(config.options)
    check_files(config.options)
    return config


def choose_images(data: ImageSource | None, shown: Progress) -> ImageSource:
    """Return the images: those named, else those that lie here, else practice faces."""
    from edgeemo.dataset import PRACTICE_FOLDER, choose_data, ensure_practice_faces

    if data is None:
        return choose_data(Path(), progress=shown)
    if not isinstance(data, Path):
        return data
    if data == Path(PRACTICE_FOLDER):
        return ensure_practice_faces(data, progress=shown)
    return data.resolve() if data in (Path(), Path("..")) else data
