"""Plots of the report, as PNG files in a model folder."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.metrics import wilson_interval
from edgeemo.model.folder import PLOTS
from edgeemo.model.tables import SPLITS
from edgeemo.report.document import Plot
from edgeemo.report.plots import draw_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgeemo.metrics import ReliabilityBin
    from edgeemo.train.loop.callbacks import FitResult
    from edgeemo.train.loop.history import Epoch
    from edgeemo.train.report.calibration import CalibrationReport
    from edgeemo.train.report.evaluation import Evaluation

_TONES = {"train": "#0969da", "validation": "#bf8700", "test": "#1a7f37"}
_GREY = "#57606a"
_WIDTH = 6.0  # inches; what a phone shows half as large stays legible
_WIDEST = 20.0
_CELL_SIZE = 13  # of the numbers in a confusion matrix, in points: the most important ones
_LEGIBLE = 22  # with more classes than this, numbers in the cells would overlap
_UPRIGHT = 7  # and with more than this, names below the bars


_draw_figure = partial(draw_figure, font_size=12)


def plot_curves(folder: Path, fitted: FitResult) -> Plot:
    """Draw loss and accuracy of each epoch on the training and the validation split."""
    path = f"{PLOTS}/curves.png"
    with _draw_figure(folder / path, width=_WIDTH, height=6.6) as drawn:
        loss, accuracy = drawn.subplots(2, 1, sharex=True)
        _draw_curves(loss, fitted, "loss")
        _draw_curves(accuracy, fitted, "accuracy")
        loss.set(ylabel="loss per image, nats", title="Loss")
        accuracy.set(xlabel="epoch", ylabel="share predicted rightly", title="Accuracy")
        loss.legend(frameon=False)
        drawn.suptitle("Training curves\n(the training split is measured during the epoch)")
    return Plot(path, f"Loss and accuracy of each of {len(fitted.history)} epochs")


def plot_metrics(folder: Path, fitted: FitResult) -> Plot:
    """Draw the other tracked metrics, of which there is at least one, below each other."""
    path = f"{PLOTS}/metrics.png"
    names = [name for name in fitted.history[0].tracked if not name.startswith("val_")]
    with _draw_figure(folder / path, width=_WIDTH, height=0.8 + 2.6 * len(names)) as drawn:
        axes = drawn.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        for axis, name in zip(axes, names, strict=True):
            _draw_curves(axis, fitted, name)
            axis.set(title=name.replace("_", " ").capitalize())
        axes[-1].set_xlabel("epoch")
        axes[0].legend(frameon=False)
    return Plot(path, f"{', '.join(names)} of each of {len(fitted.history)} epochs")


def plot_confusion(folder: Path, evaluation: Evaluation, *, labels: Sequence[str]) -> Plot:
    """Draw the confusion matrix of the test split, shaded by share of the true class."""
    path = f"{PLOTS}/confusion.png"
    counts = np.array(evaluation.report.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(2.6 + 0.75 * len(labels), _WIDEST)
    title = f"Confusion on {counts.sum():,} test images"
    with _draw_figure(folder / path, width=side + 1, height=side) as drawn:
        axis = drawn.subplots()
        image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        places = range(len(labels))
        axis.set_xticks(places, labels, rotation=35 if len(labels) > 2 else 0)
        axis.set_yticks(places, labels)
        if len(labels) > 2:
            for tick in axis.get_xticklabels():
                tick.set(ha="right", rotation_mode="anchor")
        for row, column in np.ndindex(counts.shape) if len(labels) <= _LEGIBLE else ():
            tone = "white" if shares[row, column] > 0.55 else "#1f2328"
            text = f"{counts[row, column]:,}\n{shares[row, column]:.0%}"
            axis.text(column, row, text, ha="center", va="center", color=tone, fontsize=_CELL_SIZE)
        axis.set(xlabel="predicted", ylabel="true", title=title)
        drawn.colorbar(image, ax=axis, label="share of the true class", shrink=0.8)
    return Plot(path, title)


def plot_reliability(folder: Path, calibration: CalibrationReport) -> Plot:
    """Draw confidence against accuracy on the test split, with the temperature and without."""
    path = f"{PLOTS}/reliability.png"
    with _draw_figure(folder / path, width=_WIDTH, height=6.2) as drawn:
        axis = drawn.subplots()
        axis.plot([0, 1], [0, 1], ls="--", lw=1, color=_GREY, label="confidence = accuracy")
        error = f"calibration error\n{calibration.error.text}"
        if calibration.temperature != 1:
            label = f"before: calibration error {calibration.ece_before:.3f}"
            confidence = [each.confidence for each in calibration.reliability_before]
            right = [each.accuracy for each in calibration.reliability_before]
            axis.plot(confidence, right, "s", ms=5, mfc="none", color=_GREY, label=label)
            error = f"with temperature {calibration.temperature:.3g}: {error}"
        _draw_bins(axis, calibration.reliability_after, color=_TONES["test"], label=error)
        if calibration.min_confidence:
            axis.axvspan(0, calibration.min_confidence, color=_GREY, alpha=0.1, label="“not sure”")
        axis.set(
            xlim=(0, 1.02),
            ylim=(-0.02, 1.02),
            xlabel="confidence: probability of the predicted label",
            ylabel="share predicted rightly, 95 % interval",
            title=f"Confidence on {calibration.selective_accuracy.coverage.n:,} test images",
        )
        axis.grid(alpha=0.3)
        drawn.legend(loc="outside lower center", frameon=False)
    return Plot(path, "Reliability diagram: accuracy at each confidence")


def plot_classes(folder: Path, counts: Mapping[str, Mapping[str, int]]) -> Plot:
    """Draw the number of images per class and split."""
    path = f"{PLOTS}/classes.png"
    labels = list(counts["train"])
    width = min(max(_WIDTH, 2.4 + 0.8 * len(labels)), _WIDEST)
    with _draw_figure(folder / path, width=width, height=4.2) as drawn:
        axis = drawn.subplots()
        places = np.arange(len(labels))
        for number, split in enumerate(SPLITS):
            values = [counts[split].get(label, 0) for label in labels]
            bars = axis.bar(
                places + (number - 1) * 0.27, values, 0.25, color=_TONES[split], label=split
            )
            axis.bar_label(bars, [f"{value:,}" for value in values], padding=2, fontsize=9)
        axis.set_xticks(places, labels, rotation=35 if len(labels) > _UPRIGHT else 0)
        axis.set(ylabel="images", title="Images per class and split")
        axis.margins(y=0.1)
        axis.grid(axis="y", alpha=0.3)
        axis.set_axisbelow(True)
        drawn.legend(loc="outside lower center", frameon=False, ncols=3)
    return Plot(path, "Images per class and split")


def _draw_curves(axis: Any, fitted: FitResult, name: str) -> None:
    """Draw one value of each epoch on the splits that have it, and mark the best epoch."""
    epochs = [entry.epoch for entry in fitted.history]
    for split, prefix in (("train", ""), ("validation", "val_")):
        values = [_read_value(entry, prefix + name) for entry in fitted.history]
        if None not in values:
            axis.plot(epochs, values, "o-", ms=4, color=_TONES[split], label=split)
    axis.axvline(fitted.best_epoch, color=_GREY, ls="--", lw=1, label="best epoch")
    axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axis.grid(alpha=0.3)


def _read_value(entry: Epoch, name: str) -> float | None:
    """Return loss, accuracy or a tracked metric of an epoch; None without it."""
    return entry.tracked[name] if name in entry.tracked else getattr(entry, name, None)


def _draw_bins(axis: Any, bins: Sequence[ReliabilityBin], *, color: str, label: str) -> None:
    """Draw points with the interval of the accuracy of each bin."""
    accuracy = [each.accuracy for each in bins]
    around = [wilson_interval(round(each.accuracy * each.count), each.count) for each in bins]
    # Images that share one confidence share an accuracy, too: it need not be a whole count's.
    below = [max(0.0, each.accuracy - found.low) for each, found in zip(bins, around, strict=True)]
    above = [max(0.0, found.high - each.accuracy) for each, found in zip(bins, around, strict=True)]
    confidence = [each.confidence for each in bins]
    axis.errorbar(
        confidence,
        accuracy,
        [below, above],
        fmt="o",
        ms=5,
        elinewidth=0.9,
        color=color,
        label=label,
    )
