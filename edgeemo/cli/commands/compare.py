"""``edgeemo compare``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeemo.cli.command import command
from edgeemo.cli.commands.evaluate import ChoiceArguments, SpeedArguments
from edgeemo.cli.options.common import Html, Json, check_html
from edgeemo.cli.output.console import note, print_json
from edgeemo.cli.output.progress import progress
from edgeemo.runtime.fast_start import start_fast
from edgeemo.utils.options import Argument, Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.runtime.classifier import Classifier


@dataclass(frozen=True, kw_only=True)
class CompareArguments(ChoiceArguments, SpeedArguments):
    """Options of ``edgeemo compare``."""

    models: Annotated[
        tuple[Path, ...],
        Argument(
            "Two or more .tflite, .onnx or .keras files, model folders, or names of included "
            "models.",
            metavar="MODEL...",
        ),
    ]
    data: Annotated[
        Path | None,
        Option(
            "Labelled images: one folder per class, or a .zip.",
            metavar="DIR|ZIP",
            default="the test images that the models share and none was trained on",
        ),
    ] = None
    html: Html = None
    json: Json = False


@command(
    "edgeemo compare models/mine happy-sad --data photos --html comparison.html",
    "edgeemo compare models/first models/second",
    "edgeemo compare models/mine/int8.tflite models/mine/float32.tflite --data photos --json",
)
def compare(given: CompareArguments) -> None:
    """Compare models on the same images.

    Each model predicts as it does by itself: a model for faces detects them in photos. The first
    model is tested against each other one (McNemar's exact test), on the images for which both
    predict a class. Options of the trainings are listed where they differ. Needs no TensorFlow.
    """
    start_fast()
    from edgeemo.cli.output.compare import print_comparison
    from edgeemo.dataset import check_source
    from edgeemo.evaluate import EvaluationOptions
    from edgeemo.evaluate import compare as run
    from edgeemo.utils.serialize import to_plain

    if len(given.models) < 2:
        raise typer.BadParameter(
            "two or more models are compared; 'edgeemo evaluate MODEL --data DIR' measures one",
            param_hint="'MODEL...'",
        )
    check_html(given.html)
    if given.data:
        check_source(given.data)
    options = EvaluationOptions(
        choice=given.make_choice(),
        exclude_trained=given.exclude_trained,
        threads=given.threads,
        workers=given.workers,
    )
    classifiers = _load(given.models, options.threads)
    with progress() as shown:
        found = run(classifiers, given.data, options=options, html=given.html, progress=shown)
    if given.json:
        print_json({**to_plain(found), **({"html": str(given.html)} if given.html else {})})
    else:
        print_comparison(found)
    if given.html:
        note(f"page: {given.html}")


def _load(models: Sequence[Path], threads: int | None) -> list[Classifier]:
    from edgeemo.cli.default_model import choose_model, warn_unverified
    from edgeemo.evaluate import load_classifier

    paths = [choose_model(model) for model in models]
    if len(set(paths)) < len(paths):
        raise typer.BadParameter("a model is named twice", param_hint="'MODEL...'")
    classifiers = [load_classifier(path, threads=threads) for path in paths]
    for each in classifiers:
        warn_unverified(each.path, each.spec, verified=each.verified)
    return classifiers
