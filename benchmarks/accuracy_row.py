"""A row of a table of accuracies."""

from __future__ import annotations

import numpy as np

from edgeemo.metrics import wilson_interval

HEAD = "| images | n | accuracy (95 % interval) | balanced |\n|---|---:|---:|---:|"


def accuracy_row(name: str, found: np.ndarray, truth: np.ndarray) -> str:
    """The share of right answers, its interval, and the mean of the classes' shares."""
    right = found == truth
    share = wilson_interval(int(right.sum()), len(right))
    balanced = np.mean([right[truth == label].mean() for label in np.unique(truth)])
    accuracy = f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"
    return f"| {name} | {len(right)} | {accuracy} | {balanced:.3f} |"
