"""``edgeemo evaluate``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edgeemo.cli.command import command
from edgeemo.cli.options.bulk import BulkArguments
from edgeemo.cli.options.common import DEFAULT_MODEL, Html, Json, Threads, Workers, check_html
from edgeemo.cli.options.faces import FaceArguments
from edgeemo.cli.output.console import note, print_json
from edgeemo.cli.output.progress import progress
from edgeemo.runtime.fast_start import start_fast
from edgeemo.utils.options import Argument, Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.evaluate import ClassChoice, EvaluationGates, EvaluationOptions, SliceBy
    from edgeemo.runtime.classifier import Classifier

_choice = partial(Option, group="Images")
_gate = partial(Option, group="Gates", minimum=0, maximum=1, metavar="SHARE")


@dataclass(frozen=True, kw_only=True)
class ChoiceArguments:
    """Options that choose among the images of a folder."""

    split: Annotated[
        Literal["train", "validation", "test", "all"] | None,
        _choice("Split of the folder.", default="test where the folder has it, else all"),
    ] = None
    classes: Annotated[
        tuple[str, ...] | None, _choice("Class folders to take.", metavar="A,B,...")
    ] = None
    rename: Annotated[
        tuple[str, ...] | None,
        _choice(
            "Labels of class folders that are called otherwise, as in joy=happy.",
            metavar="FOLDER=LABEL,...",
        ),
    ] = None

    exclude_trained: Annotated[bool, _choice("Exclude the images that a model was trained on.")] = (
        False
    )

    def make_choice(self) -> ClassChoice:
        """Return the choice that the options make.

        Raises:
            typer.BadParameter: If --rename is malformed.
        """
        from edgeemo.evaluate import ClassChoice

        return ClassChoice(
            split=self.split, classes=self.classes, renamed=_parse_renamed(self.rename or ())
        )


@dataclass(frozen=True, kw_only=True)
class SpeedArguments:
    """Options of speed."""

    threads: Threads = None
    workers: Workers = None


@dataclass(frozen=True, kw_only=True)
class GateArguments:
    """Options of gates."""

    min_accuracy: Annotated[float | None, _gate("Minimum accuracy.")] = None
    min_balanced_accuracy: Annotated[float | None, _gate("Minimum balanced accuracy.")] = None
    min_recall: Annotated[float | None, _gate("Minimum recall of every class.")] = None
    min_auc: Annotated[float | None, _gate("Minimum area under the ROC curve.")] = None
    min_coverage: Annotated[
        float | None, _gate("Minimum share of images with a predicted label.")
    ] = None
    max_calibration_error: Annotated[float | None, _gate("Maximum calibration error.")] = None

    def make_gates(self) -> EvaluationGates:
        """Return the gates that the options set."""
        from edgeemo.evaluate import EvaluationGates

        return EvaluationGates(
            min_accuracy=self.min_accuracy,
            min_balanced_accuracy=self.min_balanced_accuracy,
            min_recall=self.min_recall,
            min_auc=self.min_auc,
            min_coverage=self.min_coverage,
            max_calibration_error=self.max_calibration_error,
        )


@dataclass(frozen=True, kw_only=True)
class EvaluateArguments(
    GateArguments, BulkArguments, ChoiceArguments, FaceArguments, SpeedArguments
):
    """Options of ``edgeemo evaluate``."""

    model: Annotated[
        Path | None,
        Argument(
            f".tflite, .onnx or .keras file, or model folder; {DEFAULT_MODEL}.",
            metavar="FILE|FOLDER",
        ),
    ] = None
    data: Annotated[
        Path,
        Option(
            "Labelled images: one folder per class, here or in a bucket (s3://, gs://); a .zip; or "
            "a list (.csv with the columns path, label and, if need be, split).",
            metavar="DIR|ZIP|CSV|ADDRESS",
        ),
    ]
    html: Html = None
    json: Json = False
    slice: Annotated[
        str | None,
        Option(
            "Evaluate parts of the images apart: by sub-folder of the classes (folder), or by a "
            "column of a table with a row per image (FILE.csv:COLUMN).",
            metavar="folder|CSV:COLUMN",
        ),
    ] = None


@command(
    "edgeemo evaluate happy-sad --data photos",
    "edgeemo evaluate models/mine --data faces.zip --min-accuracy 0.9",
    "edgeemo evaluate --data photos --slice folder --html photos.html",
    "edgeemo evaluate models/mine/int8.tflite --data photos --slice photos.csv:camera --json",
    "edgeemo evaluate models/mine --data photos --cluster node1:6379 --keep tested/",
)
def evaluate(given: EvaluateArguments) -> None:
    """Measure how good a model is on labelled images.

    The images are predicted as 'edgeemo predict' does it; of several faces the largest counts. A
    model for faces takes face crops whole and detects the faces in photos. Accuracy is that of the
    predicted labels; coverage is the share of images that get one, rather than "no face" or "not
    sure". A class that the model does not know is counted apart. Needs no TensorFlow. Exit status 3
    when a gate fails.
    """
    start_fast()
    from edgeemo.cli.output.evaluate import print_evaluation
    from edgeemo.dataset import check_images
    from edgeemo.evaluate import evaluate as run
    from edgeemo.evaluate import raise_for_gates
    from edgeemo.utils.serialize import to_plain

    check_html(given.html)
    check_images(given.data)
    options = _make_options(given)
    classifier = _load(given, options)
    with progress() as shown:
        found = run(classifier, given.data, options=options, html=given.html, progress=shown)
    failures = given.make_gates().list_failures(found)
    if given.json:
        written = {name: str(place) for name in ("html", "keep") if (place := getattr(given, name))}
        print_json({**to_plain(found), "failures": failures, **written})
    else:
        print_evaluation(found)
    if given.html:
        note(f"page: {given.html}")
    if given.keep:
        note(f"outcome of each image: {given.keep}")
    raise_for_gates(failures)


def _make_options(given: EvaluateArguments) -> EvaluationOptions:
    from edgeemo.evaluate import EvaluationOptions

    return EvaluationOptions(
        choice=given.make_choice(),
        faces=given.face_request,
        slice_by=_parse_slice(given.slice),
        exclude_trained=given.exclude_trained,
        threads=given.threads,
        workers=given.workers,
        cluster=given.cluster,
        keep=given.keep,
        resume=given.resume,
        again=given.again,
    )


def _load(given: EvaluateArguments, options: EvaluationOptions) -> Classifier:
    from edgeemo.cli.default_model import choose_model, warn_unverified
    from edgeemo.evaluate import load_classifier

    model = choose_model(given.model)
    options.check(model, str(given.data))
    classifier = load_classifier(model, threads=options.threads, faces=options.faces)
    warn_unverified(classifier.path, classifier.spec, verified=classifier.verified)
    return classifier


def _parse_slice(text: str | None) -> SliceBy | None:
    from edgeemo.evaluate import SliceBy

    try:
        return SliceBy.parse(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--slice'") from None


def _parse_renamed(pairs: Sequence[str]) -> dict[str, str]:
    renamed = {}
    for pair in pairs:
        folder, sign, label = pair.partition("=")
        if not (sign and folder and label):
            raise typer.BadParameter(f"must be FOLDER=LABEL, not {pair!r}", param_hint="'--rename'")
        renamed[folder] = label
    return renamed
