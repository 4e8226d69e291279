"""verify.png: the pictures on which the files differ most from the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeemo.preprocess import preprocess
from edgeemo.sheet import Tile, contact_sheet
from edgeemo.verify.gates import count
from edgeemo.verify.measure import decisions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.records import Reference
    from edgeemo.spec import ModelSpec

COLUMNS, ROWS = 6, 3
_FILES_NAMED = 4  # lines of a caption for files; more would not be read


def draw_worst(
    path: Path,
    references: Sequence[Reference],
    answers: Mapping[str, NDArray[np.float64]],
    *,
    pictures: Mapping[str, Path],
    spec: ModelSpec,
) -> Path:
    """Draw the worst disagreements over all files, as the network sees the pictures.

    Pictures whose label flipped in some file come first, by the largest |Δp|; where there is none,
    those with the largest |Δp| are shown, and the title says so. A red frame means that only the
    original is right, a green one that only the files are.

    Args:
        path: The PNG to write.
        references: N answers of the original.
        answers: File name to (N, K) probabilities.
        pictures: SHA-256 to picture file.
        spec: Gives the labels, the threshold and the size.

    Returns:
        `path`.
    """
    if not answers:
        return contact_sheet([], path, columns=COLUMNS, title="No exported file could be run.")
    original = np.asarray([row.scores for row in references], np.float64)
    stacked = np.stack(list(answers.values()))  # (files, N, K)
    flipped = np.stack([decisions(s, spec) != decisions(original, spec) for s in stacked])
    differences = np.abs(stacked - original).max(axis=2)
    rank = np.lexsort((-differences.max(axis=0), ~flipped.any(axis=0)))
    flips = int(flipped.any(axis=0).sum())
    shown = rank[: min(flips or len(rank), COLUMNS * ROWS)]
    tiles = []
    for i in shown:
        chosen = flipped[:, i] if flips else differences[:, i] == differences[:, i].max()
        found = {name: answers[name][i] for name, yes in zip(answers, chosen, strict=True) if yes}
        picture = preprocess(pictures[references[i].sha256], spec)
        tiles.append(_tile(picture, references[i], found, spec))
    title = _title(flips, len(shown), len(references))
    return contact_sheet(tiles, path, columns=COLUMNS, title=title)


def _title(flips: int, shown: int, n: int) -> str:
    if not flips:
        return (
            f"No disagreement: no file changed a label on {count(n, 'test picture')}. "
            "Here the probability moved most."
        )
    which = f"The worst {shown} are shown. " if shown < flips else ""
    return (
        f"Another label than the original's: {flips:,} of {count(n, 'test picture')}. {which}"
        "Red: only the original is right; green: only the file is."
    )


def _tile(
    picture: NDArray[np.uint8],
    reference: Reference,
    found: Mapping[str, NDArray[np.float64]],
    spec: ModelSpec,
) -> Tile:
    lines = [f"truth: {reference.label}", f"original: {_answer(reference.scores, spec)}"]
    named = list(found.items())[:_FILES_NAMED]
    lines += [f"{name}: {_answer(scores.tolist(), spec)}" for name, scores in named]
    if len(found) > len(named):
        lines.append(f"and {count(len(found) - len(named), 'file')} more")
    ours = {spec.labels[spec.decide(scores.tolist())] for scores in found.values()}
    theirs = spec.labels[spec.decide(reference.scores)]
    return Tile(
        picture=picture, caption="\n".join(lines), good=_good(reference.label, theirs, ours)
    )


def _answer(scores: Sequence[float], spec: ModelSpec) -> str:
    answer = spec.decide(scores)
    return f"{spec.labels[answer]} {scores[answer]:.4f}"


def _good(truth: str, original: str, files: set[str]) -> bool | None:
    if original == truth and truth not in files:
        return False
    return True if original != truth and files == {truth} else None
