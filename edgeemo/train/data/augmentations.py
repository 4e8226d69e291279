"""The named augmentations: ranges within which training images are changed at random."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from edgeemo.train.options.choices import Augment

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Ranges of the random changes. Values are drawn uniformly; a range of 0 turns a change off.

    Attributes:
        flip: Share of the images that are mirrored, left for right.
        rotation: Largest angle in degrees, to either side.
        shift: Largest shift to either side, as a share of the image's width and height.
        zoom: Largest enlargement or reduction, as a share.
        brightness: Largest value added or subtracted, on the scale of [0, 1].
        contrast: Share by which the distance from the image's mean grows or shrinks at most.
        noise: Largest standard deviation of uniform noise, on the scale of [0, 1].
        erased: Largest side of the erased patch, as a share of the image's side; the patch is
            filled with the image's mean value.
        blur: Largest standard deviation of a Gaussian blur, as a share of the image's height.
    """

    flip: float = 0.0
    rotation: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0
    erased: float = 0.0
    blur: float = 0.0

    @property
    def moves_pixels(self) -> bool:
        """Return whether pixels change their place."""
        return any((self.flip, self.rotation, self.shift, self.zoom))


_STRONG = Augmentation(
    flip=0.5,
    rotation=20,
    shift=0.12,
    zoom=0.2,
    brightness=0.2,
    contrast=0.3,
    noise=0.05,
    erased=0.35,
)

AUGMENTATIONS: Mapping[Augment, Augmentation] = MappingProxyType(
    {
        Augment.NONE: Augmentation(),
        Augment.LIGHT: Augmentation(flip=0.5, rotation=10, shift=0.08, zoom=0.1, brightness=0.1),
        Augment.STRONG: _STRONG,
        Augment.CAMERA: replace(_STRONG, blur=0.02),
    }
)
"""Name to ranges. "light" holds the changes of the well-known tutorials: flip, rotation, shift,
zoom, brightness. "camera" is "strong" with a blur: faces out of focus, or small in the photo."""
