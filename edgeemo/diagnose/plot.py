"""The plot of a diagnosis: noise and error along the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.report.plots import draw_figure

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.diagnose.report import Diagnosis

_WIDTH = 10.5  # inches
_HEIGHT = 7.2
_NAMED = 40
"""Number of layers up to which each one's name stands below."""

_NAMED_OF_MANY = 10
"""Number of names below a longer network."""

_OWN, _SO_FAR = "#8c959f", "#0969da"
_ALONE, _SAVED = "#bc4c00", "#1a7f37"
_FOUND = "#cf222e"


def plot_network(path: Path, found: Diagnosis) -> Path:
    """Draw the noise and the error of every layer in the order of the network.

    Args:
        path: The PNG to write.
        found: The diagnosis.

    Returns:
        `path`.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    with draw_figure(path, width=_WIDTH, height=_HEIGHT, font_size=11) as drawn:
        noise, error = drawn.subplots(2, 1, sharex=True)
        _draw_noise(noise, found)
        _draw_error(error, found)
        _name_layers(error, found)
    return path


def _draw_noise(axis: Any, found: Diagnosis) -> None:
    for field, colour, label in (
        ("own_sqnr_db", _OWN, "of its own rounding"),
        ("sqnr_db", _SO_FAR, "with everything before it in int8"),
    ):
        points = [
            (number, value)
            for number, layer in enumerate(found.layers)
            if (value := getattr(layer, field)) is not None
        ]
        if points:
            axis.plot(*zip(*points, strict=True), "o-", color=colour, label=label, ms=4, lw=1.5)
    axis.set_ylabel("SQNR, dB")
    axis.set_title("Signal to quantisation noise", loc="left", fontsize=11)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 0.97), fontsize=10)


def _draw_error(axis: Any, found: Diagnosis) -> None:
    places = range(len(found.layers))
    alone = [100 * each.alone for each in found.layers]
    saved = [100 * each.saved for each in found.layers]
    axis.bar([place - 0.2 for place in places], alone, 0.4, color=_ALONE, label="alone in int8")
    axis.bar([place + 0.2 for place in places], saved, 0.4, color=_SAVED, label="saved in float")
    axis.axhline(0, color=_OWN, lw=0.8)
    axis.set_ylabel("share of the error, %")
    axis.set_title("Error of the probabilities", loc="left", fontsize=11)
    axis.grid(alpha=0.3, axis="y")
    axis.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 0.97), fontsize=10)


def _name_layers(axis: Any, found: Diagnosis) -> None:
    """Write the names of the layers, of a long network those with the largest error."""
    apart = -(-len(found.layers) // _NAMED)
    named: list[int] = []
    for number in sorted(range(len(found.layers)), key=lambda each: -found.layers[each].alone):
        if all(abs(number - other) >= apart for other in named):
            named.append(number)
    named = sorted(named[: _NAMED if apart == 1 else _NAMED_OF_MANY])
    axis.set_xticks(named, [found.layers[number].layer for number in named])
    for label, number in zip(axis.get_xticklabels(), named, strict=True):
        label.set(rotation=60, ha="right", rotation_mode="anchor", fontsize=9)
        if found.layers[number].cause is not None:
            label.set(color=_FOUND, fontweight="bold")
    axis.set_xlim(-0.7, len(found.layers) - 0.3)
