"""A table of accuracies, row by row."""

from __future__ import annotations

import numpy as np

from edgeemo.metrics import wilson_interval
from edgeemo.utils.text import markdown_head, markdown_row

HEAD = "\n".join(markdown_head(["images", "n", "accuracy (95 % interval)", "balanced"]))


def accuracy_row(name: str, predicted: np.ndarray, truth: np.ndarray) -> str:
    """Return the accuracy, its interval, and the balanced accuracy: the mean over the classes."""
    correct = predicted == truth
    share = wilson_interval(int(correct.sum()), len(correct))
    balanced = np.mean([correct[truth == label].mean() for label in np.unique(truth)])
    accuracy = f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"
    return markdown_row([name, len(correct), accuracy, f"{balanced:.3f}"])
