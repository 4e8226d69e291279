"""Input that a network was trained with, and meaning of its output. Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from edgeemo.errors import TrainingError
from edgeemo.model.input_spec import SCALE
from edgeemo.utils.strict_json import require

if TYPE_CHECKING:
    from collections.abc import Mapping

Preset: TypeAlias = Literal["[0,1]", "[-1,1]", "raw", "imagenet-caffe", "imagenet-torch"]
"""Name of a usual scaling."""

Head: TypeAlias = Literal["probability", "logit"]
"""Meaning of a network's output."""

_COUNTS = (1, 3)
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """The input of a network made of pixels of 0 to 255: pixel x scale + offset.

    Attributes:
        scale: Multipliers: one, or one for each of three channels in the order of the network's.
        offset: Addends after that, one or three.
        bgr: Whether the network's channels are blue, green and red.

    Raises:
        TrainingError: If the numbers are no scaling.
    """

    scale: tuple[float, ...] = (SCALE,)
    offset: tuple[float, ...] = (0.0,)
    bgr: bool = False

    def __post_init__(self) -> None:
        for name in ("scale", "offset"):
            values = getattr(self, name)
            if len(values) not in _COUNTS:
                raise TrainingError(
                    f"--{name} takes one number, or three separated by commas, one per channel; "
                    f"{len(values)} are given"
                )
        if not all(map(math.isfinite, (*self.scale, *self.offset))) or min(self.scale) <= 0:
            scale, offset = (",".join(map(str, each)) for each in (self.scale, self.offset))
            raise TrainingError(
                f"a scaling by {scale} with offset {offset} is not possible; for a model that "
                "takes [0, 1], give --scale 1/255"
            )

    @property
    def needs_colour(self) -> bool:
        """Return whether only an input of three channels can have it."""
        return self.bgr or len(self.scale) > 1 or len(self.offset) > 1

    @property
    def is_identity(self) -> bool:
        """Return whether the network takes [0, 1], RGB."""
        same = all(math.isclose(each, SCALE, rel_tol=1e-6) for each in self.scale)
        return same and not any(self.offset) and not self.bgr

    def spread(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return three multipliers and three addends."""
        scale, offset = (values * (3 // len(values)) for values in (self.scale, self.offset))
        return scale, offset

    def to_record(self) -> dict[str, Any]:
        """Return it as entries of ``training.json``."""
        record: dict[str, Any] = {"scale": unpack(self.scale), "offset": unpack(self.offset)}
        return {**record, "bgr": True} if self.bgr else record

    def to_arguments(self) -> list[str]:
        """Return it as options of ``edgeemo export``, a preset where there is one."""
        for name, preset in PRESETS.items():
            if self == preset:
                return ["--preprocess", name]
        offset = ["--offset", _join(self.offset)] if any(self.offset) else []
        return ["--scale", _join(self.scale), *offset, *(["--bgr"] if self.bgr else [])]

    def __str__(self) -> str:
        sign, *single = ("−", -self.offset[0]) if self.offset[0] < 0 else ("+", self.offset[0])
        several = f" + ({_join(self.offset)})"
        offset = several if len(self.offset) > 1 else f" {sign} {single[0]:g}"
        scale = _join(self.scale) if len(self.scale) == 1 else f"({_join(self.scale)})"
        order = ", channels in the order BGR" if self.bgr else ""
        return f"pixel × {scale}{offset if any(self.offset) else ''}{order}"


PRESETS: Mapping[Preset, Scaling] = {
    "[0,1]": Scaling(),
    "[-1,1]": Scaling(scale=(1 / 127.5,), offset=(-1.0,)),
    "raw": Scaling(scale=(1.0,)),
    "imagenet-caffe": Scaling(scale=(1.0,), offset=(-103.939, -116.779, -123.68), bgr=True),
    "imagenet-torch": Scaling(
        scale=tuple(SCALE / each for each in _DEVIATION),
        offset=tuple(-mean / each for mean, each in zip(_MEAN, _DEVIATION, strict=True)),
    ),
}
"""Usual scalings; the last three are the modes of keras.applications' ``preprocess_input``."""


def read_scaling(recorded: Mapping[str, Any]) -> Scaling | None:
    """Return the scaling in the content of ``training.json``; None if it has none.

    Raises:
        ValueError: If it is malformed.
    """
    if recorded.get("scale") is None:
        return None
    bgr = require(recorded.get("bgr", False), bool, "bgr")
    try:
        return Scaling(
            scale=_pack(recorded["scale"], "scale"),
            offset=_pack(recorded.get("offset") or 0.0, "offset"),
            bgr=bgr,
        )
    except TrainingError as error:
        raise ValueError(str(error)) from None


def make_scaling(
    scale: float | tuple[float, ...] = SCALE,
    offset: float | tuple[float, ...] = 0.0,
    *,
    bgr: bool = False,
) -> Scaling:
    """Return a scaling of single numbers or tuples.

    Raises:
        TrainingError: If the numbers are no scaling.
    """
    return Scaling(scale=_pack(scale, "scale"), offset=_pack(offset, "offset"), bgr=bgr)


def _pack(value: Any, name: str) -> tuple[float, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(require(each, float, name) for each in values)


def unpack(values: tuple[float, ...]) -> float | tuple[float, ...]:
    """Return one number as it is, and several as they are."""
    return values[0] if len(values) == 1 else values


def _join(values: tuple[float, ...]) -> str:
    return ",".join(f"{each:.9g}" for each in values)
