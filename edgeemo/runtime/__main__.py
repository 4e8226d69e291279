"""The small entry point, argparse alone: ``python -m edgeemo.runtime MODEL IMAGE...``."""

from __future__ import annotations

from edgeemo.utils.interrupt import exit_on_interrupt

if __name__ == "__main__":
    exit_on_interrupt()  # before the rest is imported

import argparse
import sys
from typing import TYPE_CHECKING

from edgeemo.runtime.argparse_cli import (
    FixedWidthFormatter,
    add_face_options,
    add_prediction_options,
    parse_count,
    print_predictions,
    warn_unverified,
)
from edgeemo.runtime.fast_start import start_fast
from edgeemo.utils.command import prepare_streams, run_command
from edgeemo.utils.redirect import drop_image_warnings

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Predict the images named on the command line.

    Args:
        arguments: The words after the program's name; the process's own by default.

    Returns:
        Exit status: 0; 1 where the model or an image could not be used; 130 after Ctrl-C,
        143 after SIGTERM.
    """
    start_fast()
    prepare_streams()
    drop_image_warnings()
    return run_command(lambda: _predict(_parser().parse_args(arguments)))


def _predict(options: argparse.Namespace) -> int:
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.runtime.stream import choose_worker_count

    faces = None
    if options.faces is not None:
        from edgeemo.model.face_request import FaceRequest

        faces = FaceRequest(enabled=options.faces)
    classifier = Classifier.load(options.model, threads=options.threads, faces=faces)
    warn_unverified(classifier)
    workers = options.workers or choose_worker_count(classifier.threads)
    return print_predictions(classifier, options.images, workers=workers, json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m edgeemo.runtime",
        description="Predict images with an exported model.",
        formatter_class=FixedWidthFormatter,
    )
    parser.add_argument("model", help="a .tflite or .onnx file from edgeemo, or a model folder")
    add_prediction_options(parser)
    add_face_options(parser)
    parser.add_argument(
        "--threads",
        type=parse_count,
        help="number of threads per prediction (that of the folder's default file, else 1)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    return parser


if __name__ == "__main__":
    sys.exit(main())
