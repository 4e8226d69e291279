"""What ``edgeemo tune`` was asked, as `edgeemo.tune` takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from edgeemo.cli.commands.train import chosen_data
from edgeemo.cli.options import train as how
from edgeemo.cli.options.common import MODELS, names, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.train.options.options import TrainOptions
    from edgeemo.tune import Goal, Job, Space
    from edgeemo.utils.progress import Progress


def asked(given: Mapping[str, Any], shown: Progress) -> tuple[Job, Space, TrainOptions, Goal]:
    """The command line and the config file as the library takes them.

    Args:
        given: The command's options by name.
        shown: Is told where practice faces have to be drawn.

    Raises:
        typer.BadParameter: If a list of numbers holds something else.
        TrainingError: If a name is unknown, or the config file wrong.
        DatasetError: If there are no images.
    """
    from edgeemo.train.options.config import configured, read_config
    from edgeemo.train.options.recipes import RECIPES
    from edgeemo.tune import Job, space_of

    options = ("data", "epochs", "channels", "batch_size", "seed", "labels", "accept")
    config = read_config(given["config"]) if given["config"] else {}
    said = configured(config, how.said({option: given[option] for option in options}))
    recipe = RECIPES[said.options.recipe].options if said.options.recipe else {}
    space = space_of(_searched(given), fixed={**recipe, **said.asked})
    goal = _goal(given)
    data = chosen_data(said.data, shown)
    name = given["name"] or f"tuned-{data.stem if data.suffix == '.zip' else data.name}"
    near = MODELS / name
    storage = given["storage"]
    if storage is None:
        MODELS.mkdir(exist_ok=True)
        storage = str(MODELS / f"{name}.study")
    job = Job(
        data=data,
        out=None if given["search_only"] else given["out"] or near,
        storage=storage,
        name=name,
        near=given["out"] or near,
    )
    return job, space, said.options, goal


def _goal(given: Mapping[str, Any]) -> Goal:
    from edgeemo.train.options.choices import unknown
    from edgeemo.tune import Goal, Limits
    from edgeemo.tune.goal import SECONDS
    from edgeemo.tune.record import OBJECTIVES

    if given["objective"] not in OBJECTIVES:
        raise unknown("objective", given["objective"], OBJECTIVES)
    if given["second"] not in SECONDS:
        raise unknown("second objective", given["second"], SECONDS)
    return Goal(
        trials=given["trials"],
        minutes=given["timeout"],
        objective=given["objective"],
        second=given["second"],
        limits=Limits(
            max_params=given["max_params"],
            max_mmacs=given["max_mmacs"],
            max_size_kb=given["max_size_kb"],
        ),
    )


def _searched(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `edgeemo.tune.Space` that were named."""
    searched: dict[str, Any] = {}
    if given["arch"] is not None:
        searched["archs"] = names(given["arch"])
    if given["augment"] is not None:
        searched["augments"] = names(given["augment"])
    for option in ("sizes", "filters"):
        if given[option] is not None:
            searched[option] = tuple(_whole(part) for part in names(given[option]))
    if given["lr"] is not None:
        rates = [number(part) for part in names(given["lr"])]
        if len(rates) not in (1, 2):
            raise typer.BadParameter(f"--lr takes LOW,HIGH or one number, not {given['lr']!r}")
        searched["lr"] = (rates[0], rates[-1])
    return searched


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None
