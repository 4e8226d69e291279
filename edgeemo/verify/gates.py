"""How far an exported file may be from the original, by the kind of its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from edgeemo.model.container import Kind
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.verify.measure import Comparison

KINDS: tuple[Kind, ...] = get_args(Kind)
BACKBONES = frozenset(
    {"mobilenet-v3-small", "mobilenet-v2", "efficientnet-b0", "resnet50", "vgg16"}
)
"""Architectures with the float gates of `Gates.for_architecture`: this room knows them by name, as
``training.json`` records it, since the networks themselves are the train room's."""

PROVEN_FROM = 300
"""From this many test images on, one flip in a hundred says something about 99 % agreement."""


@dataclass(frozen=True, kw_only=True)
class Gates:
    """What a file has to keep to in order to pass.

    "Δp" is the difference between two probabilities, 0 to 1; a flip is an image that gets another
    label than the original gave.

    Attributes:
        float32_max_dp: Largest `|Δp|` of a float32 file.
        float32_max_flips: Most flips of a float32 file.
        float16_max_dp: Largest `|Δp|` of a float16 file.
        float16_max_flips: Most flips of a float16 file; None for 1 image in 1000, at least one.
        max_flips: Most flips of an int8 or dynamic file, and the most errors that it may make more
            than the original; None for 1 image in 100, at least one.

    Raises:
        ValueError: If a limit is negative or not a number.
    """

    float32_max_dp: float = 1e-5
    float32_max_flips: int = 0
    float16_max_dp: float = 2e-3
    float16_max_flips: int | None = None
    max_flips: int | None = None

    def __post_init__(self) -> None:
        limits = [limit for limit in vars(self).values() if limit is not None]
        if not all(limit >= 0 for limit in limits):
            raise ValueError(f"gates must be 0 or more: {self}")

    @classmethod
    def for_architecture(cls, name: str | None, **limits: float | int | None) -> Gates:
        """The gates of a network, by what its architecture can keep to.

        Dozens of layers add up more rounding than four: a backbone's float32 file may differ by
        1e-4 and its float16 file by 2e-2. Flips are judged alike for every network.

        Args:
            name: What ``training.json`` records as "arch"; None for a model that was imported.
            limits: Fields of `Gates` that the user has set; None for the architecture's own.
        """
        own = {"float32_max_dp": 1e-4, "float16_max_dp": 2e-2} if name in BACKBONES else {}
        given = {field: limit for field, limit in limits.items() if limit is not None}
        return cls(**{**own, **given})  # type: ignore[arg-type]

    def allowed_flips(self, kind: Kind, n: int) -> int:
        """How many of `n` images a file of that kind may give another label."""
        if kind == "float32":
            return self.float32_max_flips
        if kind == "float16":
            return _or_share(self.float16_max_flips, n, one_in=1000)
        return _or_share(self.max_flips, n, one_in=100)

    def allowed_dp(self, kind: Kind) -> float | None:
        """Largest `|Δp|` of a file of that kind, or None where there is no such limit."""
        limits = {"float32": self.float32_max_dp, "float16": self.float16_max_dp}
        return limits.get(kind)

    def failures(self, kind: Kind, measured: Comparison) -> tuple[str, ...]:
        """The gates that a file misses, in words; none if it passes."""
        flips, allowed = len(measured.flips), self.allowed_flips(kind, measured.n)
        extra, difference = measured.accuracy.net_extra_errors, self.allowed_dp(kind)
        found = []
        if difference is not None and measured.max_difference > difference:
            found.append(f"max |Δp| {measured.max_difference:.2g}, allowed {difference:.2g}")
        if flips > allowed:
            found.append(f"{plural(flips, 'flip')}, {allowed} allowed")
        if difference is None and extra > allowed:
            found.append(f"{plural(extra, 'extra error')}, {allowed} allowed")
        return tuple(found)

    def notes(self, kind: Kind, n: int) -> tuple[str, ...]:
        """What a reader of a file's figures has to know, in words."""
        if self.allowed_dp(kind) is not None or n >= PROVEN_FROM:
            return ()
        return (
            f"{plural(n, 'test image')}: too few to prove 99 % agreement, which stays unproven "
            f"(at least {PROVEN_FROM} are needed)",
        )

    def in_words(self, kind: Kind, n: int) -> str:
        """The gates of a kind of file for a test split of `n` images, as a sentence."""
        allowed, difference = self.allowed_flips(kind, n), self.allowed_dp(kind)
        flips = f"at most {plural(allowed, 'flip')}" if allowed else "no flip"
        if difference is None:
            return f"{flips} and at most {plural(allowed, 'error')} more than the original"
        return f"max |Δp| at most {difference:.2g} and {flips}"


def kind_of(file: Path) -> Kind:
    """The kind of an exported file, from its name.

    Raises:
        ValueError: If the name says nothing of the sort.
    """
    for kind in KINDS:
        if file.stem == kind:
            return kind
    raise ValueError(f"{file.name}: no exported file's name")


def _or_share(limit: int | None, n: int, *, one_in: int) -> int:
    return max(1, n // one_in) if limit is None else limit
