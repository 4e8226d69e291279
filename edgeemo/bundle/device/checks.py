"""Record the stages of a golden image on the workstation, and check them on the device."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgeemo.bundle.device.contents import GoldenImage
from edgeemo.errors import BundleError, NoFaceError
from edgeemo.imaging.decode import open_image
from edgeemo.imaging.preprocess import decode, resize

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.input_spec import InputSpec
    from edgeemo.runtime.classifier import Classifier

    Places = tuple[tuple[int, int, int], ...]

CheckStage = Literal["image decoding", "face detection", "resizing", "engine"]

FACE_PIXELS = 2
"""Maximum distance of a face from its place on the workstation, in pixels of its left and upper
edge and of its side: processors add up in another order, and places are rounded to whole pixels."""


@dataclass(frozen=True, kw_only=True)
class GoldenCheck:
    """The outcome of one golden image.

    Attributes:
        file: Its member.
        differs: The first stage with another result than on the workstation, or None.
        expected: The engine's outputs on the workstation.
        outputs: The engine's outputs on this machine.
        ms: Milliseconds from the file's bytes to the outputs.
        expected_faces: Left, top and side of the faces detected on the workstation, in pixels.
        faces: Those of the faces detected on this machine.
    """

    file: str
    differs: CheckStage | None
    expected: tuple[float, ...]
    outputs: tuple[float, ...]
    ms: float
    expected_faces: Places = ()
    faces: Places = ()


def record_golden(
    classifier: Classifier, image: bytes, *, file: str, photo: bool = False
) -> GoldenImage:
    """Record the results that an image must have on every machine.

    Args:
        classifier: The model.
        image: The file's bytes.
        file: The member that will contain it.
        photo: Whether faces are detected in it, even if the model's own images are crops already.

    Raises:
        ImageError: If it cannot be read.
        NoFaceError: If the model predicts its largest face and there is none.
    """
    spec = classifier.spec.for_photos() if photo else classifier.spec
    with open_image(image) as opened:
        decoded = decode(opened, spec)
    faces = _detect(decoded, spec, classifier.detector)
    if spec.crops_faces and not faces:
        raise NoFaceError(f"{file}: no face")
    pixels = _preprocess(decoded, faces, spec)
    outputs = tuple(map(float, classifier.engine.run(pixels)))
    return GoldenImage(
        file=file,
        decoded_sha256=_sha256(decoded.tobytes()),
        pixels_sha256=_sha256(pixels.tobytes()),
        outputs=outputs,
        label=spec.choose_label(spec.scores(outputs)),
        faces=faces,
    )


def check_golden(
    classifier: Classifier, golden: GoldenImage, *, image: bytes, tolerance: float
) -> GoldenCheck:
    """Predict one golden image and find the first stage that differs.

    A face is cropped at its place on the workstation, so that the later stages must give the same
    bytes wherever within `FACE_PIXELS` it is detected on this machine.

    Args:
        classifier: The model.
        golden: The expected results.
        image: The file's bytes.
        tolerance: Maximum difference of an output.

    Raises:
        BundleError: If faces are cropped and the manifest records none.
        ImageError: If the image cannot be read.
    """
    spec = classifier.spec.for_photos() if golden.faces else classifier.spec
    if spec.crops_faces and not golden.faces:
        raise BundleError(f"{golden.file}: the manifest records no face in it; make it again")
    start = time.perf_counter()
    with open_image(image) as opened:
        decoded = decode(opened, spec)
    faces = _detect(decoded, spec, classifier.detector)
    pixels = _preprocess(decoded, golden.faces, spec)
    outputs = tuple(classifier.engine.run(pixels))
    ms = (time.perf_counter() - start) * 1000
    differs: CheckStage | None = None
    same_pixels = _sha256(pixels.tobytes()) == golden.pixels_sha256
    if not same_pixels and _sha256(decoded.tobytes()) != golden.decoded_sha256:
        differs = "image decoding"
    elif not _are_places_close(faces, golden.faces):
        differs = "face detection"
    elif not same_pixels:
        differs = "resizing"
    elif not _are_outputs_close(outputs, golden.outputs, tolerance):
        differs = "engine"
    return GoldenCheck(
        file=golden.file, differs=differs, expected=golden.outputs, outputs=outputs, ms=ms,
        expected_faces=golden.faces, faces=faces,
    )  # fmt: skip


def _detect(decoded: Image.Image, spec: InputSpec, detector: FaceDetector | None) -> Places:
    """Return left, top and side of the faces, the largest first, if the spec crops them."""
    if detector is None or not spec.crops_faces:
        return ()
    from edgeemo.imaging.faces import detect_faces

    return tuple((face.left, face.top, face.side) for face in detect_faces(detector, decoded))


def _preprocess(decoded: Image.Image, faces: Places, spec: InputSpec) -> NDArray[np.uint8]:
    """Return the network's input: the first of the faces, or the image if there is none."""
    if faces:
        from edgeemo.imaging.faces import Face, crop_face

        decoded = crop_face(decoded, Face(*faces[0]), spec)
    return resize(decoded, spec)


def _are_places_close(here: Places, there: Places) -> bool:
    """Return whether there are as many faces, each of them near one of the others."""
    return len(here) == len(there) and all(
        any(max(abs(a - b) for a, b in zip(one, other, strict=True)) <= FACE_PIXELS
            for other in here)
        for one in there
    )  # fmt: skip


def _are_outputs_close(
    outputs: Sequence[float], expected: Sequence[float], tolerance: float
) -> bool:
    """Return whether all outputs are within the tolerance; a NaN never is."""
    return len(outputs) == len(expected) and all(
        abs(here - there) <= tolerance for here, there in zip(outputs, expected, strict=True)
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
