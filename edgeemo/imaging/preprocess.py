"""THE function from an image to the array that a network reads.

Training, calibration, verification and the device call `preprocess` with the same spec, so they see
the same bytes. An image file is decoded as a viewer shows it (`edgeemo.imaging.decode`); where the
spec says so, its largest face is found and cropped (`edgeemo.imaging.faces`); the result is
stretched to the network's size as uint8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeemo.errors import NoFaceError
from edgeemo.imaging.decode import (
    damaged,
    describe,
    is_encoded,
    open_image,
    stretched,
    upright,
    upright_size,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from edgeemo.imaging.decode import Source
    from edgeemo.imaging.faces import Face
    from edgeemo.model.spec import ModelSpec

PHOTO_SIDE = 640
"""A photo in which faces are sought is decoded with a longer side of at least this, in pixels (less
where it has less), so that the smallest face that is found has the pixels that a network sees."""

_SMALLEST = 0.075
"""That face's side, in parts of the photo's longer side: what a larger network is decoded for."""


def preprocess(source: Source, spec: ModelSpec) -> NDArray[np.uint8]:
    """Turn an image into the network's input, before scaling.

    Args:
        source: Path of an image file, its bytes, a Pillow image, or an (H, W, 3) uint8 RGB array.
        spec: Gives the height, width and channels, and whether the largest face is cropped first.

    Returns:
        Array of shape (spec.height, spec.width, spec.channels), uint8, 0 to 255, C-contiguous;
        RGB or grey (ITU-R 601-2 luma, as Pillow computes it). The network's input is this
        times `spec.scale`, as float32.

    Raises:
        ImageError: If the source is not an image, is damaged, or is too large.
        NoFaceError: If the spec crops faces and there is none.
        MissingExtraError: If what finds faces is not installed.
    """
    image = open_image(source)
    try:
        return image_to_array(image, spec, name=describe(source), draft=is_encoded(source))
    finally:
        if image is not source:
            image.close()


def image_to_array(
    image: Image.Image, spec: ModelSpec, *, name: str, draft: bool
) -> NDArray[np.uint8]:
    """The part of `preprocess` that follows `open_image`.

    Args:
        image: An opened image; it is decoded here if it is not loaded.
        spec: As in `preprocess`.
        name: What to call the image in an error message.
        draft: Whether a JPEG may be decoded at a reduced scale; changes `image` itself.

    Returns:
        As `preprocess`.

    Raises:
        ImageError: If decoding fails.
        NoFaceError: As `preprocess`.
    """
    return resize(crop(_decoded(image, spec, name=name, draft=draft), spec, name=name), spec)


def preprocess_faces(source: Source, spec: ModelSpec) -> tuple[tuple[Face, NDArray[np.uint8]], ...]:
    """Turn every face of a photo into the network's input.

    Args:
        source: As in `preprocess`.
        spec: As in `preprocess`; it has `faces`.

    Returns:
        Every face, the largest first, in pixels of the whole upright image, and its array as
        `preprocess` gives it: the first is the one that `preprocess` gives of a photo.

    Raises:
        ImageError: As `preprocess`.
        MissingExtraError: As `preprocess`.
    """
    from edgeemo.imaging.faces import cropped, find_faces

    image = open_image(source)
    try:
        width = upright_size(image)[0]
        photo = _decoded(image, spec.for_photos(), name=describe(source), draft=is_encoded(source))
        return tuple(
            (face.scaled(width / photo.width), resize(cropped(photo, face, spec), spec))
            for face in find_faces(photo, spec)
        )
    finally:
        if image is not source:
            image.close()


def decode(content: bytes, spec: ModelSpec) -> Image.Image:
    """The first part of `preprocess`, to tell apart what differs or takes its time.

    Args:
        content: The bytes of an image file.
        spec: As in `preprocess`.

    Returns:
        The upright image at the scale that it was decoded at: mode "RGB" where a face is to be
        found in it, else "L" or "RGB" as the spec's channels ask for.

    Raises:
        ImageError: If it cannot be read.
    """
    return _decoded(open_image(content), spec, name="image", draft=True)


def crop(image: Image.Image, spec: ModelSpec, *, name: str = "image") -> Image.Image:
    """The part of `preprocess` after `decode`: the largest face, or the image as it is.

    Args:
        image: What `decode` gave.
        spec: As in `preprocess`.
        name: What to call the image in an error message.

    Returns:
        An image of mode "L" or "RGB" as the spec's channels ask for.

    Raises:
        NoFaceError: If a face is wanted and there is none.
        MissingExtraError: If what finds faces is not installed.
    """
    if not spec.crops_faces:
        return image
    from edgeemo.imaging.faces import cropped, find_faces

    found = find_faces(image, spec)
    if not found:
        raise NoFaceError(f"{name}: no face")
    return cropped(image, found[0], spec)


def resize(image: Image.Image, spec: ModelSpec) -> NDArray[np.uint8]:
    """The part of `preprocess` after `crop`: stretch to the network's size.

    Args:
        image: Upright, mode "L" or "RGB" as the spec's channels ask for.
        spec: Gives the height, width and channels.

    Returns:
        As `preprocess`.
    """
    small = stretched(image, spec.width, spec.height)
    return np.asarray(small).reshape(spec.input_shape)


def _decoded(image: Image.Image, spec: ModelSpec, *, name: str, draft: bool) -> Image.Image:
    grey = spec.channels == 1 and not spec.crops_faces
    try:
        seen = upright(image, grey=grey, at_least=_at_least(image, spec) if draft else None)
        seen.load()  # Pillow decodes an image that needs no conversion when it is looked at
    except Exception as error:  # a decoder fed with broken bytes raises almost anything
        raise damaged(name, error) from None
    return seen


def _at_least(image: Image.Image, spec: ModelSpec) -> tuple[int, int]:
    """Width and height that an image has to be decoded with, upright."""
    if not spec.crops_faces:
        return spec.width, spec.height
    width, height = upright_size(image)
    scale = max(PHOTO_SIDE, max(spec.width, spec.height) / _SMALLEST) / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
