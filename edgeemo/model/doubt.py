"""Doubt about labels or scaling of an imported model, as ``training.json`` has it.

Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.model.scaling import Scaling, read_scaling
from edgeemo.utils.strict_json import require, require_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES: Mapping[str, type] = {"accuracy": float, "better": float, "n": int, "labels": list}


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Labels or a scaling that fit the images far better than those that were given.

    Attributes:
        accuracy: Accuracy as given, 0 to 1.
        better: Accuracy with the others.
        n: Number of images of both.
        labels: The labels in another order; None where the given one fits.
        scaling: The other scaling; None where the given one fits.
    """

    accuracy: float
    better: float
    n: int
    labels: tuple[str, ...] | None = None
    scaling: Scaling | None = None

    def to_record(self) -> dict[str, Any]:
        """Return it as the entry "doubt" of ``training.json``."""
        record: dict[str, Any] = {
            "accuracy": self.accuracy, "better": self.better, "n": self.n
        }  # fmt: skip
        if self.labels is not None:
            record["labels"] = list(self.labels)
        return record | (self.scaling.to_record() if self.scaling is not None else {})

    def __str__(self) -> str:
        changes = [
            "with the labels in another order" if self.labels is not None else "",
            f"with {self.scaling}" if self.scaling is not None else "",
        ]
        return (
            f"the accuracy is {self.accuracy:.1%} on {self.n} images, but {self.better:.1%} "
            f"{' and '.join(filter(None, changes))}"
        )


def read_doubt(recorded: Mapping[str, Any]) -> Doubt | None:
    """Return the doubt in the content of ``training.json``; None if it has none.

    Raises:
        ValueError: If it is malformed.
    """
    if recorded.get("doubt") is None:
        return None
    fields = require_fields(recorded["doubt"], _TYPES, "doubt")
    try:
        labels = fields.get("labels")
        return Doubt(
            accuracy=fields["accuracy"],
            better=fields["better"],
            n=fields["n"],
            labels=tuple(require(each, str, "labels") for each in labels) if labels else None,
            scaling=read_scaling(fields),
        )
    except KeyError as error:
        raise ValueError(f"doubt: {error} is missing") from None
