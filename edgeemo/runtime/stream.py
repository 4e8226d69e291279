"""Many pictures, one answer or one error each, in constant memory; shared by both front doors."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from io import FileIO
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from edgeemo.errors import ImageError
from edgeemo.preprocess import HEAD_BYTES, describe, sniff

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from io import RawIOBase

    from edgeemo.preprocess import Source
    from edgeemo.runtime.classifier import Classifier, Prediction

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".webp", ".gif")
"""What a folder is searched for; a picture with another name is read when named itself."""

STDIN = "-"

_CHUNK = 1 << 16


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


def answers(
    classifier: Classifier, sources: Iterable[Source], *, workers: int = 1
) -> Generator[Answer]:
    """Answer pictures in their order; one that cannot be read does not stop the rest.

    Memory does not grow with the number of pictures. Closing the generator ends its threads.

    Args:
        classifier: Not to be used elsewhere until the last answer has come.
        sources: The pictures. With more than one worker they are taken in a thread of their own, a
            few ahead of the answers, so `sources` may wait for its next as long as it likes.
        workers: Threads that answer; the first picture is answered before any is started.

    Raises:
        EngineError: If an engine for another thread cannot be loaded.
    """
    waiting = iter(sources)
    for source in waiting:
        yield answer(classifier, source)
        if workers > 1:
            break
    for source in waiting:  # there is a second picture, and more than one worker
        from edgeemo.runtime.parallel import parallel_answers

        yield from parallel_answers(classifier, chain([source], waiting), workers=workers)


def answer(classifier: Classifier, source: Source) -> Answer:
    """Answer one picture, or say why it cannot be read."""
    name = STDIN if isinstance(source, bytes) else describe(source)
    start = time.perf_counter()
    prediction, error = None, None
    try:
        prediction = classifier.predict(source)
    except ImageError as failure:
        error = str(failure)
    ms = (time.perf_counter() - start) * 1000
    return Answer(source=name, prediction=prediction, error=error, ms=ms)


def default_workers(threads: int) -> int:
    """How many workers occupy the cores that this process may use, and no more.

    Args:
        threads: Threads that one answer uses.
    """
    return max(1, len(os.sched_getaffinity(0)) // threads)


def expand(
    names: Iterable[str], *, stdin: BinaryIO | RawIOBase | None = None
) -> Iterator[str | bytes]:
    """The pictures that a command line's words stand for, found as they are asked for.

    Args:
        names: Picture files; folders, which are searched recursively in the order of names for
            files whose suffix is in `SUFFIXES`; "-" for standard input.
        stdin: Standard input; the process's own by default. It holds one picture, or a list of
            paths, one per line (or separated by NUL, as ``find -print0`` writes them). A path is
            given as soon as its line is complete, if `stdin` reads what there is, unbuffered.

    Yields:
        A path, or the bytes of a picture.
    """
    for name in names:
        if name == STDIN:
            # A buffered stream would wait for a full buffer, and end badly in a thread.
            yield from _from_stdin(stdin or FileIO(0, closefd=False))
        elif os.path.isdir(name):  # noqa: PTH112 - pathlib is slow to import
            yield from _pictures_in(name)
        else:
            yield name


def to_jsonl(answer: Answer) -> str:
    """One JSON object on one line: file, label, score, scores, ms; or file, error, ms.

    Where the model is not sure there are, besides, "sure": false and "guess", the class whose
    probability "score" is.
    """
    fields: dict[str, object] = {"file": answer.source}
    if answer.prediction:
        fields["label"] = answer.prediction.label
        fields["score"] = answer.prediction.score
        fields["scores"] = answer.prediction.scores
        if not answer.prediction.sure:
            fields["sure"] = False
            fields["guess"] = answer.prediction.guess
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
    found = answer.prediction
    said = f"{found.guess} {found.score:.3f}"
    if not found.sure:
        said = f"{found.label} ({said})"
    return f"{answer.source}: {said} ({answer.ms:.1f} ms)"


def _pictures_in(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(parent, name)  # noqa: PTH118


def _from_stdin(stream: BinaryIO | RawIOBase) -> Iterator[str | bytes]:
    chunks = iter(lambda: stream.read(_CHUNK) or b"", b"")
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES or _holds_a_line(head):
            break
    if _is_picture(head[:HEAD_BYTES]):
        yield b"".join([head, *chunks])
        return
    rest = b""
    for chunk in chain([head], chunks):
        *lines, rest = (rest + chunk).replace(b"\0", b"\n").split(b"\n")
        yield from map(os.fsdecode, filter(None, lines))
    if rest:
        yield os.fsdecode(rest)


def _holds_a_line(head: bytes) -> bool:
    """Whether this is a path and its end, and not the beginning of a picture file."""
    ended = b"\n" in head or b"\0" in head
    return ended and not head.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM"))


def _is_picture(head: bytes) -> bool:
    """Whether bytes begin as a picture file does; a list of paths may begin with "BM", too."""
    format = sniff(head)
    return format is not None and (format != "BMP" or head[6:10] == b"\0\0\0\0")
