"""Output formats of results: JSON lines, CSV rows and text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edgeemo.runtime.prediction import NO_FACE
from edgeemo.utils.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.runtime.prediction import ImageResult, Prediction

BOX_COLUMNS = ("left", "top", "width", "height")
_QUOTED = "\t\n\r"
"""Control characters of a name that a quoted cell holds as they are."""


def to_jsonl(result: ImageResult, *, faces: bool = False) -> str:
    """Return one JSON object on one line: file, label, score, scores, ms; or file, error, ms.

    A frame of a video has "time" as well, in seconds from the beginning of the video.

    Where no class is predicted, but "not sure" or the model's background, it has "sure": false and
    "guess", the class of probability "score", as well.

    Args:
        result: The result of an image.
        faces: Whether faces were found: instead of label, score and scores there is a list
            "faces" of objects that hold these and "box": [left, top, width, height] in pixels.
    """
    fields: dict[str, object] = {"file": result.source}
    if result.time_s is not None:
        fields["time"] = round(result.time_s, 3)
    if result.error is not None:
        fields["error"] = result.error
    elif faces:
        fields["faces"] = [_fields(each) for each in result.predictions]
    else:
        fields |= _fields(result.predictions[0])
    return json.dumps({**fields, "ms": round(result.ms, 3)})


def to_csv_header(labels: Sequence[str], *, faces: bool = False, timed: bool = False) -> list[str]:
    """Return the column names of `to_csv_rows`."""
    box = BOX_COLUMNS if faces else ()
    time = ["time"] if timed else []
    scores = (f"p({label})" for label in labels)
    return ["file", *time, "label", "score", *scores, *box, "ms", "error"]


def to_csv_rows(
    result: ImageResult, labels: Sequence[str], *, faces: bool = False, timed: bool = False
) -> list[list[str]]:
    """Return the rows of one image: one, or one per face; labelled `NO_FACE` without a face.

    Control characters in the name of the image, which JSON lines keep, are escaped, but for line
    ends and tabs, which CSV holds in quotes.

    Args:
        result: The result of an image.
        labels: The model's labels.
        faces: Whether faces were found.
        timed: Whether there is a column "time", of frames of videos; empty of an image.
    """
    begin = [escape_controls(result.source, keep=_QUOTED)]
    if timed:
        begin.append("" if result.time_s is None else f"{result.time_s:.3f}")
    error = escape_controls(result.error or "")
    ms, box = f"{result.ms:.3f}", [""] * len(BOX_COLUMNS) if faces else []
    if not result.predictions:
        label = "" if result.error else NO_FACE
        return [[*begin, label, "", *("" for _ in labels), *box, ms, error]]
    rows = []
    for each in result.predictions:
        scores = [f"{score:.9g}" for score in each.scores.values()]
        if each.face:
            box = [str(number) for number in each.face.box]
        rows.append([*begin, each.label, f"{each.score:.9g}", *scores, *box, ms, ""])
    return rows


def to_text(result: ImageResult) -> str:
    """Return one line for a person, without control characters."""
    if result.error is not None:
        return escape_controls(result.error)
    text = "; ".join(_text(each) for each in result.predictions) or NO_FACE
    return f"{escape_controls(result.source)}: {text} ({result.ms:.1f} ms)"


def _text(prediction: Prediction) -> str:
    text = f"{prediction.guess} {prediction.score:.3f}"
    if not prediction.is_sure:
        text = f"{prediction.label} ({text})"
    return f"{text} at {prediction.face.text}" if prediction.face else text


def _fields(prediction: Prediction) -> dict[str, object]:
    fields: dict[str, object] = {
        "label": prediction.label, "score": prediction.score, "scores": prediction.scores
    }  # fmt: skip
    if not prediction.is_sure:
        fields |= {"sure": False, "guess": prediction.guess}
    if prediction.face:
        fields["box"] = list(prediction.face.box)
    return fields
