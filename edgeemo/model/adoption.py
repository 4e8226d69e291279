"""The tensors of an adopted model: one that was made elsewhere, as a .tflite or .onnx file.

The spec of such a file holds an `Adoption`, which the engines obey. Training, export and
calibration never meet one. Standard library only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from edgeemo.utils.strict_json import require, require_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

ADOPTED = "adopted, no reference model"
"""Status of a file that was adopted, in words: there is nothing to verify it against."""

Layout: TypeAlias = Literal["nhwc", "nchw"]

_TYPES: dict[str, type] = {
    "scale": list, "offset": list, "bgr": bool, "layout": str, "logits": bool,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """Input and output of a network that was trained and converted elsewhere.

    A pixel of channel c, 0 to 255, becomes ``pixel * scale[c] + offset[c]``.

    Attributes:
        scale: Factor of a pixel, one per channel of the network, in its order.
        offset: Addend after that, likewise.
        bgr: Whether the network takes blue first.
        layout: Order of the input's axes: "nhwc" has the channels last, "nchw" first.
        logits: Whether the outputs are logits: a sigmoid of one or a softmax of several follows.
    """

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    bgr: bool = False
    layout: Layout = "nhwc"
    logits: bool = False

    def find_problem(self, channels: int) -> str:
        """Return what is wrong with the values for a number of channels; "" for nothing."""
        for name, values in {"scale": self.scale, "offset": self.offset}.items():
            if len(values) != channels or not all(map(math.isfinite, values)):
                return f"{name} must be {channels} finite numbers, not {list(values)}"
        if min(self.scale) <= 0:
            return f"scale must be more than 0, not {list(self.scale)}"
        if self.bgr and channels != 3:
            return f"the order of colours is that of 3 channels, not of {channels}"
        if self.layout not in get_args(Layout):
            return f"layout must be nhwc or nchw, not {self.layout!r}"
        return ""

    def arrange(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return the shape (H, W, C) of an image in the order of the input's axes."""
        height, width, channels = shape
        return shape if self.layout == "nhwc" else (channels, height, width)

    def to_probabilities(self, outputs: Sequence[float]) -> Sequence[float]:
        """Return the probabilities of the network's outputs.

        Logits become the logistic function of one, the softmax of several.

        Args:
            outputs: Its outputs.
        """
        if not self.logits:
            return outputs
        values = [0.0, *outputs] if len(outputs) == 1 else outputs
        top = max(values)
        powers = [math.exp(value - top) for value in values]
        total = sum(powers)
        probabilities = [power / total for power in powers]
        return probabilities[1:] if len(outputs) == 1 else probabilities

    def describe_scaling(self) -> str:
        """Return how a pixel is scaled, in words, as in "pixel / 255"."""
        channels = list(zip(self.scale, self.offset, strict=True))
        texts = [_describe_channel(*each) for each in dict.fromkeys(channels)]
        return texts[0] if len(texts) == 1 else ", ".join(_describe_channel(*c) for c in channels)

    def describe_tensor(self) -> str:
        """Return scaling, order of colours and layout of the input, in words."""
        order = {1: "grey", 3: "BGR" if self.bgr else "RGB"}[len(self.scale)]
        return f"{self.describe_scaling()}, {order}, {self.layout.upper()}"


def parse_adoption(fields: object) -> Adoption:
    """Return the adoption of an object of JSON, whose keys are the attributes.

    Raises:
        ValueError: If it is not such an object, a key is unknown, or a value has another type.
    """
    known = require_fields(fields, _TYPES, "adopted")
    for name in ("scale", "offset"):
        known[name] = tuple(float(require(each, float, name)) for each in known[name])
    return Adoption(**known)


def _describe_channel(scale: float, offset: float) -> str:
    inverse = 1 / scale
    near = round(inverse, 1)
    is_quotient = scale < 1 and math.isclose(inverse, near, rel_tol=1e-5)
    factor = f"pixel / {near:g}" if is_quotient else f"pixel x {scale:.6g}"
    factor = "pixel" if scale == 1 else factor
    return f"{factor} {'-' if offset < 0 else '+'} {abs(offset):.6g}" if offset else factor
