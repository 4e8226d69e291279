"""Many pictures, one answer or one error each, in constant memory; shared by both front doors."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from edgeemo.errors import ImageError
from edgeemo.preprocess import HEAD_BYTES, describe, sniff

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edgeemo.preprocess import Source
    from edgeemo.runtime.classifier import Classifier, Prediction

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".webp", ".gif")
"""What a folder is searched for; a picture with another name is read when named itself."""

STDIN = "-"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one picture.

    Attributes:
        source: The picture's path, or "-" for standard input.
        prediction: The answer, or None where the picture cannot be read.
        error: The reason, or None.
        ms: Milliseconds from the file to the label.
    """

    source: str
    prediction: Prediction | None = None
    error: str | None = None
    ms: float


def answers(classifier: Classifier, sources: Iterable[Source]) -> Iterator[Answer]:
    """Answer pictures one after the other; one that cannot be read does not stop the rest."""
    for source in sources:
        name = STDIN if isinstance(source, bytes) else describe(source)
        start = time.perf_counter()
        prediction, error = None, None
        try:
            prediction = classifier.predict(source)
        except ImageError as failure:
            error = str(failure)
        ms = (time.perf_counter() - start) * 1000
        yield Answer(source=name, prediction=prediction, error=error, ms=ms)


def expand(names: Iterable[str], *, stdin: BinaryIO | None = None) -> Iterator[str | bytes]:
    """The pictures that a command line's words stand for, found as they are asked for.

    Args:
        names: Picture files; folders, which are searched recursively in the order of names for
            files whose suffix is in `SUFFIXES`; "-" for standard input.
        stdin: Standard input; the process's own by default. It holds one picture, or a list of
            paths, one per line (or separated by NUL, as ``find -print0`` writes them).

    Yields:
        A path, or the bytes of a picture.
    """
    for name in names:
        if name == STDIN:
            yield from _from_stdin(stdin or sys.stdin.buffer)
        elif os.path.isdir(name):  # noqa: PTH112 - pathlib is slow to import
            yield from _pictures_in(name)
        else:
            yield name


def to_jsonl(answer: Answer) -> str:
    """One JSON object on one line: file, label, score, scores, ms; or file, error, ms."""
    fields: dict[str, object] = {"file": answer.source}
    if answer.prediction:
        fields["label"] = answer.prediction.label
        fields["score"] = answer.prediction.score
        fields["scores"] = answer.prediction.scores
    else:
        fields["error"] = answer.error
    return json.dumps({**fields, "ms": round(answer.ms, 3)})


def csv_header(labels: Sequence[str]) -> list[str]:
    """Column names of `csv_row`."""
    return ["file", "label", "score", *(f"p({label})" for label in labels), "ms", "error"]


def csv_row(answer: Answer, labels: Sequence[str]) -> list[str]:
    """The cells of one answer."""
    ms = f"{answer.ms:.3f}"
    if answer.prediction is None:
        return [answer.source, "", "", *("" for _ in labels), ms, answer.error or ""]
    scores = [f"{score:.9g}" for score in answer.prediction.scores.values()]
    return [
        answer.source, answer.prediction.label, f"{answer.prediction.score:.9g}", *scores, ms, ""
    ]  # fmt: skip


def to_text(answer: Answer) -> str:
    """One line for a person."""
    if answer.prediction is None:
        return answer.error or ""
    score = f"{answer.prediction.score:.3f}"
    return f"{answer.source}: {answer.prediction.label} {score} ({answer.ms:.1f} ms)"


def _pictures_in(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(parent, name)  # noqa: PTH118


def _from_stdin(stream: BinaryIO) -> Iterator[str | bytes]:
    rest = stream.read(HEAD_BYTES)
    if _is_picture(rest):
        yield rest + stream.read()
        return
    while chunk := stream.read(1 << 16):
        *lines, rest = (rest + chunk).replace(b"\0", b"\n").split(b"\n")
        yield from map(os.fsdecode, filter(None, lines))
    yield from map(os.fsdecode, filter(None, rest.replace(b"\0", b"\n").split(b"\n")))


def _is_picture(head: bytes) -> bool:
    """Whether bytes begin as a picture file does; a list of paths may begin with "BM", too."""
    format = sniff(head)
    return format is not None and (format != "BMP" or head[6:10] == b"\0\0\0\0")
