"""The calibration error with what chance alone makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edgeemo.metrics.calibration import choose_bins, expected_calibration_error
from edgeemo.metrics.intervals import Interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

_DRAWS = 400
_MAX_CELLS = 2_000_000
"""Greatest number of drawn images: with more images than that allows, fewer draws will do. Of one
hundred draws of still more images, as many are made at a time."""
_MIN_DRAWS = 100


@dataclass(frozen=True, kw_only=True)
class CalibrationError:
    """Expected calibration error of predictions.

    Attributes:
        error: The error with its interval, 0 to 1.
        bins: Number of bins of equal mass.
        by_chance: Mean error that perfectly calibrated predictions of the same confidences would
            show on as many images, simulated.
        by_chance_high: Error that 95 % of such predictions stay below.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("is_shown",)

    error: Interval
    bins: int
    by_chance: float
    by_chance_high: float

    @property
    def is_shown(self) -> bool:
        """Return whether the error is larger than chance alone would make it."""
        return self.error.value > self.by_chance_high

    @property
    def text(self) -> str:
        """Return the error with its interval and the error by chance, in a few words."""
        return f"{self.error}; by chance {self.by_chance:.3f}"

    @property
    def verdict(self) -> str:
        """Return the error beside that of perfect calibration, as a sentence without full stop."""
        verdict = (
            "the confidences are not calibrated"
            if self.is_shown
            else f"{self.error.n:,} images cannot tell this from perfect calibration"
        )
        return (
            f"{self.error} in {self.bins} bins; perfectly calibrated predictions would show "
            f"{self.by_chance:.3f} on {self.error.n:,} images, and up to {self.by_chance_high:.3f} "
            f"by chance: {verdict}"
        )


def measure_calibration_error(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int | None = None, seed: int = 0
) -> CalibrationError:
    """Measure the expected calibration error, and how much of it is chance.

    With few images the error is far above 0 however good the confidences are, since the accuracy in
    a bin differs from the confidence by chance (R. Roelofs et al., "Mitigating bias in calibration
    error estimation", AISTATS 2022). So it stands beside the error of simulated predictions that
    are right as often as they say. The interval is a percentile bootstrap of the images, shifted by
    what resampling adds to the error (B. Efron and R. Tibshirani, "An introduction to the
    bootstrap", 1993, chapter 10).

    Args:
        confidence: As in `expected_calibration_error`.
        correct: As in `expected_calibration_error`.
        bins: As in `expected_calibration_error`.
        seed: Seed of the simulation and of the bootstrap.

    Raises:
        ValueError: As `expected_calibration_error`.
    """
    stated, right = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    value = expected_calibration_error(stated, right, bins=bins)
    bins = min(bins or choose_bins(stated.size), max(stated.size, 1))
    if not stated.size:
        unknown = Interval(value=0.0, low=0.0, high=1.0, n=0)
        return CalibrationError(error=unknown, bins=bins, by_chance=0.0, by_chance_high=1.0)
    drawn = np.random.default_rng(seed)
    draws = int(np.clip(_MAX_CELLS // stated.size, _MIN_DRAWS, _DRAWS))
    chance = _simulate_errors(stated, bins=bins, draws=draws, drawn=drawn)
    low, high = _bootstrap(stated, right, value, bins=bins, draws=draws, drawn=drawn)
    return CalibrationError(
        error=Interval(value=value, low=low, high=high, n=stated.size),
        bins=bins,
        by_chance=float(chance.mean()),
        by_chance_high=float(np.quantile(chance, 0.95)),
    )


def _simulate_errors(
    stated: NDArray[np.float64], *, bins: int, draws: int, drawn: np.random.Generator
) -> NDArray[np.float64]:
    """Return the errors of predictions that are right as often as they say: (draws,)."""
    ordered = np.sort(stated)

    def simulate(shape: tuple[int, int]) -> NDArray[np.float64]:
        right = drawn.random(shape) < ordered
        return _measure_sorted(np.broadcast_to(ordered, shape), right, bins)

    return _repeat(simulate, draws, stated.size)


def _bootstrap(
    stated: NDArray[np.float64],
    right: NDArray[np.float64],
    value: float,
    *,
    bins: int,
    draws: int,
    drawn: np.random.Generator,
) -> tuple[float, float]:
    order = np.argsort(stated, kind="stable")

    def resample(shape: tuple[int, int]) -> NDArray[np.float64]:
        rows = order[np.sort(drawn.integers(0, stated.size, shape), axis=1)]
        return _measure_sorted(stated[rows], right[rows], bins)

    errors = _repeat(resample, draws, stated.size)
    low, high = np.quantile(errors, [0.025, 0.975]) - (errors.mean() - value)
    return float(np.clip(low, 0.0, value)), float(np.clip(high, value, 1.0))


def _repeat(
    measure: Callable[[tuple[int, int]], NDArray[np.float64]], draws: int, images: int
) -> NDArray[np.float64]:
    """Return the errors of draws: (draws,), a few at a time, so that memory is bounded."""
    step = max(1, _MAX_CELLS // images)
    parts = [measure((min(step, draws - done), images)) for done in range(0, draws, step)]
    return np.concatenate(parts)


def _measure_sorted(
    stated: NDArray[np.float64], right: NDArray[np.float64] | NDArray[np.bool_], bins: int
) -> NDArray[np.float64]:
    """Return the error of each row of (draws, N) images that ascend in confidence."""
    gaps = np.zeros(len(stated))
    for columns in np.array_split(np.arange(stated.shape[1]), bins):
        gaps += np.abs((right[:, columns] - stated[:, columns]).sum(axis=1))
    return np.asarray(gaps / stated.shape[1], np.float64)
