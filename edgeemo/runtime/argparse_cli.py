"""Parts of the argparse entry points: ``python -m edgeemo.runtime`` and a bundle."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from edgeemo.utils.command import write_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.runtime.classifier import Classifier


class FixedWidthFormatter(argparse.HelpFormatter):
    """A help formatter of fixed width: argparse loads shutil to find the terminal's."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


def parse_count(text: str) -> int:
    """Convert text to a whole number of 1 or more; for argparse's `type`.

    Raises:
        argparse.ArgumentTypeError: If it is less.
        ValueError: If it is no whole number.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def warn_unverified(classifier: Classifier) -> None:
    """Say on standard error that a model is not verified, or that it was adopted.

    Nothing is said of a verified one.
    """
    if classifier.verified:
        return
    from edgeemo.utils.text import escape_controls

    path = escape_controls(classifier.path)
    if classifier.spec.adopted is None:
        write_error(f"warning: {path} is not verified against its reference model")
        return
    from edgeemo.model.adoption import ADOPTED

    write_error(f"{path}: {ADOPTED}")


def add_prediction_options(parser: argparse.ArgumentParser) -> None:
    """Add the images, and the number predicted at the same time."""
    parser.add_argument("images", nargs="+", help="image files, folders, or - for stdin")
    parser.add_argument(
        "--workers",
        type=parse_count,
        help="number of images predicted at the same time (number of cores / threads)",
    )


def add_face_options(parser: argparse.ArgumentParser) -> None:
    """Add the option that overrides whether the model detects faces."""
    parser.add_argument(
        "--faces",
        action=argparse.BooleanOptionalAction,
        help="detect faces and predict each, or take images whole (as the model does)",
    )


def print_predictions(
    classifier: Classifier,
    images: Sequence[str],
    *,
    workers: int,
    json: bool,
    before_first: Callable[[], None] | None = None,
) -> int:
    """Predict images and print one line each, as soon as its result is there.

    Args:
        classifier: The model.
        images: Image files, folders, or "-" for standard input.
        workers: Number of images predicted at the same time.
        json: Whether to print a JSON object per line; otherwise errors go to standard error.
        before_first: Called before the first result is printed.

    Returns:
        Exit status: 0, or 1 where an image could not be read or there was none.
    """
    from edgeemo.imaging.suffixes import PassedOver
    from edgeemo.runtime.formats import to_jsonl, to_text
    from edgeemo.runtime.inputs import expand
    from edgeemo.runtime.prediction import STDIN
    from edgeemo.runtime.stream import predict_images

    predicted = failed = 0
    faces, passed_over = classifier.spec.faces is not None, PassedOver()
    sources = expand(images, passed_over=passed_over)
    may_fork = STDIN not in images
    results = predict_images(classifier, sources, workers=workers, may_fork=may_fork)
    with closing(results) as stream:
        for result in stream:
            if before_first and not predicted and not failed:
                before_first()
            predicted += result.error is None
            failed += result.error is not None
            if result.error is not None and not json:
                write_error(f"error: {to_text(result)}")
            else:
                line = to_jsonl(result, faces=faces) if json else to_text(result)
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
    if others := passed_over.describe():
        write_error(f"note: {others}")
    if not predicted and not failed:
        write_error(
            "error: no image found; name files, or folders that hold .jpg, .png or .bmp files"
        )
    return int(failed > 0 or predicted == 0)
