"""``edgeemo predict``."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeemo.cli.console import EXAMPLES, say, warn
from edgeemo.cli.options import MODELS
from edgeemo.runtime.lean import start_lean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.stream import Answer
    from edgeemo.spec import ModelSpec

_EXAMPLES = f"""{EXAMPLES}  edgeemo predict face.jpg
  edgeemo predict photos/ --model models/mine --format csv > answers.csv
  find /media -name '*.jpg' | edgeemo predict - --model int8.tflite --json
  cat face.jpg | edgeemo predict -
"""


class Format(StrEnum):
    """How answers are printed."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("predict", epilog=_EXAMPLES)(predict)


def predict(
    pictures: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|DIR|-...",
            help="Pictures; folders, searched recursively; - for one picture or a list of paths "
            "on standard input.",
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|FOLDER",
            help="A .tflite, .onnx or .keras file, or a model folder; by default the newest "
            "folder under models/.",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Threads per answer; by default those of the folder's recorded default, else 1.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Pictures answered at the same time; by default as many as there are cores / "
            "threads.",
        ),
    ] = None,
    format: Annotated[Format, typer.Option(help="How to print the answers.")] = Format.table,
    json: Annotated[bool, typer.Option("--json", help="The same as --format jsonl.")] = False,
) -> None:
    """Answer pictures: label, probability and time of each.

    A model made for a wanted accuracy answers "not sure" where it is not confident enough.

    From a folder it takes the recorded default, else the verified int8.tflite, else float32. A
    picture that cannot be read is reported and the rest go on; the exit status is then 1.
    """
    start_lean()
    from edgeemo.runtime.stream import answers, default_workers, expand

    classifier = _load(model, threads)
    if not classifier.verified:
        warn(f"{classifier.path} is not verified against its original: run 'edgeemo verify'")
    chosen = Format.jsonl if json else format
    print_answer = _printer(chosen, classifier.spec)
    tally: Counter[str] = Counter()
    failed = unsure = 0
    workers = workers or default_workers(classifier.threads)
    with closing(answers(classifier, expand(pictures), workers=workers)) as stream:
        for answer in stream:
            print_answer(answer)
            if answer.prediction is None:
                failed += 1
                say(f"error: {answer.error}")
            elif answer.prediction.sure:
                tally[answer.prediction.label] += 1
            else:
                unsure += 1
    _finish(tally, unsure, failed, quiet=chosen is not Format.table)


def _load(model: Path | None, threads: int | None) -> Classifier:
    from edgeemo.folder import newest_folder
    from edgeemo.runtime.classifier import Classifier

    if model is None:
        model = newest_folder(MODELS).path
        say(f"model: {model}")
    if model.suffix == ".keras":
        return _load_keras(model)
    return Classifier.load(model, threads=threads)


def _load_keras(path: Path) -> Classifier:
    """The original itself; its spec is the spec.json beside it."""
    from edgeemo.errors import EngineError
    from edgeemo.folder import SPEC, ModelFolder
    from edgeemo.keras_model import KerasEngine, original_path
    from edgeemo.runtime.classifier import Classifier

    if not path.is_file():
        raise EngineError(f"{path}: no such file")
    folder = ModelFolder(path.parent)
    if not folder.file(SPEC).exists() or original_path(folder) != path:
        raise EngineError(
            f"{path}: a Keras file says neither labels nor scaling; import it with "
            f"'edgeemo export {path} --labels ... --scale ... --data ...'"
        )
    cores = os.cpu_count() or 1  # TensorFlow takes them all for one picture
    return Classifier(
        folder.spec(), KerasEngine(folder), verified=True, path=str(path), threads=cores
    )


def _printer(format: Format, spec: ModelSpec) -> Callable[[Answer], None]:
    from edgeemo.runtime.stream import csv_header, csv_row, to_jsonl

    labels = spec.labels
    if format is Format.jsonl:
        return lambda answer: typer.echo(to_jsonl(answer))
    if format is Format.csv:
        typer.echo(_csv_line(csv_header(labels)))
        return lambda answer: typer.echo(_csv_line(csv_row(answer, labels)))
    shown = [*labels, *(_unsure(label) for label in labels if spec.min_confidence)]
    width = max(len(label) for label in (*shown, "label"))
    typer.echo(f"{'label':<{width}}  {'p':>5}  {'ms':>7}  picture")

    def row(answer: Answer) -> None:
        if answer.prediction is not None:
            found = answer.prediction
            label = found.label if found.sure else _unsure(found.guess)
            typer.echo(f"{label:<{width}}  {found.score:5.3f}  {answer.ms:7.1f}  {answer.source}")

    return row


def _unsure(guess: str) -> str:
    """What the table shows where the model is not sure: its guess has the probability beside."""
    from edgeemo.spec import NOT_SURE

    return f"{NOT_SURE} ({guess})"


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _finish(tally: Counter[str], unsure: int, failed: int, *, quiet: bool) -> None:
    from edgeemo.spec import NOT_SURE

    answered = sum(tally.values())
    if not quiet and answered + unsure + failed > 1:
        counts = ", ".join(f"{count} {label}" for label, count in sorted(tally.items()))
        doubt = f"{unsure} {NOT_SURE}, " if unsure else ""
        say(f"{answered} answered ({counts or 'none'}), {doubt}{failed} could not be read")
    if not answered and not unsure and not failed:
        say("error: no picture found; name files, or folders that hold .jpg, .png or .bmp files")
    if failed or not answered + unsure:
        raise typer.Exit(1)
