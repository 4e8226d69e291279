"""``edgeemo tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeemo.cli.options import train as how  # noqa: TC001 - Typer reads these when it runs
from edgeemo.cli.options.common import Data, Force, Json  # noqa: TC001
from edgeemo.cli.output.console import EXAMPLES
from edgeemo.cli.output.progress import progress

_EXAMPLES = f"""{EXAMPLES}  edgeemo tune --data faces --trials 30
  edgeemo tune --data faces --max-size-kb 100 --max-mmacs 5 --second size
  edgeemo tune --data faces --arch cnn --filters 8,16,32 --sizes 48 --channels 1
  edgeemo tune --data faces --trials 60 --force
  edgeemo tune --data faces --storage postgresql://me@server/studies --search-only
  edgeemo tune --data faces --take 17 --out models/small
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tune", epilog=_EXAMPLES)(tune)


def tune(
    data: Data = None,
    trials: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Trials that the study shall hold, those of earlier runs and of other machines "
            "included.",
        ),
    ] = 30,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="MINUTES",
            help="Begin no trial after so many minutes.",
            show_default="none",
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Networks to choose from: names as of 'edgeemo train --arch', 'cnn' for three "
            "blocks whose filters, normalisation and hidden layer are searched, and 'edge' for the "
            "edge family.",
            show_default="cnn-16-32-16,cnn-bn-64,cnn",
        ),
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Sides of the input in pixels.", show_default="48,64"),
    ] = None,
    filters: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Filters of each block of 'cnn'.", show_default="8,16,32,64"
        ),
    ] = None,
    lr: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="Learning rates at the start; one number for that alone.",
            show_default="0.0001,0.01",
        ),
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Augmentations.", show_default="none,light,strong"),
    ] = None,
    max_params: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="At most so many parameters.", show_default="no limit"
        ),
    ] = None,
    max_mmacs: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="N",
            help="At most so many million multiply-adds for one image.",
            show_default="no limit",
        ),
    ] = None,
    max_size_kb: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="KB",
            help="At most so large an int8.tflite, estimated, in kB of 1000 bytes.",
            show_default="no limit",
        ),
    ] = None,
    objective: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What of the validation images is best: accuracy or loss.",
        ),
    ] = "accuracy",
    second: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="A cost to keep small as well: size, params or macs. No trial is ended early "
            "then.",
        ),
    ] = "none",
    config: how.Config = None,
    epochs: how.Epochs = None,
    channels: how.Channels = None,
    batch_size: how.BatchSize = None,
    seed: how.Seed = None,
    labels: how.Labels = None,
    accept: how.Accept = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The study's name in the storage.", show_default="tuned-DATA"
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|URL",
            help="Where the study is kept: a file (.db for SQLite, else a journal), or a URL such "
            "as postgresql://, mysql:// or redis://, which several machines may share.",
            show_default="models/NAME.study",
        ),
    ] = None,
    take: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="TRIAL",
            help="Make the model of this trial.",
            show_default="the best within the limits",
        ),
    ] = None,
    search_only: Annotated[
        bool,
        typer.Option("--search-only", help="Make no model: for further machines of one search."),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The model folder.", show_default="models/NAME"),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Search for the network and the options that validate best, and make a model of the best.

    The same command goes on with the same study, after Ctrl-C too; on further machines with the
    same --storage it shares the search. Options that are not searched come from --config.
    """
    given = locals()
    from edgeemo.cli.options.tune import asked
    from edgeemo.cli.output.tune import finish
    from edgeemo.tune import tune as searched

    with progress() as shown:
        job, space, base, goal = asked(given, shown)
        found = searched(
            job, space=space, base=base, goal=goal, take=take, replace=force, progress=shown
        )
    finish(found, job=job, goal=goal, json=json)
