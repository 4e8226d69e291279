"""Quality measures of classifiers: accuracy, calibration, abstention and comparison. numpy only.

Every interval is a 95 % interval. The sources of the formulas stand where they are used.

`truth` and `predicted` are (N,) integer arrays of class indices, `scores` is an (N, K) float array
of probabilities in the order of the labels.
"""

from edgeemo.metrics.abstention import (
    Abstention,
    SelectiveAccuracy,
    find_min_confidence,
    measure_selective_accuracy,
)
from edgeemo.metrics.assignment import assign_columns
from edgeemo.metrics.calibration import (
    ReliabilityBin,
    apply_temperature,
    bin_by_confidence,
    choose_bins,
    expected_calibration_error,
    softmax,
    to_logits,
)
from edgeemo.metrics.calibration_error import CalibrationError, measure_calibration_error
from edgeemo.metrics.classification import (
    ClassificationReport,
    ClassMetrics,
    PrecisionRecallF1,
    confusion_matrix,
    measure_classification,
)
from edgeemo.metrics.intervals import Interval, wilson_interval
from edgeemo.metrics.paired import PairedAccuracy, compare_accuracy, mcnemar_p_value
from edgeemo.metrics.ranking import auc, auc_interval

__all__ = [
    "Abstention",
    "CalibrationError",
    "ClassMetrics",
    "ClassificationReport",
    "Interval",
    "PairedAccuracy",
    "PrecisionRecallF1",
    "ReliabilityBin",
    "SelectiveAccuracy",
    "apply_temperature",
    "assign_columns",
    "auc",
    "auc_interval",
    "bin_by_confidence",
    "choose_bins",
    "compare_accuracy",
    "confusion_matrix",
    "expected_calibration_error",
    "find_min_confidence",
    "mcnemar_p_value",
    "measure_calibration_error",
    "measure_classification",
    "measure_selective_accuracy",
    "softmax",
    "to_logits",
    "wilson_interval",
]
