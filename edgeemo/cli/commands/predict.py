"""``edgeemo predict``."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeemo.cli.options.common import AnswerFormat
from edgeemo.cli.options.faces import (
    FaceDetector,
    FaceMargin,
    FaceModelFile,
    Faces,
    FaceScore,
    face_request,
)
from edgeemo.cli.output.console import EXAMPLES, say, warn
from edgeemo.errors import EXIT_ERROR
from edgeemo.runtime.fast_start import start_fast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.model.face_settings import FaceRequest
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.prediction import ImageResult

_EXAMPLES = f"""{EXAMPLES}  edgeemo predict photo.jpg
  edgeemo predict photos/ --model models/mine --format csv > answers.csv
  find /media -name '*.jpg' | edgeemo predict - --model int8.tflite --json
  cat face.jpg | edgeemo predict -
  edgeemo predict party.jpg --faces --annotate seen/
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("predict", epilog=_EXAMPLES)(predict)


def predict(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|DIR|-...",
            help="Images; folders, searched recursively; - for one image or a list of paths "
            "on standard input.",
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|FOLDER",
            help="A .tflite, .onnx or .keras file, or a model folder; by default the newest "
            "folder under models/, else happy-sad, the model that comes with edgeemo.",
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
            help="Images answered at the same time; by default as many as there are cores / "
            "threads.",
        ),
    ] = None,
    faces: Faces = None,
    face_detector: FaceDetector = None,
    face_margin: FaceMargin = None,
    face_score: FaceScore = None,
    face_model: FaceModelFile = None,
    annotate: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write copies of the images into this folder, with frames, labels and "
            "probabilities drawn in.",
        ),
    ] = None,
    format: Annotated[
        AnswerFormat, typer.Option(help="How to print the answers.")
    ] = AnswerFormat.table,
    json: Annotated[bool, typer.Option("--json", help="The same as --format jsonl.")] = False,
) -> None:
    """Answer images: label, probability and time of each.

    A model made for a wanted accuracy answers "not sure" where it is not confident enough. A model
    that was made for faces, or any with --faces, answers every face in an image, and "no face"
    where there is none.

    From a folder it takes the recorded default, else the verified int8.tflite, else float32. A
    image that cannot be read is reported and the rest go on; the exit status is then 1.
    """
    start_fast()
    from edgeemo.cli.output.predict import Tally, printer
    from edgeemo.runtime.inputs import expand
    from edgeemo.runtime.stream import choose_worker_count, predict_images

    request = face_request(
        faces, detector=face_detector, margin=face_margin, score=face_score, file=face_model
    )
    classifier = _load(model, threads, request)
    if not classifier.verified:
        warn(f"{classifier.path} is not verified against its original: run 'edgeemo verify'")
    chosen = AnswerFormat.jsonl if json else format
    print_result, tally = printer(chosen, classifier.spec), Tally()
    copies = _Copies(annotate)
    workers = workers or choose_worker_count(classifier.threads)
    with closing(
        predict_images(classifier, copies.seen(expand(images)), workers=workers)
    ) as stream:
        for result in stream:
            print_result(result)
            tally.add(result)
            if result.error is not None:
                say(f"error: {result.error}")
            copies.write(result)
    if not tally.finish(quiet=chosen is not AnswerFormat.table):
        raise typer.Exit(EXIT_ERROR)


class _Copies:
    """The annotated copies that --annotate asks for, if it does."""

    def __init__(self, folder: Path | None) -> None:
        self._annotator = None
        self._read: dict[str, bytes] = {}
        if folder is not None:
            from edgeemo.runtime.annotate import Annotator

            self._annotator = Annotator(folder)

    def seen(self, sources: Iterator[str | bytes]) -> Iterator[str | bytes]:
        """The sources; what came on standard input is kept, since it cannot be read again."""
        from edgeemo.runtime.prediction import STDIN

        for source in sources:
            if self._annotator and isinstance(source, bytes):
                self._read[STDIN] = source
            yield source

    def write(self, result: ImageResult) -> None:
        if self._annotator and result.error is None:
            source = self._read.get(result.source, result.source)
            self._annotator.write(source, result.predictions)


def _load(model: Path | None, threads: int | None, faces: FaceRequest) -> Classifier:
    from edgeemo.cli.default_model import model_to_answer
    from edgeemo.runtime.classifier import Classifier

    model = model_to_answer(model)
    if model.suffix == ".keras":
        return _load_keras(model, faces)
    return Classifier.load(model, threads=threads, faces=faces)


def _load_keras(path: Path, faces: FaceRequest) -> Classifier:
    """The original itself; its spec is the spec.json beside it."""
    from edgeemo.errors import EngineError
    from edgeemo.imaging.faces import build_detector
    from edgeemo.model.detector_file import find_detector_file
    from edgeemo.model.folder import SPEC, ModelFolder
    from edgeemo.model.keras import find_reference_model
    from edgeemo.model.keras_engine import KerasEngine
    from edgeemo.runtime.classifier import Classifier

    if not path.is_file():
        raise EngineError(f"{path}: no such file")
    folder = ModelFolder(path.parent)
    if not folder.file(SPEC).exists() or find_reference_model(folder) != path:
        raise EngineError(
            f"{path}: a Keras file says neither labels nor scaling; import it with "
            f"'edgeemo export {path} --labels ... --scale ... --data ...'"
        )
    cores = os.cpu_count() or 1  # TensorFlow takes them all for one image
    spec = folder.spec().with_faces(faces)
    detector = None
    if spec.faces is not None:
        file = faces.file or find_detector_file(spec.faces, folder.path)
        detector = build_detector(spec.faces, file=file)
    return Classifier(
        spec,
        KerasEngine(folder),
        detector=detector,
        verified=True,
        path=str(path),
        threads=cores,
    )
