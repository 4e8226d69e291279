"""``edgeemo tune``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgeemo.cli.command import Given, command
from edgeemo.cli.commands.train import choose_images
from edgeemo.cli.options.common import MODELS, Force, Json, TrainingData
from edgeemo.cli.options.usage import refuse_options
from edgeemo.cli.output.progress import progress
from edgeemo.train.options.options import TrainOptions
from edgeemo.tune.goal import Goal
from edgeemo.tune.placement import Placement
from edgeemo.tune.space import Space
from edgeemo.utils.options import Option

if TYPE_CHECKING:
    from edgeemo.train.data.source import ImageSource
    from edgeemo.tune import TuneJob

_study = partial(Option, group="Study")
_FIXED = (
    "labels",
    "classes",
    "soft_labels",
    "accept",
    "review",
    "channels",
    "epochs",
    "batch_size",
    "seed",
)
"""Options of a training that the search does not choose."""


@dataclass(frozen=True, kw_only=True)
class TuneArguments:
    """Options of ``edgeemo tune``."""

    data: TrainingData = None
    config: Annotated[
        Path | None, Option("TOML file with the options that are not searched.", metavar="FILE")
    ] = None
    out: Annotated[
        Path | None, Option("Model folder to make.", metavar="FOLDER", default="models/NAME")
    ] = None
    force: Force = False
    json: Json = False
    space: Annotated[Mapping[str, Any], Given(Space)]
    goal: Goal
    placement: Placement
    name: Annotated[
        str | None,
        _study("Name of the study in the storage.", metavar="NAME", default="tuned-DATA"),
    ] = None
    storage: Annotated[
        str | None,
        _study(
            "Storage of the study: a file (.db for SQLite, else a journal), or a URL such as "
            "postgresql://, mysql:// or redis://, which several machines can share.",
            metavar="FILE|URL",
            default="models/NAME.study",
        ),
    ] = None
    take: Annotated[
        int | None,
        _study(
            "Number of the trial to make the model of.",
            metavar="TRIAL",
            default="the best within the limits",
            minimum=0,
        ),
    ] = None
    search_only: Annotated[bool, _study("Make no model: for further machines of one search.")] = (
        False
    )
    options: Annotated[Mapping[str, Any], Given(TrainOptions, only=_FIXED)]


@command(
    "edgeemo tune --data faces --trials 30",
    "edgeemo tune --data faces --max-size-kb 100 --max-mmacs 5 --second size",
    "edgeemo tune --data faces --arch cnn --filters 8,16,32 --sizes 48",
    "edgeemo tune --data faces --trials 60 --force",
    "edgeemo tune --data faces --storage redis://server/0 --search-only",
    "edgeemo tune --data faces --workers 4",
    "edgeemo tune --data faces --take 17 --out models/small",
)
def tune(given: TuneArguments) -> None:
    """Search for the options that validate best, and make a model.

    The same command continues the same study, after Ctrl-C, too; on further machines with the same
    --storage it shares the search. Options that are not searched come from --config.
    """
    from edgeemo.cli.output.tune import finish
    from edgeemo.train.data.source import make_source
    from edgeemo.train.options.checks import check_images
    from edgeemo.train.options.config import merge_options, read_config
    from edgeemo.train.options.recipes import RECIPES
    from edgeemo.tune import check_search, make_space
    from edgeemo.tune import tune as search
    from edgeemo.utils.extras import (
        TRAINING,
        TUNING,
        require_packages,
        require_packages_of_options,
    )

    if given.search_only and given.take is not None:
        raise typer.BadParameter("--search-only excludes --take")
    places = {"data": make_source(given.data)} if given.data else {}
    file = read_config(given.config) if given.config else {}
    with refuse_options():
        config = merge_options(file, given.options, places, {"mode": "plain"})
        base = config.options
        recipe = RECIPES[base.recipe].options if base.recipe else {}
        space = make_space(given.space, fixed={**recipe, **config.given})
        check_search(space, base)
    require_packages((*TUNING, *TRAINING), purpose="edgeemo tune", extra="tune")
    require_packages_of_options(given.placement)
    with progress() as shown:
        data = choose_images(config.data, shown)
        check_images(data, base)
        job = _job(given, data)
        found = search(
            job,
            space=space,
            base=base,
            goal=given.goal,
            take=given.take,
            placement=given.placement,
            replace=given.force,
            progress=shown,
        )
    finish(found, job=job, goal=given.goal, json=given.json)


def _job(given: TuneArguments, data: ImageSource) -> TuneJob:
    from edgeemo.train.data.source import name_source
    from edgeemo.tune import TuneJob

    name = given.name or f"tuned-{name_source(data)}"
    folder = given.out or MODELS / name
    if given.storage is None:
        MODELS.mkdir(exist_ok=True)
    return TuneJob(
        data=data,
        out=None if given.search_only else folder,
        storage=given.storage or str(MODELS / f"{name}.study"),
        name=name,
        beside=folder,
    )
