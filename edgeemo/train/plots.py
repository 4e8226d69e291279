"""The report's pictures, as PNG. No pyplot: nothing global is drawn on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import MissingExtraError
from edgeemo.quiet import quiet
from edgeemo.records import SPLITS
from edgeemo.sheet import Tile, contact_sheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.records import Split
    from edgeemo.spec import ModelSpec
    from edgeemo.train.evaluation import Evaluation
    from edgeemo.train.fit import Fitted
    from edgeemo.train.pipeline import Pixels

_TONES = {"train": "#0969da", "validation": "#bf8700", "test": "#1a7f37"}
_SAMPLES = 12
_BATCH = 24
_DPI = 120
_WIDEST = 20.0  # inches
_LEGIBLE = 22  # with more classes than this, numbers in the cells would overlap
_UPRIGHT = 10  # and with more than this, names below the bars


def plot_curves(path: Path, fitted: Fitted) -> Path:
    """Loss and accuracy of each epoch, on the training and the validation split."""
    with _figure(path, width=9.6, height=4.0, columns=2) as (figure, axes):
        epochs = [entry.epoch for entry in fitted.history]
        for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
            for split, prefix in (("train", ""), ("validation", "val_")):
                values = [getattr(entry, prefix + name) for entry in fitted.history]
                if None not in values:
                    axis.plot(epochs, values, "o-", ms=4, color=_TONES[split], label=split)
            axis.axvline(
                fitted.best_epoch, color="#57606a", ls="--", lw=1, label="best epoch, kept"
            )
            axis.set(xlabel="epoch", title=name.capitalize())
            axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
            axis.grid(alpha=0.3)
        axes[0].set_ylabel("cross-entropy, nats per picture")
        axes[1].set_ylabel("share of pictures answered rightly")
        axes[0].legend(frameon=False)
        figure.suptitle("How the training went (the training split is measured while learning)")
    return path


def plot_confusion(path: Path, evaluation: Evaluation, *, labels: Sequence[str]) -> Path:
    """Counts of true against predicted class on the test split, shaded by share of the row."""
    counts = np.array(evaluation.report.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(3.4 + 0.75 * len(labels), _WIDEST)
    with _figure(path, width=side + 1, height=side) as (figure, axes):
        axis = axes[0]
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
            axis.text(column, row, text, ha="center", va="center", color=tone)
        axis.set(
            xlabel="predicted", ylabel="true", title=f"Confusion on {counts.sum():,} test pictures"
        )
        figure.colorbar(image, ax=axis, label="share of the true class", shrink=0.8)
    return path


def plot_classes(path: Path, counts: Mapping[str, Mapping[str, int]]) -> Path:
    """Number of pictures per class and split."""
    labels = list(counts["train"])
    width = min(max(6.4, 2.4 + 1.3 * len(labels)), _WIDEST)
    with _figure(path, width=width, height=4.2) as (figure, axes):
        axis = axes[0]
        places = np.arange(len(labels))
        for number, split in enumerate(SPLITS):
            values = [counts[split].get(label, 0) for label in labels]
            bars = axis.bar(
                places + (number - 1) * 0.27, values, 0.25, color=_TONES[split], label=split
            )
            axis.bar_label(bars, [f"{value:,}" for value in values], padding=2, fontsize=8)
        axis.set_xticks(places, labels, rotation=35 if len(labels) > _UPRIGHT else 0)
        axis.set(ylabel="pictures", title="Pictures per class and split")
        axis.margins(y=0.1)
        axis.grid(axis="y", alpha=0.3)
        axis.set_axisbelow(True)
        figure.legend(loc="outside lower center", frameon=False, ncols=3)
    return path


def sample_sheet(path: Path, pixels: Mapping[Split, Pixels], *, spec: ModelSpec, seed: int) -> Path:
    """Twelve pictures with their labels, the classes in turn, as the network sees them."""
    train = pixels["train"]
    tiles = [
        Tile(picture=train.rows[row], caption=spec.labels[train.truth[row]])
        for row in _in_turn(train.truth, len(spec.labels), seed)[:_SAMPLES]
    ]
    title = f"{len(tiles)} training pictures with their labels, as the network sees them"
    return contact_sheet(tiles, path, columns=6, title=title)


def prediction_sheet(
    path: Path, test: Pixels, evaluation: Evaluation, *, spec: ModelSpec, seed: int
) -> Path:
    """A batch of test pictures: predicted against true."""
    rows = np.random.default_rng(seed).permutation(len(test))[:_BATCH]
    tiles = []
    for row in rows:
        predicted, truth = (spec.labels[which[row]] for which in (evaluation.predicted, test.truth))
        score = evaluation.scores[row, evaluation.predicted[row]]
        tiles.append(
            Tile(
                picture=test.rows[row],
                caption=f"{predicted} {score:.0%}\ntruly {truth}",
                good=predicted == truth,
            )
        )
    right = sum(bool(tile.good) for tile in tiles)
    title = f"{len(tiles)} test pictures: the answer, and what is true ({right} right)"
    return contact_sheet(tiles, path, columns=6, title=title)


def _in_turn(truth: NDArray[np.int64], classes: int, seed: int) -> list[int]:
    """Row numbers, shuffled, one of each class after the other as long as they last."""
    order = np.random.default_rng(seed).permutation(len(truth))
    rank = np.zeros(len(truth), np.int64)
    for label in range(classes):
        of_class = order[truth[order] == label]
        rank[of_class] = np.arange(len(of_class))
    return sorted(range(len(truth)), key=lambda row: (rank[row], truth[row]))


@contextmanager
def _figure(path: Path, *, width: float, height: float, columns: int = 1) -> Iterator[Any]:
    """A new figure (size in inches) with `columns` axes in a list; saved when the block ends."""
    matplotlib, figure_class = _matplotlib()
    with matplotlib.rc_context({"text.parse_math": False, "font.size": 10}):  # "$" in class names
        figure = figure_class(figsize=(width, height), layout="constrained")
        yield figure, list(figure.subplots(1, columns, squeeze=False)[0])
        figure.savefig(path, dpi=_DPI, format="png")


def _matplotlib() -> Any:
    try:
        with quiet():  # it may say that it builds its font cache
            import matplotlib as mpl
            from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", extra="train", purpose="drawing plots") from None
    return mpl, Figure
