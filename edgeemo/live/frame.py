"""A frame of a source: its number, its time, and pixels that are decoded when they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from edgeemo.model.input_spec import InputSpec


class FramePixels(Protocol):
    """The pixels of a frame. A frame that nobody looks at is never decoded."""

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels, upright."""

    @property
    def jpeg(self) -> bytes | None:
        """Return the frame as the JPEG file that the source gave; None of any other source."""

    def decode(self, spec: InputSpec | None = None) -> Image.Image:
        """Decode the frame as `edgeemo.imaging.preprocess.decode` decodes an image file.

        Args:
            spec: What the image is decoded for: a JPEG may be decoded at a reduced scale. None
                for the whole frame, mode "RGB".

        Returns:
            The upright image: mode "RGB" where faces will be cropped, else "L" or "RGB" for the
            specification's channels.

        Raises:
            ImageError: If the frame is damaged.
        """

    def luma(self) -> NDArray[np.uint8]:
        """Return the brightness of the frame, upright: (h, w) uint8, perhaps at a reduced scale.

        Raises:
            ImageError: If the frame is damaged.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of a source.

    Attributes:
        number: Its number since the source was first opened, from 0; frames that were passed over
            count.
        time_s: Seconds. Of a file its presentation time, from the beginning of the file; of a
            live source the moment of its capture on `time.monotonic`'s clock, or of its arrival
            where the source does not tell.
        pixels: Its pixels.
        name: Name of the file of which it is, for a folder; else empty.
    """

    number: int
    time_s: float
    pixels: FramePixels
    name: str = ""
