"""What the network looks at in its worst mistakes and in other test images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image

from edgeemo.metrics import to_logits
from edgeemo.model.keras_engine import predict_at_once
from edgeemo.report.document import Section, Text, Tile
from edgeemo.report.thumbnail import to_rgb
from edgeemo.train.networks.cost import measure_costs
from edgeemo.train.report.galleries import describe_prediction, draw_gallery
from edgeemo.train.report.occlusion import (
    BORDER_AREA,
    POSITIONS,
    Importance,
    average_importance,
    measure_importance,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.model.spec import ModelSpec
    from edgeemo.report.document import Gallery
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.report.content import IllustratedReport
    from edgeemo.train.report.evaluation import Evaluation

MOST_MISTAKES, MOST_OTHERS = 8, 24

_BUDGET = 60e9
"""Multiply-adds that all images may cost: a few seconds."""
_TONE = (255, 0, 0)
_OPAQUE = 0.7
_MUCH = 0.7
"""Share of the importance in the border from which the network looks at the background."""
_FEW = 4
"""Number of images whose mean says something about others."""


@dataclass(frozen=True, kw_only=True)
class Attention:
    """What the network looks at in test images, by occlusion.

    Attributes:
        images: Number of test images, mistakes or not, that were drawn at random.
        border_share: Share of the border, an eighth of the side, in their mean importance.
        border_area: Share of the border in the area of an image.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("is_border",)

    images: int
    border_share: float
    border_area: float

    @property
    def is_border(self) -> bool:
        """Return whether the network looks at the border more than anywhere else."""
        return self.images >= _FEW and self.border_share >= _MUCH


def draw_attention(
    folder: Path, model: Any, test: Pixels, *, evaluation: Evaluation, spec: ModelSpec, seed: int
) -> tuple[Attention | None, Gallery | None]:
    """Measure and draw what the network looks at.

    Args:
        folder: The model folder.
        model: The reference model.
        test: The test split.
        evaluation: Evaluation of it.
        spec: Spec of the model.
        seed: Seed of the choice of the images that are averaged.

    Returns:
        The figures, None without a test image; and the mean of the images with the worst mistakes,
        in which the important places are red, None where nothing matters.
    """
    most = _count_affordable(model)
    mistakes = evaluation.rank_mistakes()[: min(MOST_MISTAKES, most)].tolist()
    others = np.random.default_rng(seed).permutation(len(test)).tolist()
    others = others[: max(0, min(MOST_OTHERS, most - len(mistakes)))]
    measure = partial(_measure_row, model, test, evaluation=evaluation, spec=spec)
    seen = [found for found in map(measure, others) if found.decrease]
    tiles = [_draw_mean(test, others, seen)] if seen else []
    tiles += [_draw_tile(test, row, measure(row), evaluation, spec) for row in mistakes]
    if not tiles:
        return None, None
    title = "Red: the places that speak for the prediction"
    attention = Attention(
        images=len(seen),
        border_share=average_importance(seen).border_share if seen else 0.0,
        border_area=BORDER_AREA,
    )
    return attention, draw_gallery(folder, "attention", tiles, title=title)


def describe_attention(page: IllustratedReport) -> list[Section]:
    """Return the section on what the network looks at; none without images."""
    found, images = page.report.attention, page.select_images("attention")
    if found is None or not images:
        return []
    text = [
        "Red are the places that speak for the prediction: covering them lowers its log-odds most "
        "(occlusion). Red on the face is right; red in the background, in corners or on text is a "
        "shortcut, which fails on other images."
    ]
    if found.images >= _FEW:
        text.append(
            f"The first tile is the mean of {found.images:,} test images. An eighth on each side, "
            f"{found.border_area:.0%} of the area, holds {found.border_share:.0%} of what matters."
        )
    return [Section("What the network looks at", [Text(" ".join(text)), *images])]


def _count_affordable(model: Any) -> int:
    """Return the number of images whose occlusion takes seconds; at least one."""
    cost = max(measure_costs(model).multiply_adds, 1) * POSITIONS
    return max(1, int(min(_BUDGET // cost, MOST_MISTAKES + MOST_OTHERS)))


def _measure_row(
    model: Any, test: Pixels, row: int, *, evaluation: Evaluation, spec: ModelSpec
) -> Importance:
    label = int(evaluation.predicted[row])

    def measure_log_odds(images: NDArray[np.float32]) -> NDArray[np.float64]:
        outputs = predict_at_once(model, images)
        scores = np.array([spec.scores(each) for each in outputs.tolist()])
        pair = np.stack([scores[:, label], 1 - scores[:, label]], axis=1)
        odds = to_logits(pair)
        return np.asarray(odds[:, 0] - odds[:, 1], np.float64)

    return measure_importance(test.rows[row] * np.float32(spec.scale), measure_log_odds)


def _draw_tile(
    test: Pixels, row: int, found: Importance, evaluation: Evaluation, spec: ModelSpec
) -> Tile:
    caption = describe_prediction(
        spec.labels[evaluation.predicted[row]],
        evaluation.confidence[row],
        spec.labels[evaluation.truth[row]],
    )
    if not found.decrease:
        caption += "\nno place in particular"
    return Tile(image=paint_importance(test.rows[row], found), caption=caption, good=False)


def _draw_mean(test: Pixels, rows: list[int], found: list[Importance]) -> Tile:
    mean = np.mean([test.rows[row] for row in rows], axis=0).round().astype(np.uint8)
    caption = f"mean of {len(found)}\ntest images"
    return Tile(image=paint_importance(mean, average_importance(found)), caption=caption)


def paint_importance(pixels: NDArray[np.uint8], found: Importance) -> Image.Image:
    """Return an image in grey with its important places in red.

    Args:
        pixels: (H, W, C) uint8 with C of 1 (grey) or 3 (RGB).
        found: Importance of (H, W) places.
    """
    grey = np.asarray(to_rgb(pixels).convert("L").convert("RGB"), np.float64)
    opaque = _OPAQUE * found.positive[..., None]
    painted = grey * (1 - opaque) + np.array(_TONE) * opaque
    return Image.fromarray(painted.round().astype(np.uint8))
