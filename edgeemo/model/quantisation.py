"""How an int8 file was quantised, and how `--auto` chose that: parts of ``export.json``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from edgeemo.utils.text import format_size, plural

_SHOWN = 4
"""Number of layers that a description lists by name."""


class RangeMethod(StrEnum):
    """Methods to set the range of an activation from its values over the calibration images."""

    MINMAX = "minmax"
    PERCENTILE = "percentile"
    MSE = "mse"


@dataclass(frozen=True, kw_only=True)
class Quantisation:
    """How one int8 file is quantised.

    Attributes:
        calibration: How the ranges of the activations are set.
        keep_float: Names of Keras layers that stay in float, in the order of the network.
        activation_bits: Bits of an activation. 16 is TFLite's int16x8: weights in 8 bits, float
            input and output; XNNPACK does not run it, so it is many times slower.
    """

    calibration: RangeMethod = RangeMethod.MINMAX
    keep_float: tuple[str, ...] = ()
    activation_bits: Literal[8, 16] = 8

    @property
    def has_floats(self) -> bool:
        """Return whether part of the file is not in 8 bits."""
        return bool(self.keep_float) or self.activation_bits > 8

    def describe(self) -> str:
        """Return it in words, as in "ranges by mse, 2 layers in float (conv_1, prob)"."""
        if self.activation_bits > 8:
            return "16-bit activations"
        if not self.keep_float:
            return f"ranges by {self.calibration}"
        shown = ", ".join(self.keep_float)
        if len(self.keep_float) > _SHOWN:
            shown = f"{self.keep_float[0]} ... {self.keep_float[-1]}"
        kept = f"{plural(len(self.keep_float), 'layer')} in float ({shown})"
        return f"ranges by {self.calibration}, {kept}"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One quantisation that `--auto` tried.

    Attributes:
        quantisation: The quantisation.
        size_bytes: Size of the file, including the embedded spec.
        flips: Number of the choice's images for which the file predicts another label than the
            reference model.
        expected_flips: Number of flips to expect on as many other images: each doubtful image with
            the error of each other one, see `edgeemo.export.agreement`.
    """

    quantisation: Quantisation
    size_bytes: int
    flips: int
    expected_flips: float


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How `--auto` chose the quantisation of a file.

    Attributes:
        split: Split of the images that it compared on, "validation" or "train"; never "test".
        images: Number of these images.
        allowed_flips: Number of flips that the gate would allow on as many images.
        target_flips: Number of expected flips at which the search ends.
        max_size_bytes: Largest size that was allowed; None for any.
        passed: Whether the flips of the chosen one, counted and expected, are within the gate.
        trials: All that it tried, in order; plain int8 first.
    """

    split: str
    images: int
    allowed_flips: int
    target_flips: float
    max_size_bytes: int | None
    passed: bool
    trials: tuple[Trial, ...]

    def describe(self, chosen: Quantisation) -> str:
        """Return the decision as one line."""
        plain = self.trials[0]
        best = next(each for each in self.trials if each.quantisation == chosen)
        images = plural(self.images, f"{self.split} image")
        if best is plain:
            outcome = "nothing to cure" if self.passed else "and nothing that was tried is better"
            return f"plain int8 has {plural(best.flips, 'flip')} on {images}, {outcome}"
        sizes = f"{format_size(best.size_bytes)} instead of {format_size(plain.size_bytes)}"
        return (
            f"{chosen.describe()}: {plural(best.flips, 'flip')} instead of {plain.flips} on "
            f"{images}{'' if self.passed else ', which is not enough'}; {sizes}"
        )
