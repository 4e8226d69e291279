"""A diagnosis as tables, for a terminal and for a page: headings and rows of text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgeemo.diagnose.report import Diagnosis, LayerDiagnosis, WorstImage

TableText = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Headings of the columns, and rows of cells."""

LEGEND = (
    "SQNR is the ratio of signal to quantisation noise in dB: of the layer's own rounding, and so "
    "far, with everything before it in int8. alone is the error of the probabilities (mean square "
    "of Δp) with this layer alone in int8, saved the part of it that goes away with this layer "
    "alone in float, both as shares of the whole error."
)
_LAYERS = ("layer", "range", "clipped", "SQNR", "so far", "alone", "saved")
_DROPPED = ("range", "so far", "clipped")
"""Columns that a narrow terminal leaves out, in this order."""

_LEAST_CLIPPED = 5e-5
"""Least share of clipped values that is shown."""

_MOST_SHARE = 10.0
"""Largest share that is shown as it is."""

_WORST = ("image", "class", "float32", "int8", "|Δp|")


def name_file(found: Diagnosis) -> str:
    """Return the name of the model's folder and file."""
    path = Path(found.file)
    return f"{path.parent.name}/{path.name}"


def describe_outcome(found: Diagnosis) -> str:
    """Return how far int8 departs from float, as a sentence."""
    return (
        f"{plural(found.flips, 'flip')} on {plural(found.n, 'image')}; |Δp| is at most "
        f"{found.max_difference:.2g}, {found.mean_difference:.2g} in the mean"
    )


def describe_replay(found: Diagnosis) -> str:
    """Return how closely the replay of the roundings is the file, as a sentence."""
    if not found.replay_difference:
        return "the float network with the roundings of the file gives exactly its probabilities"
    flips = f"; {plural(found.replay_flips, 'other label')}" if found.replay_flips else ""
    return (
        f"the float network with the roundings of the file gives its probabilities within "
        f"{found.replay_difference:.2g}{flips}"
    )


def choose_layers(found: Diagnosis, at_most: int) -> list[LayerDiagnosis]:
    """Return the layers with the largest error alone, in the order of the network."""
    largest = sorted(found.layers, key=lambda each: -each.alone)[:at_most]
    return [each for each in found.layers if each in largest]


def tabulate_layers(layers: Iterable[LayerDiagnosis], *, width: int | None = None) -> TableText:
    """Return the figures of some layers.

    Args:
        layers: The layers.
        width: Number of columns of the terminal; those that do not fit are left out.
    """
    rows = [_build_row(each) for each in layers]
    kept = list(range(len(_LAYERS)))
    for name in _DROPPED:
        widths = [max(len(row[each]) for row in (_LAYERS, *rows)) for each in kept]
        if width is None or sum(widths) + 2 * (len(kept) - 1) <= width:
            break
        kept.remove(_LAYERS.index(name))
    head, *body = [tuple(row[each] for each in kept) for row in (_LAYERS, *rows)]
    return head, body


def _build_row(layer: LayerDiagnosis) -> tuple[str, ...]:
    known = layer.low is not None and layer.high is not None
    return (
        layer.layer,
        f"{layer.low:.3g} to {layer.high:.3g}" if known else "",
        f"{layer.clipped:.2%}" if layer.clipped >= _LEAST_CLIPPED else "",
        _format_db(layer.own_sqnr_db),
        _format_db(layer.sqnr_db),
        _format_share(layer.alone),
        _format_share(layer.saved),
    )


def _format_db(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _format_share(value: float) -> str:
    if abs(value) < _MOST_SHARE:
        return f"{value:.1%}"
    return f"{'> ' if value > 0 else '< -'}{_MOST_SHARE:.0%}"


def tabulate_worst(images: Sequence[WorstImage]) -> TableText:
    """Return the images with the largest differences, with their classes where they are known."""
    rows: list[tuple[str, ...]] = [
        (
            each.path,
            each.label,
            f"{each.float_label} {each.float_score:.3f}",
            f"{each.int8_label} {each.int8_score:.3f}",
            f"{each.difference:.3f}",
        )
        for each in images
    ]
    if any(each.label for each in images):
        return _WORST, rows
    return (_WORST[0], *_WORST[2:]), [(row[0], *row[2:]) for row in rows]
