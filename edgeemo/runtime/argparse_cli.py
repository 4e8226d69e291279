"""What the argparse front doors share: the device's ``python -m edgeemo.runtime`` and a bundle."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from edgeemo.errors import EXIT_ERROR, EXIT_INTERRUPTED, EdgeEmoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgeemo.runtime.classifier import Classifier


class FixedWidthFormatter(argparse.HelpFormatter):
    """Of a fixed width: to ask for the terminal's, argparse loads shutil at every start."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


def at_least_one(text: str) -> int:
    """A whole number of 1 or more, as argparse's `type`.

    Raises:
        argparse.ArgumentTypeError: If it is less.
        ValueError: If it is no whole number.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def add_answering_options(parser: argparse.ArgumentParser) -> None:
    """What to answer, and how many at a time."""
    parser.add_argument("images", nargs="+", help="image files, folders, or - for stdin")
    parser.add_argument(
        "--workers",
        type=at_least_one,
        help="images answered at the same time (as many as there are cores / threads)",
    )


def add_face_options(parser: argparse.ArgumentParser) -> None:
    """Whether to find faces, where the model does not say, or otherwise."""
    parser.add_argument(
        "--faces",
        action=argparse.BooleanOptionalAction,
        help="find faces and answer each (as the model says)",
    )


def accept_any_file_name() -> None:
    """Print names that are not valid UTF-8 instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def status_of(work: Callable[[], int]) -> int:
    """Do what was asked for; every error that is the user's to mend is one line on standard error.

    Returns:
        The exit status: what `work` returned, 1 or the error's own, or 130 after Ctrl-C.
    """
    try:
        status = work()
        sys.stdout.flush()
    except EdgeEmoError as error:
        return _fail(str(error), error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains at its exit
        return EXIT_ERROR
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left to print failed once already
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}", EXIT_ERROR)
    except MemoryError:
        return _fail("out of memory", EXIT_ERROR)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return status


def print_answers(
    classifier: Classifier,
    images: Iterable[str],
    *,
    workers: int,
    json: bool,
    before_first: Callable[[], None] | None = None,
) -> int:
    """Answer images, one line each, as soon as each is there.

    Args:
        classifier: The model.
        images: Image files, folders, or "-" for standard input.
        workers: Images answered at the same time.
        json: Whether to print a JSON object per line; otherwise errors go to standard error.
        before_first: Called before the first answer is printed.

    Returns:
        Exit status: 0, or 1 where an image could not be read or there was none.
    """
    from edgeemo.runtime.stream import answers, expand, to_jsonl, to_text

    answered = failed = 0
    faces = classifier.spec.faces is not None
    with closing(answers(classifier, expand(images), workers=workers)) as stream:
        for answer in stream:
            if before_first and not answered and not failed:
                before_first()
            answered += answer.error is None
            failed += answer.error is not None
            if answer.error is not None and not json:
                sys.stderr.write(f"error: {to_text(answer)}\n")
            else:
                line = to_jsonl(answer, faces=faces) if json else to_text(answer)
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
    if not answered and not failed:
        sys.stderr.write(
            "error: no image found; name files, or folders that hold .jpg, .png or .bmp files\n"
        )
    return int(failed > 0 or answered == 0)


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    return status
