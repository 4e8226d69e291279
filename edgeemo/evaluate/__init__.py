"""Evaluate a model on labelled images, and compare several on the same ones.

    >>> from edgeemo.evaluate import evaluate
    >>> found = evaluate("models/mine", "faces")  # doctest: +SKIP
    >>> print(found.overall.accuracy)  # doctest: +SKIP
    0.835 (0.764 to 0.887)

Images are predicted as ``edgeemo predict`` does it, by the same code, so the figures are those of
the device. Needs no TensorFlow. A name is imported when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use, make_callable

if TYPE_CHECKING:
    from edgeemo.evaluate.comparison import compare
    from edgeemo.evaluate.comparison_report import Comparison
    from edgeemo.evaluate.evaluation import evaluate
    from edgeemo.evaluate.gates import EvaluationGates, raise_for_gates
    from edgeemo.evaluate.labelled import ClassChoice
    from edgeemo.evaluate.loading import load_classifier
    from edgeemo.evaluate.options import EvaluationOptions
    from edgeemo.evaluate.report import Evaluation
    from edgeemo.evaluate.slices import SliceBy

__all__ = [
    "ClassChoice",
    "Comparison",
    "Evaluation",
    "EvaluationGates",
    "EvaluationOptions",
    "SliceBy",
    "compare",
    "evaluate",
    "load_classifier",
    "raise_for_gates",
]

__getattr__ = import_on_use(
    __name__,
    {
        "ClassChoice": "edgeemo.evaluate.labelled",
        "Comparison": "edgeemo.evaluate.comparison_report",
        "Evaluation": "edgeemo.evaluate.report",
        "EvaluationGates": "edgeemo.evaluate.gates",
        "EvaluationOptions": "edgeemo.evaluate.options",
        "SliceBy": "edgeemo.evaluate.slices",
        "compare": "edgeemo.evaluate.comparison",
        "evaluate": "edgeemo.evaluate.evaluation",
        "load_classifier": "edgeemo.evaluate.loading",
        "raise_for_gates": "edgeemo.evaluate.gates",
    },
)

make_callable(__name__)
