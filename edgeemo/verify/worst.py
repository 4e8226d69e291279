"""verify.png: the images on which the files differ most from the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeemo.imaging.preprocess import preprocess
from edgeemo.report.contact_sheet import Tile, write_contact_sheet
from edgeemo.utils.text import plural
from edgeemo.verify.measure import decisions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import Reference

COLUMNS, ROWS = 6, 3
_FILES_NAMED = 4  # lines of a caption for files; more would not be read


def draw_worst(
    path: Path,
    references: Sequence[Reference],
    answers: Mapping[str, NDArray[np.float64]],
    *,
    images: Mapping[str, Path],
    spec: ModelSpec,
    detector: FaceDetector | None = None,
) -> Path:
    """Draw the worst disagreements over all files, as the network sees the images.

    Shows the images whose label flipped in some file, the largest |Δp| first; where none did,
    those with the largest |Δp|, and the title says so. A red frame means that only the original is
    right, a green one that only the files named below it are.

    Args:
        path: The PNG to write.
        references: N answers of the original.
        answers: File name to (N, K) probabilities.
        images: SHA-256 to image file.
        spec: Gives the labels, the threshold and the size.
        detector: The face detector; required where `spec` crops faces.

    Returns:
        `path`.
    """
    if not answers:
        return write_contact_sheet(
            [], path, columns=COLUMNS, title="No exported file could be run."
        )
    n, original = len(references), np.asarray([row.scores for row in references], np.float64)
    flipped, differences = _compare(original, np.stack(list(answers.values())), spec)
    flips = int(flipped.any(axis=0).sum())
    # Which files to name under an image: those that flip, else those that differ most.
    named = flipped if flips else differences == differences.max(axis=0)
    worst = np.argsort(-(differences * named).max(axis=0), kind="stable")
    tiles = [
        _tile(
            references[i],
            _pick(answers, named[:, i], i),
            images=images,
            spec=spec,
            detector=detector,
        )
        for i in worst[: min(flips or n, COLUMNS * ROWS)].tolist()
    ]
    return write_contact_sheet(tiles, path, columns=COLUMNS, title=_title(flips, len(tiles), n))


def _compare(
    original: NDArray[np.float64], stacked: NDArray[np.float64], spec: ModelSpec
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """For (files, N, K) answers: whether the label flips, and the largest |Δp|; (files, N) each."""
    theirs = decisions(original, spec)
    flipped = np.stack([decisions(scores, spec) != theirs for scores in stacked])
    return flipped, np.abs(stacked - original).max(axis=2)


def _pick(
    answers: Mapping[str, NDArray[np.float64]], named: NDArray[np.bool_], row: int
) -> dict[str, list[float]]:
    """The named files' probabilities for one image."""
    return {
        name: scores[row].tolist()
        for (name, scores), wanted in zip(answers.items(), named, strict=True)
        if wanted
    }


def _title(flips: int, shown: int, n: int) -> str:
    if not flips:
        return (
            f"No disagreement: no file changed a label on {plural(n, 'test image')}. "
            "Here the probability moved most."
        )
    which = f"The worst {shown} are shown. " if shown < flips else ""
    return (
        f"Another label than the original's: {flips:,} of {plural(n, 'test image')}. {which}"
        "Red: only the original is right; green: only the file is."
    )


def _tile(
    reference: Reference,
    found: Mapping[str, Sequence[float]],
    *,
    images: Mapping[str, Path],
    spec: ModelSpec,
    detector: FaceDetector | None,
) -> Tile:
    lines = [f"truth: {reference.label}", f"original: {_answer(reference.scores, spec)}"]
    shown = list(found.items())[:_FILES_NAMED]
    lines += [f"{name}: {_answer(scores, spec)}" for name, scores in shown]
    if len(found) > len(shown):
        lines.append(f"and {plural(len(found) - len(shown), 'more file')}")
    ours = {spec.labels[spec.decide(scores)] for scores in found.values()}
    theirs = spec.labels[spec.decide(reference.scores)]
    return Tile(
        image=preprocess(images[reference.sha256], spec, detector=detector),
        caption="\n".join(lines),
        good=_good(reference.label, theirs, ours),
    )


def _answer(scores: Sequence[float], spec: ModelSpec) -> str:
    answer = spec.decide(scores)
    return f"{spec.labels[answer]} {scores[answer]:.4f}"


def _good(truth: str, original: str, files: set[str]) -> bool | None:
    if original == truth and truth not in files:
        return False
    return True if original != truth and files == {truth} else None
