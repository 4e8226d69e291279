"""The small front door, argparse alone: ``python -m edgeemo.runtime MODEL PICTURE...``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from edgeemo.errors import EdgeEmoError
from edgeemo.runtime.classifier import Classifier
from edgeemo.runtime.stream import answers, expand, to_jsonl, to_text

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer the pictures named on the command line.

    Args:
        arguments: The words after the program's name; the process's own by default.

    Returns:
        Exit status: 0, or 1 where the model or a picture could not be used.
    """
    options = _parser().parse_args(arguments)
    try:
        classifier = Classifier.load(options.model, threads=options.threads)
    except EdgeEmoError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if not classifier.verified:
        print(f"warning: {classifier.path} is not verified against its original", file=sys.stderr)
    failed = False
    for answer in answers(classifier, expand(options.pictures)):
        failed = failed or answer.prediction is None
        text = to_jsonl(answer) if options.json else to_text(answer)
        error_line = answer.prediction is None and not options.json
        print(text, file=sys.stderr if error_line else sys.stdout)
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m edgeemo.runtime", description="Answer pictures with an exported model."
    )
    parser.add_argument("model", help="a .tflite or .onnx file from edgeemo, or a model folder")
    parser.add_argument("pictures", nargs="+", help="picture files, folders, or - for stdin")
    parser.add_argument("--threads", type=_threads, default=1, help="threads per answer (1)")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    return parser


def _threads(text: str) -> int:
    threads = int(text)
    if threads < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return threads


if __name__ == "__main__":
    sys.exit(main())
