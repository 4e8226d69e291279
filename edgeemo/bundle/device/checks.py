"""One golden image: what must come of it, and whether it does here."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgeemo.bundle.device.contents import Golden
from edgeemo.errors import NoFaceError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.preprocess import decode, resize

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.spec import InputSpec
    from edgeemo.runtime.classifier import Classifier

    Places = tuple[tuple[int, int, int], ...]

Stage = Literal["image decoding", "finding faces", "resizing", "engine"]

FACE_PIXELS = 2
"""How far a face may be found from where the workstation found it, in pixels of its left and upper
edge and of its side: processors add up in another order, and places are rounded to whole pixels."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """What came of one golden image.

    Attributes:
        file: Its member.
        differs: The first stage that does not give what it gave on the workstation, or None.
        expected: The engine's outputs there.
        outputs: The engine's outputs here.
        ms: Milliseconds from the file's bytes to the outputs.
        expected_faces: Left, top and side of the faces found there, in pixels; where none were
            sought, none.
        faces: Of those found here.
    """

    file: str
    differs: Stage | None
    expected: tuple[float, ...]
    outputs: tuple[float, ...]
    ms: float
    expected_faces: Places = ()
    faces: Places = ()


def expect(classifier: Classifier, image: bytes, *, file: str, photo: bool = False) -> Golden:
    """What an image gives here and has to give everywhere.

    Args:
        classifier: The model.
        image: The file's bytes.
        file: The member that will hold it.
        photo: Whether it is one of those in which faces are found, where the model's own images
            are crops already.

    Raises:
        ImageError: If it cannot be read.
        NoFaceError: If the model answers its largest face and there is none.
    """
    spec = classifier.spec.for_photos() if photo else classifier.spec
    with open_image(image) as opened:
        decoded = decode(opened, spec)
    faces = _found(decoded, spec, classifier.detector)
    if spec.crops_faces and not faces:
        raise NoFaceError(f"{file}: no face")
    pixels = _pixels(decoded, faces, spec)
    outputs = tuple(map(float, classifier.engine.run(pixels)))
    return Golden(
        file=file,
        decoded_sha256=_sha256(decoded.tobytes()),
        pixels_sha256=_sha256(pixels.tobytes()),
        outputs=outputs,
        label=spec.answer(spec.scores(outputs)),
        faces=faces,
    )


def check(classifier: Classifier, golden: Golden, image: bytes, *, tolerance: float) -> Check:
    """Answer one golden image and find the first stage that differs.

    A face is cropped where the workstation found it, so that the stages behind have to give the
    same bytes wherever within `FACE_PIXELS` it is found here.

    Args:
        classifier: The model.
        golden: What must come of it.
        image: The file's bytes.
        tolerance: How far an output may be off.
    """
    spec = classifier.spec.for_photos() if golden.faces else classifier.spec
    start = time.perf_counter()
    with open_image(image) as opened:
        decoded = decode(opened, spec)
    faces = _found(decoded, spec, classifier.detector)
    pixels = _pixels(decoded, golden.faces, spec)
    outputs = tuple(classifier.engine.run(pixels))
    ms = (time.perf_counter() - start) * 1000
    differs: Stage | None = None
    same_pixels = _sha256(pixels.tobytes()) == golden.pixels_sha256
    if not same_pixels and _sha256(decoded.tobytes()) != golden.decoded_sha256:
        differs = "image decoding"
    elif not _same_places(faces, golden.faces):
        differs = "finding faces"
    elif not same_pixels:
        differs = "resizing"
    elif not _same(outputs, golden.outputs, tolerance):
        differs = "engine"
    return Check(
        file=golden.file, differs=differs, expected=golden.outputs, outputs=outputs, ms=ms,
        expected_faces=golden.faces, faces=faces,
    )  # fmt: skip


def _found(decoded: Image.Image, spec: InputSpec, detector: FaceDetector | None) -> Places:
    """Return left, top and side of the faces, the largest first, where the spec crops them."""
    if detector is None or not spec.crops_faces:
        return ()
    return tuple((face.left, face.top, face.side) for face in detector.detect(decoded))


def _pixels(decoded: Image.Image, faces: Places, spec: InputSpec) -> NDArray[np.uint8]:
    """What the network is fed: the first of the faces, or the image where there is none."""
    if faces:
        from edgeemo.imaging.faces import Face, crop_face

        decoded = crop_face(decoded, Face(*faces[0]), spec)
    return resize(decoded, spec)


def _same_places(here: Places, there: Places) -> bool:
    """Whether there are as many faces, each of them near one of the others."""
    return len(here) == len(there) and all(
        any(max(abs(a - b) for a, b in zip(one, other, strict=True)) <= FACE_PIXELS
            for other in here)
        for one in there
    )  # fmt: skip


def _same(outputs: Sequence[float], expected: Sequence[float], tolerance: float) -> bool:
    """Whether all outputs lie within the tolerance; something that is not a number never does."""
    return len(outputs) == len(expected) and all(
        abs(here - there) <= tolerance for here, there in zip(outputs, expected, strict=True)
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
