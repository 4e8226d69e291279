"""``verify.png``: the images with the largest differences from the reference model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeemo.imaging.preprocess import preprocess
from edgeemo.report.contact_sheet import write_contact_sheet
from edgeemo.report.document import Tile
from edgeemo.utils.text import plural
from edgeemo.verify.comparison import decide_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import ReferencePrediction

COLUMNS, ROWS = 6, 3
_FILES_NAMED = 4  # greatest number of files in a caption


def draw_disagreements(
    path: Path,
    references: Sequence[ReferencePrediction],
    *,
    scores: Mapping[str, NDArray[np.float64]],
    images: Mapping[str, Path],
    spec: ModelSpec,
    detector: FaceDetector | None = None,
) -> Path:
    """Draw the largest differences over all files, as the network sees the images.

    Shows the images whose label flips in a file, the largest `|Δp|` first; without a flip, those
    with the largest `|Δp|`, and the title says so. A red frame means that only the reference model
    is right, a green one that only the files named below it are.

    Args:
        path: The PNG to write.
        references: N predictions of the reference model.
        scores: (N, K) probabilities by file name.
        images: Image file by SHA-256.
        spec: Gives the labels, the threshold and the size.
        detector: The face detector; required if `spec` crops faces.

    Returns:
        `path`.
    """
    if not scores:
        title = "No exported file could be run."
        return write_contact_sheet([], path, columns=COLUMNS, title=title)
    n, expected = len(references), np.asarray([row.scores for row in references], np.float64)
    flipped, differences = _compare(expected, np.stack(list(scores.values())), spec)
    flips = int(flipped.any(axis=0).sum())
    # Below an image are named the files that flip, else those that differ most.
    named = flipped if flips else differences == differences.max(axis=0)
    worst = np.argsort(-(differences * named).max(axis=0), kind="stable")
    tiles = [
        Tile(
            image=preprocess(images[references[i].sha256], spec, detector=detector),
            caption=_describe(references[i], found, spec),
            good=_judge(references[i], found, spec),
        )
        for i in worst[: min(flips or n, COLUMNS * ROWS)].tolist()
        for found in [_select_files(scores, named[:, i], i)]
    ]
    title = _make_title(flips, len(tiles), n)
    return write_contact_sheet(tiles, path, columns=COLUMNS, title=title)


def _compare(
    expected: NDArray[np.float64], stacked: NDArray[np.float64], spec: ModelSpec
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return for (files, N, K) scores whether the label flips and the largest |Δp|, (files, N)."""
    labels = decide_labels(expected, spec)
    flipped = np.stack([decide_labels(each, spec) != labels for each in stacked])
    return flipped, np.abs(stacked - expected).max(axis=2)


def _select_files(
    scores: Mapping[str, NDArray[np.float64]], named: NDArray[np.bool_], row: int
) -> dict[str, list[float]]:
    """Return the probabilities of the named files for one image."""
    return {
        name: each[row].tolist()
        for (name, each), is_named in zip(scores.items(), named, strict=True)
        if is_named
    }


def _make_title(flips: int, shown: int, n: int) -> str:
    images = plural(n, "test image")
    if not flips:
        return f"No flip on {images}. These images have the largest difference in probability."
    which = f"The worst {shown} are shown. " if shown < flips else ""
    return (
        f"Another label than the reference model's: {flips:,} of {images}. {which}"
        "Red: only the reference model is right; green: only the file is."
    )


def _describe(
    reference: ReferencePrediction, found: Mapping[str, Sequence[float]], spec: ModelSpec
) -> str:
    lines = [f"truth: {reference.label}", f"reference: {_describe_label(reference.scores, spec)}"]
    shown = list(found.items())[:_FILES_NAMED]
    lines += [f"{name}: {_describe_label(scores, spec)}" for name, scores in shown]
    if len(found) > len(shown):
        lines.append(f"and {plural(len(found) - len(shown), 'more file')}")
    return "\n".join(lines)


def _describe_label(scores: Sequence[float], spec: ModelSpec) -> str:
    label = spec.decide(scores)
    return f"{spec.labels[label]} {scores[label]:.4f}"


def _judge(
    reference: ReferencePrediction, found: Mapping[str, Sequence[float]], spec: ModelSpec
) -> bool | None:
    """Return False if only the reference model is right, True if only the files are, else None."""
    truth = spec.labels.index(reference.label)
    labels = {spec.decide(scores) for scores in found.values()}
    if spec.decide(reference.scores) == truth:
        return None if truth in labels else False
    return True if labels == {truth} else None
