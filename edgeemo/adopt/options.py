"""What a finished model file may not tell: its labels, and how pixels become its input."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from edgeemo.errors import AdoptError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.adoption import Layout

Activation: TypeAlias = Literal["sigmoid", "softmax", "logit"]


@dataclass(frozen=True, kw_only=True)
class AdoptOptions:
    """Properties of a model that its file may not tell; each unset one is read from the file.

    Attributes:
        labels: Labels in the order of the outputs. With one output, it is the probability of the
            second.
        scale: Factor of a pixel, 0 to 255, in the training of the model: one, or one per channel
            in the order of the model's channels.
        offset: Addend after that, likewise; 0 where there is none.
        layout: Order of the input's axes; None reads it from the shape.
        bgr: Whether the model takes blue first.
        activation: "sigmoid" (one output), "softmax" (one per label) or "logit" (either, before
            its sigmoid or softmax); None judges by the last operator.
        threshold: With two labels, the probability from which on the second is predicted.
        background: The label of images that belong to none of the others; None if there is none.

    Raises:
        AdoptError: If values contradict each other.
    """

    labels: tuple[str, ...] = ()
    scale: tuple[float, ...] = ()
    offset: tuple[float, ...] = ()
    layout: Layout | None = None
    bgr: bool = False
    activation: Activation | None = None
    threshold: float = 0.5
    background: str | None = None

    def __post_init__(self) -> None:
        problem = next((text for wrong, text in self._checks() if wrong), "")
        if problem:
            raise AdoptError(problem)

    def _checks(self) -> tuple[tuple[bool, str], ...]:
        repeated = _find_repeated(self.labels)
        return (
            (bool(repeated), f"--labels has {repeated!r} twice; every label is another one"),
            (
                len(self.labels) == 1,
                f"--labels has one label, {', '.join(self.labels)!r}, and names no file; name all",
            ),
            (
                len(self.scale) not in (0, 1, 3),
                f"--scale must be 1 number or 3, not {len(self.scale)}",
            ),
            (
                not all(math.isfinite(each) and each > 0 for each in self.scale),
                f"--scale must be more than 0, not {_list(self.scale)}",
            ),
            (
                len(self.offset) not in (0, 1, 3),
                f"--offset must be 1 number or 3, not {len(self.offset)}",
            ),
            (
                not all(map(math.isfinite, self.offset)),
                f"--offset must be finite, not {_list(self.offset)}",
            ),
            (bool(self.offset) and not self.scale, "--offset requires --scale"),
        )


def _find_repeated(labels: Sequence[str]) -> str:
    return next((label for place, label in enumerate(labels) if label in labels[:place]), "")


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
