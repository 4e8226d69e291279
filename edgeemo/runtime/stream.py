"""Many images, one answer or one error each, in constant memory; shared by both front doors."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from io import FileIO
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from edgeemo.errors import ImageError
from edgeemo.imaging.decode import HEAD_BYTES, sniff, source_name

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from io import RawIOBase

    from edgeemo.imaging.decode import Source
    from edgeemo.runtime.classifier import Classifier, Prediction

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".webp", ".gif")
"""What a folder is searched for; an image with another name is read when named itself."""

STDIN = "-"

NO_FACE = "no face"
"""What is said of an image in which faces were to be answered and none was found."""

BOX_COLUMNS = ("left", "top", "width", "height")

_CHUNK = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one image.

    Attributes:
        source: The image's path, or "-" for standard input.
        predictions: The answers: of the whole image one; of the faces in it as many as were
            found, the largest first; none where the image cannot be read.
        error: Why it cannot be read, or None.
        ms: Milliseconds from the file to the labels.
    """

    source: str
    predictions: tuple[Prediction, ...] = ()
    error: str | None = None
    ms: float


def answers(
    classifier: Classifier, sources: Iterable[Source], *, workers: int = 1
) -> Generator[Answer]:
    """Answer images in their order; one that cannot be read does not stop the rest.

    Memory does not grow with the number of images. Closing the generator ends its threads.

    Args:
        classifier: Not to be used elsewhere until the last answer has come.
        sources: The images. With more than one worker they are taken in a thread of their own, a
            few ahead of the answers, so `sources` may wait for its next as long as it likes.
        workers: Threads that answer; the first image is answered before any is started.

    Raises:
        EngineError: If an engine for another thread cannot be loaded.
    """
    waiting = iter(sources)
    for source in waiting:
        yield answer(classifier, source)
        if workers > 1:
            break
    for source in waiting:  # there is a second image, and more than one worker
        from edgeemo.runtime.parallel import parallel_answers

        yield from parallel_answers(classifier, chain([source], waiting), workers=workers)


def answer(classifier: Classifier, source: Source) -> Answer:
    """Answer one image, or say why it cannot be read."""
    name = STDIN if isinstance(source, bytes) else source_name(source)
    start = time.perf_counter()
    predictions: tuple[Prediction, ...] = ()
    error = None
    try:
        predictions = classifier.predict_all(source)
    except ImageError as failure:
        error = str(failure)
    ms = (time.perf_counter() - start) * 1000
    return Answer(source=name, predictions=predictions, error=error, ms=ms)


def default_workers(threads: int) -> int:
    """How many workers occupy the cores that this process may use, and no more.

    Args:
        threads: Threads that one answer uses.
    """
    return max(1, len(os.sched_getaffinity(0)) // threads)


def expand(
    names: Iterable[str], *, stdin: BinaryIO | RawIOBase | None = None
) -> Iterator[str | bytes]:
    """The images that a command line's words stand for, found as they are asked for.

    Args:
        names: Image files; folders, which are searched recursively in the order of names for
            files whose suffix is in `SUFFIXES`; "-" for standard input.
        stdin: Standard input; the process's own by default. It holds one image, or a list of
            paths, one per line (or separated by NUL, as ``find -print0`` writes them). A path is
            given as soon as its line is complete, if `stdin` reads what there is, unbuffered.

    Yields:
        A path, or the bytes of an image.
    """
    for name in names:
        if name == STDIN:
            # A buffered stream would wait for a full buffer, and end badly in a thread.
            yield from _from_stdin(stdin or FileIO(0, closefd=False))
        elif os.path.isdir(name):  # noqa: PTH112 - pathlib is slow to import
            yield from _images_in(name)
        else:
            yield name


def to_jsonl(answer: Answer, *, faces: bool = False) -> str:
    """One JSON object on one line: file, label, score, scores, ms; or file, error, ms.

    Where the model is not sure there are, besides, "sure": false and "guess", the class whose
    probability "score" is.

    Args:
        answer: What came of one image.
        faces: Whether faces were answered: there is, instead of label, score and scores, a list
            "faces" of objects that hold these and "box": [left, top, width, height] in pixels.
    """
    fields: dict[str, object] = {"file": answer.source}
    if answer.error is not None:
        fields["error"] = answer.error
    elif faces:
        fields["faces"] = [_fields(each) for each in answer.predictions]
    else:
        fields |= _fields(answer.predictions[0])
    return json.dumps({**fields, "ms": round(answer.ms, 3)})


def csv_header(labels: Sequence[str], *, faces: bool = False) -> list[str]:
    """Column names of `csv_rows`."""
    box = BOX_COLUMNS if faces else ()
    return ["file", "label", "score", *(f"p({label})" for label in labels), *box, "ms", "error"]


def csv_rows(answer: Answer, labels: Sequence[str], *, faces: bool = False) -> list[list[str]]:
    """The rows of one image: one, or one per face; `NO_FACE` for a label where there is none."""
    ms, box = f"{answer.ms:.3f}", [""] * len(BOX_COLUMNS) if faces else []
    if not answer.predictions:
        label = "" if answer.error else NO_FACE
        return [[answer.source, label, "", *("" for _ in labels), *box, ms, answer.error or ""]]
    rows = []
    for each in answer.predictions:
        scores = [f"{score:.9g}" for score in each.scores.values()]
        if each.face:
            box = [str(number) for number in each.face.box]
        rows.append([answer.source, each.label, f"{each.score:.9g}", *scores, *box, ms, ""])
    return rows


def to_text(answer: Answer) -> str:
    """One line for a person."""
    if answer.error is not None:
        return answer.error
    said = "; ".join(_said(each) for each in answer.predictions) or NO_FACE
    return f"{answer.source}: {said} ({answer.ms:.1f} ms)"


def _said(found: Prediction) -> str:
    said = f"{found.guess} {found.score:.3f}"
    if not found.sure:
        said = f"{found.label} ({said})"
    return f"{said} at {found.face.text}" if found.face else said


def _fields(found: Prediction) -> dict[str, object]:
    fields: dict[str, object] = {
        "label": found.label, "score": found.score, "scores": found.scores
    }  # fmt: skip
    if not found.sure:
        fields |= {"sure": False, "guess": found.guess}
    if found.face:
        fields["box"] = list(found.face.box)
    return fields


def _images_in(folder: str) -> Iterator[str]:
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
    if _is_image(head[:HEAD_BYTES]):
        yield b"".join([head, *chunks])
        return
    rest = b""
    for chunk in chain([head], chunks):
        *lines, rest = (rest + chunk).replace(b"\0", b"\n").split(b"\n")
        yield from map(os.fsdecode, filter(None, lines))
    if rest:
        yield os.fsdecode(rest)


def _holds_a_line(head: bytes) -> bool:
    """Whether this is a path and its end, and not the beginning of an image file."""
    ended = b"\n" in head or b"\0" in head
    return ended and not head.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM"))


def _is_image(head: bytes) -> bool:
    """Whether bytes begin as an image file does; a list of paths may begin with "BM", too."""
    format = sniff(head)
    return format is not None and (format != "BMP" or head[6:10] == b"\0\0\0\0")
