"""``edgeemo predict``."""

from __future__ import annotations

import errno
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from edgeemo.cli.command import command
from edgeemo.cli.options.bulk import BulkArguments
from edgeemo.cli.options.common import DEFAULT_MODEL, OutputFormat, Threads, Workers
from edgeemo.cli.options.faces import FaceArguments
from edgeemo.cli.output.console import note, say
from edgeemo.errors import EXIT_ERROR, EXIT_OK, OptionError
from edgeemo.runtime.fast_start import start_fast
from edgeemo.utils.options import Argument, Option

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from edgeemo.imaging.decode import Source
    from edgeemo.imaging.suffixes import PassedOver
    from edgeemo.model.face_request import FaceRequest
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.prediction import ImageResult

_OF_THE_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)
"""Errors that a file system has with the name of one copy, not with all."""


@dataclass(frozen=True, kw_only=True)
class PredictArguments(BulkArguments, FaceArguments):
    """Options of ``edgeemo predict``."""

    images: Annotated[
        tuple[str, ...],
        Argument(
            "Images; folders, searched recursively; both also in buckets (s3://, gs://); videos; - "
            "for one image or a list of paths and addresses on standard input.",
            metavar="FILE|DIR|ADDRESS|-...",
        ),
    ]
    model: Annotated[
        Path | None,
        Option(
            f".tflite, .onnx or .keras file, or model folder; {DEFAULT_MODEL}.",
            metavar="FILE|FOLDER",
        ),
    ] = None
    annotate: Annotated[
        Path | None,
        Option(
            "Folder for copies of the images with bounding boxes, labels and probabilities.",
            metavar="DIR",
        ),
    ] = None
    every: Annotated[
        float,
        Option(
            "Seconds between the frames of a video that are predicted; 0 for every frame.",
            metavar="SECONDS",
            minimum=0,
            maximum=3600,
        ),
    ] = 1.0
    format: Annotated[
        OutputFormat | None,
        Option("Format of the output.", default="table; with --keep the summary alone"),
    ] = None
    json: Annotated[bool, Option("The same as --format jsonl.")] = False
    threads: Threads = None
    workers: Workers = None


@command(
    "edgeemo predict photo.jpg",
    "edgeemo predict photos/ --model models/mine --format csv > predictions.csv",
    "find /media -name '*.jpg' | edgeemo predict - --model int8.tflite --json",
    "cat face.jpg | edgeemo predict -",
    "edgeemo predict party.jpg --faces --annotate seen/",
    "edgeemo predict party.mp4 --every 0.5 --format csv",
    "edgeemo predict s3://bucket/photos --format csv > predictions.csv",
    "edgeemo predict photos/ --cluster node1:6379 --keep predictions/",
)
def predict(given: PredictArguments) -> int:
    """Predict the labels of images, with probability and time.

    A model with a target accuracy predicts "not sure" where it is not confident enough. A model for
    faces, or any with --faces, predicts every face in an image, and "no face" where there is none.

    Of a folder it takes the recorded default, else the verified int8.tflite, else float32. An image
    that cannot be read is reported and the others are predicted; the exit status is then 1.

    Of a video, a frame a second is predicted by itself; `edgeemo live` follows faces.
    """
    start_fast()
    if given.is_bulk():
        from edgeemo.cli.commands.predict_many import predict_many

        return predict_many(given)
    from edgeemo.cli.output.predict import Tally, make_printer
    from edgeemo.imaging.suffixes import PassedOver, is_video

    has_video = any(map(is_video, given.images))
    if given.annotate is not None:
        from edgeemo.utils.files import check_writable

        if has_video:
            raise OptionError("--annotate requires images; of a video: edgeemo live --annotate")
        check_writable(given.annotate)
    from edgeemo.cli.default_model import warn_unverified

    classifier = load_classifier(given.model, given.threads, given.face_request)
    warn_unverified(classifier.path, classifier.spec, verified=classifier.verified)
    chosen = OutputFormat.JSONL if given.json else given.format or OutputFormat.TABLE
    print_result, tally = make_printer(chosen, classifier.spec, timed=has_video), Tally()
    copies, passed_over = _Copies(given.annotate), PassedOver()
    with closing(_predict_all(classifier, given, copies, passed_over)) as stream:
        for result in stream:
            print_result(result)
            tally.add(result)
            if result.error is not None:
                say(f"error: {result.error}")
            if problem := copies.write(result):
                tally.count_failure()
                say(f"error: {problem}")
    if others := passed_over.describe():
        note(others)
    fine = tally.finish(quiet=chosen is not OutputFormat.TABLE)
    return EXIT_OK if fine else EXIT_ERROR


def _predict_all(
    classifier: Classifier, given: PredictArguments, copies: _Copies, passed_over: PassedOver
) -> Generator[ImageResult]:
    """Predict what is named, images and videos in their order."""
    from edgeemo.imaging.suffixes import is_video
    from edgeemo.runtime.inputs import expand
    from edgeemo.runtime.prediction import STDIN
    from edgeemo.runtime.stream import choose_worker_count, predict_images

    workers = given.workers or choose_worker_count(classifier.threads)
    may_fork = STDIN not in given.images
    for are_videos, names in groupby(given.images, is_video):
        if are_videos:
            from edgeemo.live.predict_file import predict_files

            stream = predict_files(classifier, names, every_s=given.every, workers=workers)
        else:
            sources = copies.seen(expand(names, passed_over=passed_over))
            stream = predict_images(classifier, sources, workers=workers, may_fork=may_fork)
        with closing(stream):
            yield from stream


class _Copies:
    """The annotated copies that --annotate asks for, if it does."""

    def __init__(self, folder: Path | None) -> None:
        self._annotator = None
        self._read: dict[str, bytes] = {}
        if folder is not None:
            from edgeemo.runtime.annotate import Annotator

            self._annotator = Annotator(folder)

    def seen(self, sources: Iterator[str | bytes]) -> Iterator[str | bytes]:
        """Yield the sources, and keep those of standard input, which cannot be read again."""
        from edgeemo.runtime.prediction import STDIN

        for source in sources:
            if self._annotator and isinstance(source, bytes):
                self._read[STDIN] = source
            yield source

    def write(self, result: ImageResult) -> str:
        """Write the copy of an image; return why it cannot be, or an empty text."""
        from edgeemo.errors import ImageError
        from edgeemo.imaging.suffixes import is_bucket

        if self._annotator and result.error is None:
            source: Source = self._read.get(result.source, result.source)
            if is_bucket(source):
                from edgeemo.bulk.bucket_path import make_path

                source = make_path(result.source)
            try:
                self._annotator.write(source, result.predictions)
            except ImageError as error:
                return str(error)
            except OSError as error:
                if error.errno not in _OF_THE_NAME:
                    raise
                return f"{result.source}: its copy cannot be written: {error.strerror}"
        return ""


def load_classifier(model: Path | None, threads: int | None, faces: FaceRequest) -> Classifier:
    """Load the model that predicts, named or not."""
    from edgeemo.cli.default_model import choose_model
    from edgeemo.runtime.classifier import Classifier

    model = choose_model(model)
    if model.suffix.lower() in (".keras", ".h5", ".hdf5"):
        from edgeemo.evaluate import load_classifier as load_keras

        return load_keras(model, faces=faces)
    return Classifier.load(model, threads=threads, faces=faces)
