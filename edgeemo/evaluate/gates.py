"""Gates of an evaluation: figures that have to be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.errors import GateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.evaluate.report import Evaluation


@dataclass(frozen=True, kw_only=True)
class EvaluationGates:
    """Figures that an evaluation has to reach; None sets no gate.

    A figure itself is judged, not an end of its interval. One that is undefined misses its gate.

    Attributes:
        min_accuracy: Smallest share of right labels among the predicted ones.
        min_balanced_accuracy: Smallest mean of that share over the classes.
        min_recall: Smallest of that share in any class with images.
        min_auc: Smallest area under the ROC curve.
        min_coverage: Smallest share of images with a predicted label.
        max_calibration_error: Largest calibration error.
    """

    min_accuracy: float | None = None
    min_balanced_accuracy: float | None = None
    min_recall: float | None = None
    min_auc: float | None = None
    min_coverage: float | None = None
    max_calibration_error: float | None = None

    def list_failures(self, found: Evaluation) -> tuple[str, ...]:
        """Return the gates that an evaluation misses, in words."""
        return tuple(self._list_failures(found))

    def _list_failures(self, found: Evaluation) -> Iterator[str]:
        accuracy = found.overall.accuracy.value if found.overall.accuracy.n else None
        coverage = found.overall.coverage.value
        yield from _judge("accuracy", accuracy, minimum=self.min_accuracy)
        balanced = found.balanced_accuracy.value if found.balanced_accuracy.n else None
        yield from _judge("balanced accuracy", balanced, minimum=self.min_balanced_accuracy)
        for label, each in found.per_class.items():
            if sum(found.confusion[label].values()):
                recall = each.recall.value if each.recall.n else None
                yield from _judge(f"recall of {label}", recall, minimum=self.min_recall)
        yield from _judge("AUC", found.auc.value if found.auc else None, minimum=self.min_auc)
        yield from _judge("coverage", coverage, minimum=self.min_coverage)
        gap = found.calibration.error.value if found.calibration else None
        yield from _judge("calibration error", gap, maximum=self.max_calibration_error)


def raise_for_gates(failures: tuple[str, ...]) -> None:
    """Do nothing without failures.

    Raises:
        GateError: If there is one.
    """
    if failures:
        raise GateError(f"not passed: {'; '.join(failures)}")


def _judge(
    name: str, value: float | None, *, minimum: float | None = None, maximum: float | None = None
) -> Iterator[str]:
    if minimum is None and maximum is None:
        return
    if value is None:
        yield f"{name} is undefined"
    elif minimum is not None and value < minimum:
        yield f"{name} {value:.4f} is less than {minimum:g}"
    elif maximum is not None and value > maximum:
        yield f"{name} {value:.4f} is more than {maximum:g}"
