"""The one function from an image to the array that a network reads.

Training, calibration, verification and the device call `preprocess` with the same specification, so
they see the same bytes. An image file is decoded as a viewer shows it (`edgeemo.imaging.decode`);
where the specification crops faces, a detector finds the largest one (`edgeemo.imaging.faces`),
which is cropped; the result is stretched to the network's size as uint8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeemo.errors import ImageError, NoFaceError
from edgeemo.imaging.decode import open_image, stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from edgeemo.imaging.decode import Color, OpenedImage, Source
    from edgeemo.imaging.faces import Face, FaceDetector
    from edgeemo.model.input_spec import InputSpec

PHOTO_SIDE = 640
"""Minimum longer side, in pixels, at which a photo is decoded to find faces (less where it has
less), so that the smallest face that is found has the pixels that a network sees."""

_SMALLEST_FACE = 0.075
"""Side of that face, as a share of the photo's longer side: larger networks need larger photos."""


def preprocess(
    source: Source,
    spec: InputSpec,
    *,
    detector: FaceDetector | None = None,
    color: Color | None = None,
) -> NDArray[np.uint8]:
    """Turn an image into the network's input, before scaling.

    Args:
        source: Path of an image file, its bytes, an open file, a Pillow image, or an array of uint8
            pixels.
        spec: Height, width and channels, and whether the largest face is cropped first.
        detector: The face detector; required where `spec` crops faces.
        color: Order of an array's channels; see `edgeemo.imaging.decode.open_image`.

    Returns:
        Array of shape (spec.height, spec.width, spec.channels), uint8, 0 to 255, C-contiguous;
        RGB or grey (ITU-R 601-2 luma, as Pillow computes it). The network's input is this
        times `spec.scale`, as float32.

    Raises:
        ImageError: If the source is not an image, is damaged, or is too large.
        NoFaceError: If the specification crops faces and there is none.
    """
    with open_image(source, color=color) as opened:
        decoded = decode(opened, spec)
        try:
            return resize(crop(decoded, spec, detector=detector, name=opened.name), spec)
        except MemoryError:
            raise ImageError(f"{opened.name}: there is not enough memory to resize it") from None


def preprocess_faces(
    source: Source, spec: InputSpec, *, detector: FaceDetector, color: Color | None = None
) -> tuple[tuple[Face, NDArray[np.uint8]], ...]:
    """Turn every face of a photo into the network's input.

    Args:
        source: As in `preprocess`.
        spec: As in `preprocess`; it has `faces`.
        detector: The face detector.
        color: As in `preprocess`.

    Returns:
        Every face, the largest first, in pixels of the whole upright image, and its array as
        `preprocess` returns it: the first is the one that `preprocess` returns for a photo.

    Raises:
        ImageError: As `preprocess`.
    """
    from edgeemo.imaging.faces import detect_faces, stretch_face

    with open_image(source, color=color) as opened:
        width = opened.size[0]
        photo = decode(opened, spec.for_photos())
        return tuple(
            (face.scale(width / photo.width), resize(stretch_face(photo, face, spec), spec))
            for face in detect_faces(detector, photo, name=opened.name)
        )


def decode(opened: OpenedImage, spec: InputSpec) -> Image.Image:
    """Decode an image at the scale that a specification needs: the first stage of `preprocess`.

    Returns:
        The upright image: mode "RGB" where a face will be cropped, else "L" or "RGB" for the
        specification's channels.

    Raises:
        ImageError: If the image is damaged.
    """
    grey = spec.channels == 1 and not spec.crops_faces
    return opened.decode(grey=grey, min_size=find_min_size(opened.size, spec))


def crop(
    image: Image.Image,
    spec: InputSpec,
    *,
    detector: FaceDetector | None = None,
    name: str = "image",
) -> Image.Image:
    """Crop the largest face where the specification does: the second stage of `preprocess`.

    Args:
        image: As `decode` returns it.
        spec: As in `preprocess`.
        detector: As in `preprocess`.
        name: Name of the image in an error message.

    Returns:
        An image of mode "L" or "RGB" for the specification's channels; a face is stretched to the
        network's size already, so that a large crop is never made as a whole.

    Raises:
        ImageError: If finding faces fails.
        NoFaceError: If the specification crops faces and there is none.
    """
    if not spec.crops_faces:
        return image
    if detector is None:
        raise ValueError("this specification crops faces, which requires a face detector")
    from edgeemo.imaging.faces import detect_faces, stretch_face

    faces = detect_faces(detector, image, name=name)
    if not faces:
        raise NoFaceError(f"{name}: no face")
    return stretch_face(image, faces[0], spec)


def resize(image: Image.Image, spec: InputSpec) -> NDArray[np.uint8]:
    """Stretch an image to the network's size: the last stage of `preprocess`.

    Args:
        image: Upright, mode "L" or "RGB" for the specification's channels.
        spec: Height, width and channels.

    Returns:
        As `preprocess`.
    """
    small = stretch(image, spec.width, spec.height)
    return np.asarray(small).reshape(spec.input_shape)


def find_min_size(size: tuple[int, int], spec: InputSpec) -> tuple[int, int]:
    """Return the width and height, in pixels, that an image has to be decoded with, upright.

    Args:
        size: Width and height of the whole upright image.
        spec: What it is decoded for.
    """
    if not spec.crops_faces:
        return spec.width, spec.height
    width, height = size
    scale = max(PHOTO_SIDE, max(spec.width, spec.height) / _SMALLEST_FACE) / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
