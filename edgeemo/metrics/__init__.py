"""How good the answers are, how sure that is, and how far two models agree. numpy only.

Every interval is a 95 % interval. The formulas' sources stand where they are used.

`truth` is always an (N,) integer array of class indices, `predicted` alike, and `scores` an (N, K)
float array of probabilities in the order of the labels.
"""

from edgeemo.metrics.abstention import Abstention, Answered, answered_from, min_confidence_for
from edgeemo.metrics.calibration import Bin, expected_calibration_error, reliability, tempered
from edgeemo.metrics.classification import (
    Averages,
    Classification,
    ClassReport,
    classification_report,
    confusion_matrix,
)
from edgeemo.metrics.intervals import Interval, wilson
from edgeemo.metrics.paired import PairedAccuracy, compare_accuracy, mcnemar
from edgeemo.metrics.ranking import auc, auc_interval

__all__ = [
    "Abstention",
    "Answered",
    "Averages",
    "Bin",
    "ClassReport",
    "Classification",
    "Interval",
    "PairedAccuracy",
    "answered_from",
    "auc",
    "auc_interval",
    "classification_report",
    "compare_accuracy",
    "confusion_matrix",
    "expected_calibration_error",
    "mcnemar",
    "min_confidence_for",
    "reliability",
    "tempered",
    "wilson",
]
