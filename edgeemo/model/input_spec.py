"""InputSpec: the part of a model's specification that decoding and preprocessing need.

Standard library only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

from edgeemo.errors import SpecError

if TYPE_CHECKING:
    from edgeemo.model.face_request import FaceRequest
    from edgeemo.model.face_settings import FaceSettings

MAX_SIDE = 4096
SCALE = 1 / 255
"""Multiplier from a uint8 pixel to the network's input. Fixed: every network takes [0, 1]; a model
trained with another scaling carries the difference as a layer of its own. An adopted model has an
`edgeemo.model.adoption.Adoption` instead, which the engines apply."""


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """The input of a network, as decoding and preprocessing need it.

    Attributes:
        height: Input height in pixels.
        width: Input width in pixels.
        channels: 1 (grey) or 3 (RGB).
        resample: Resampling filter; only "bilinear" exists.
        scale: Multiplier from uint8 pixel to network input; always 1/255.
        faces: The face settings; None takes the image whole.

    Raises:
        SpecError: If a value is out of its range.
    """

    height: int
    width: int
    channels: Literal[1, 3] = 3
    resample: Literal["bilinear"] = "bilinear"
    scale: float = SCALE
    faces: FaceSettings | None = None

    def __post_init__(self) -> None:
        problem = next((text for fine, text in self._checks() if not fine), None)
        if problem:
            raise SpecError(f"model specification: {problem}")

    def _checks(self) -> tuple[tuple[bool, str], ...]:
        """Return pairs of whether a rule is kept, and the problem where it is not."""
        known = self.resample == "bilinear" and math.isclose(self.scale, SCALE, rel_tol=1e-6)
        return (
            (
                min(self.height, self.width) >= 1 and max(self.height, self.width) <= MAX_SIDE,
                f"size must be 1 to {MAX_SIDE} pixels, not {self.height}x{self.width}",
            ),
            (self.channels in (1, 3), f"channels must be 1 or 3, not {self.channels}"),
            (
                known,
                f"resample {self.resample!r} with scale {self.scale} is unknown to this version of "
                "edgeemo; install the version that exported the model",
            ),
        )

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Return the shape (H, W, C) of one image."""
        return (self.height, self.width, self.channels)

    @property
    def crops_faces(self) -> bool:
        """Return whether preprocessing crops the largest face instead of taking the whole image."""
        return self.faces is not None and not self.faces.cropped

    def for_photos(self) -> Self:
        """Return the specification for photos, where the model was trained on crops, too."""
        if self.faces is None or not self.faces.cropped:
            return self
        return replace(self, faces=replace(self.faces, cropped=False))

    def with_faces(self, request: FaceRequest) -> Self:
        """Return the specification with the requested face settings.

        Raises:
            SpecError: If the request contradicts the face settings.
        """
        return replace(self, faces=request.apply(self.faces))
