"""One golden picture: what must come of it, and whether it does here."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgeemo.bundle.device.contents import Golden
from edgeemo.preprocess import decode, preprocess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.runtime.classifier import Classifier

Stage = Literal["picture decoding", "resizing", "engine"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """What came of one golden picture.

    Attributes:
        file: Its member.
        differs: The first stage that does not give what it gave on the workstation, or None.
        expected: The engine's outputs there.
        outputs: The engine's outputs here.
        ms: Milliseconds from the file's bytes to the outputs.
    """

    file: str
    differs: Stage | None
    expected: tuple[float, ...]
    outputs: tuple[float, ...]
    ms: float


def expect(classifier: Classifier, picture: bytes, *, file: str) -> Golden:
    """What a picture gives here and has to give everywhere.

    Args:
        classifier: The model.
        picture: The file's bytes.
        file: The member that will hold it.

    Raises:
        ImageError: If it cannot be read.
    """
    spec = classifier.spec
    pixels = preprocess(picture, spec)
    outputs = tuple(map(float, classifier.engine.run(pixels)))
    return Golden(
        file=file,
        decoded_sha256=_sha256(decode(picture, spec).tobytes()),
        pixels_sha256=_sha256(pixels.tobytes()),
        outputs=outputs,
        label=spec.answer(spec.scores(outputs)),
    )


def check(classifier: Classifier, golden: Golden, picture: bytes, *, tolerance: float) -> Check:
    """Answer one golden picture and find the first stage that differs.

    Args:
        classifier: The model.
        golden: What must come of it.
        picture: The file's bytes.
        tolerance: How far an output may be off.
    """
    start = time.perf_counter()
    pixels = preprocess(picture, classifier.spec)
    outputs = tuple(classifier.engine.run(pixels))
    ms = (time.perf_counter() - start) * 1000
    differs: Stage | None = None
    if _sha256(pixels.tobytes()) != golden.pixels_sha256:
        decoded = _sha256(decode(picture, classifier.spec).tobytes())
        differs = "resizing" if decoded == golden.decoded_sha256 else "picture decoding"
    elif not _same(outputs, golden.outputs, tolerance):
        differs = "engine"
    return Check(file=golden.file, differs=differs, expected=golden.outputs, outputs=outputs, ms=ms)


def _same(outputs: Sequence[float], expected: Sequence[float], tolerance: float) -> bool:
    """Whether all outputs lie within the tolerance; something that is not a number never does."""
    return len(outputs) == len(expected) and all(
        abs(here - there) <= tolerance for here, there in zip(outputs, expected, strict=True)
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
