"""Gates: largest differences between an exported file and the reference model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from edgeemo.model.container import Kind
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.verify.comparison import PredictionComparison

KINDS: tuple[Kind, ...] = get_args(Kind)

BACKBONES = frozenset(
    {"mobilenet-v3-small", "mobilenet-v2", "efficientnet-b0", "resnet50", "vgg16"}
)
"""Architectures with wider float gates, by their names in ``training.json``: this package cannot
import the networks."""

_BACKBONE_LIMITS = {"float32_max_dp": 1e-4, "float16_max_dp": 2e-2}
_ROUNDING_LIMITS = {"float32_max_dp": (8, 1e-3), "float16_max_dp": (8192, 2e-2)}
"""Multiple of the measured rounding error that a file may differ by, and the most allowed. Float16
has 13 bits less than float32, a factor of 8192."""

_SHARES = {"float16_max_flips": 1000, "max_flips": 100}
"""Limits that are 1 image in so many, where no number is given."""

PROVEN_FROM = 300
"""Number of test images from which 1 flip in 100 supports a statement on 99 % agreement."""


@dataclass(frozen=True, kw_only=True)
class Gates:
    """Limits that a file must keep to pass.

    Δp is the difference between two probabilities, 0 to 1. A flip is an image for which the file
    predicts another label than the reference model.

    Attributes:
        float32_max_dp: Largest `|Δp|` of a float32 file.
        float32_max_flips: Largest number of flips of a float32 file.
        float16_max_dp: Largest `|Δp|` of a float16 file.
        float16_max_flips: Largest number of flips of a float16 file; None for 1 image in 1000, at
            least one.
        max_flips: Largest number of flips of an int8 or dynamic file, and largest number of errors
            beyond those of the reference model; None for 1 image in 100, at least one.

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
    def for_architecture(
        cls, name: str | None, *, rounding: float | None = None, **limits: float | int | None
    ) -> Gates:
        """Return the gates of an architecture.

        Rounding errors add up over the layers: the float32 file of a backbone may differ by 1e-4
        and its float16 file by 2e-2. They grow with the size of inputs and logits, too: of an
        imported model they are measured, and a file may differ by a few times as much. The limits
        of flips are the same for every architecture.

        Args:
            name: The "arch" of ``training.json``.
            rounding: The "rounding" of ``training.json``, that of float32. An imported model
                without it has the limits of a backbone.
            limits: Fields of `Gates`; None for the limit of the architecture.
        """
        own = dict(_BACKBONE_LIMITS) if name in {*BACKBONES, "imported"} else {}
        if rounding:
            own = {
                field: min(max(getattr(cls, field), rounding * factor), most)
                for field, (factor, most) in _ROUNDING_LIMITS.items()
            }
        given = {field: limit for field, limit in limits.items() if limit is not None}
        return cls(**{**own, **given})  # type: ignore[arg-type]

    def loosen(self, other: Gates, n: int) -> Gates:
        """Return of each limit the looser one of two gates, on `n` test images.

        Args:
            other: The other gates.
            n: Number of test images.
        """
        looser = {
            name: getattr(other if other._limit(name, n) > self._limit(name, n) else self, name)
            for name in vars(self)
        }
        return Gates(**looser)

    def _limit(self, name: str, n: int) -> float:
        limit: float | None = getattr(self, name)
        return max(1, n // _SHARES[name]) if limit is None else limit

    def allowed_flips(self, kind: Kind, n: int) -> int:
        """Return the largest number of flips of a file of that kind on `n` images."""
        if kind == "float32":
            return self.float32_max_flips
        if kind == "float16":
            return int(self._limit("float16_max_flips", n))
        return int(self._limit("max_flips", n))

    def allowed_dp(self, kind: Kind) -> float | None:
        """Return the largest `|Δp|` of a file of that kind, or None without such a limit."""
        limits = {"float32": self.float32_max_dp, "float16": self.float16_max_dp}
        return limits.get(kind)

    def list_failures(self, kind: Kind, measured: PredictionComparison) -> tuple[str, ...]:
        """Return the gates that a file misses, in words; none if it passes."""
        flips, allowed = measured.flip_count, self.allowed_flips(kind, measured.n)
        extra, difference = measured.accuracy.net_extra_errors, self.allowed_dp(kind)
        found = []
        if difference is not None and measured.max_difference > difference:
            found.append(f"max |Δp| {measured.max_difference:.2g}, allowed {difference:.2g}")
        if flips > allowed:
            found.append(f"{plural(flips, 'flip')}, {allowed} allowed")
        if difference is None and extra > allowed:
            found.append(f"{plural(extra, 'extra error')}, {allowed} allowed")
        return tuple(found)

    def list_notes(self, kind: Kind, n: int) -> tuple[str, ...]:
        """Return what a reader of the figures has to know, in words."""
        if self.allowed_dp(kind) is not None or n >= PROVEN_FROM:
            return ()
        return (
            f"{plural(n, 'test image')}: too few to prove 99 % agreement, which stays unproven "
            f"(at least {PROVEN_FROM} are needed)",
        )

    def describe(self, kind: Kind, n: int) -> str:
        """Return the gates of a kind of file on `n` test images, in words."""
        allowed, difference = self.allowed_flips(kind, n), self.allowed_dp(kind)
        flips = f"at most {plural(allowed, 'flip')}" if allowed else "no flip"
        if difference is None:
            return f"{flips} and at most {plural(allowed, 'error')} more than the reference model"
        return f"max |Δp| at most {difference:.2g} and {flips}"


def parse_kind(file: Path) -> Kind:
    """Return the kind of an exported file, by its name.

    Raises:
        ValueError: If it is not the name of an exported file.
    """
    for kind in KINDS:
        if file.stem == kind:
            return kind
    raise ValueError(f"{file.name}: not the name of an exported file")
