"""``edgeemo predict`` with --cluster or --keep."""

from __future__ import annotations

from contextlib import closing
from itertools import chain, islice
from typing import TYPE_CHECKING

from edgeemo.cli.options.common import OutputFormat
from edgeemo.cli.output.many import ErrorLines, show_progress
from edgeemo.cli.output.predict import Tally, make_printer
from edgeemo.errors import EXIT_ERROR, EXIT_OK, OptionError

if TYPE_CHECKING:
    from collections.abc import Generator

    from edgeemo.bulk.parts import Parts
    from edgeemo.bulk.work import Items
    from edgeemo.cli.commands.predict import PredictArguments
    from edgeemo.runtime.predict_work import PredictWork
    from edgeemo.runtime.prediction import ImageResult
    from edgeemo.utils.progress import Progress

_KERAS = (".keras", ".h5", ".hdf5")


def predict_many(given: PredictArguments) -> int:
    """Predict on a cluster, or keep the predictions, or both; return the exit status."""
    _refuse_options(given)
    given.check_bulk(workers=given.workers, threads=given.threads or 1)
    from edgeemo.runtime.named_images import open_images

    work = _make_work(given)
    with (
        open_images(given.images) as images,
        given.open_parts(work) as parts,
        show_progress(prints_rows=_choose_format(given) is not None) as shown,
        closing(_predict_all(given, work, images, parts, shown)) as results,
    ):
        fine = _print_all(given, work, results, parts)
    return EXIT_OK if fine else EXIT_ERROR


def _refuse_options(given: PredictArguments) -> None:
    from edgeemo.imaging.suffixes import is_video

    flag = "--cluster" if given.cluster is not None else "--keep"
    if given.annotate is not None:
        raise OptionError(f"{flag} excludes --annotate")
    if video := next(filter(is_video, given.images), None):
        raise OptionError(f"{flag} takes images; predict {video}, a video, without it")
    if given.model is not None and given.model.suffix.lower() in _KERAS:
        raise OptionError(
            f"{flag} requires an exported model: 'edgeemo export' makes one of a Keras model's "
            "folder"
        )


def _choose_format(given: PredictArguments) -> OutputFormat | None:
    """Return the format of the rows; None for no rows."""
    if given.json:
        return OutputFormat.JSONL
    return given.format or (None if given.keep is not None else OutputFormat.TABLE)


def _make_work(given: PredictArguments) -> PredictWork:
    """Load the model, which is checked here before any other process gets it."""
    from edgeemo.cli.commands.predict import load_classifier
    from edgeemo.cli.default_model import warn_unverified
    from edgeemo.runtime.predict_work import PredictWork

    faces = given.face_request
    classifier = load_classifier(given.model, given.threads, faces)
    warn_unverified(classifier.path, classifier.spec, verified=classifier.verified)
    return PredictWork(classifier, detector_file=faces.file)


def _predict_all(
    given: PredictArguments,
    work: PredictWork,
    images: Items[str],
    parts: Parts[ImageResult] | None,
    shown: Progress,
) -> Generator[ImageResult]:
    from edgeemo.bulk.run import work_through

    place = given.make_place(given.workers, threads=work.threads)
    blocks = work_through(
        work, images, place=place, parts=parts, stage="Predicting", progress=shown
    )
    with closing(blocks):
        for block in blocks:
            yield from block.results


def _print_all(
    given: PredictArguments,
    work: PredictWork,
    results: Generator[ImageResult],
    parts: Parts[ImageResult] | None,
) -> bool:
    """Print the rows, if any, and the summary; return whether all images could be read."""
    chosen, tally, errors = _choose_format(given), Tally(), ErrorLines(given.keep)
    first = list(islice(results, 1))  # before the headings: nothing is printed where none comes
    print_result = make_printer(chosen, work.spec) if chosen else None
    for result in chain(first, results):
        if print_result:
            print_result(result)
        tally.add(result)
        if result.error is not None:
            errors.add(result.error)
    if parts:
        parts.complete(tally.to_summary())
    return tally.finish(quiet=chosen not in (None, OutputFormat.TABLE))
