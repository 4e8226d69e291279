"""``python3 NAME.pyz predict``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from edgeemo.bundle.device.load import load_classifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bundle.device.contents import Contents


def run(contents: Contents, pictures: Sequence[str], *, threads: int, json: bool) -> int:
    """Answer pictures, one line each.

    Args:
        contents: The bundle.
        pictures: Picture files, folders, or "-" for standard input.
        threads: Threads per answer.
        json: Whether to print a JSON object per line.

    Returns:
        Exit status: 0, or 1 where a picture could not be read or there was none.
    """
    classifier = load_classifier(contents, threads=threads)
    from edgeemo.runtime.stream import answers, expand, to_jsonl, to_text

    answered = failed = 0
    for answer in answers(classifier, expand(pictures)):
        answered += answer.prediction is not None
        failed += answer.prediction is None
        if answer.prediction is None and not json:
            sys.stderr.write(f"error: {to_text(answer)}\n")
        else:
            sys.stdout.write(f"{to_jsonl(answer) if json else to_text(answer)}\n")
    if not answered and not failed:
        sys.stderr.write(
            "error: no picture found; name files, or folders that hold .jpg, .png or .bmp files\n"
        )
    return int(failed > 0 or answered == 0)
