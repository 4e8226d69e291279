"""Choose the golden images: of every kind, and some that the model is not sure about.

A saturated answer stays what it is when preprocessing or an engine is a little wrong; one near the
middle moves. So of sixteen images at least four should be undecided.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from edgeemo.bench.sample_photo import photo_for
from edgeemo.bundle.device.contents import GOLDEN, PHOTO
from edgeemo.dataset import draw_golden_images
from edgeemo.dataset.synthetic.draw import encode_image
from edgeemo.errors import BundleError, NoFaceError
from edgeemo.imaging.decode import HEAD_BYTES, sniff
from edgeemo.imaging.preprocess import preprocess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edgeemo.bundle.device.contents import Golden
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.spec import ModelSpec
    from edgeemo.runtime.classifier import Classifier

COUNT = 16
UNDECIDED = 4
"""How many of them should be undecided."""

_LARGEST_SCORE = 0.8  # below it an answer counts as undecided: 0.2 < p < 0.8 for two classes
_SEEDS = 6
_HALVINGS = 12
_SIDE = 96
_SUFFIXES = {"JPEG": "jpg"}
_KINDS = 10  # the first ten are one of each kind; see edgeemo.dataset.synthetic.golden


@dataclass(frozen=True)
class _Candidate:
    image: bytes
    label: str
    undecided: bool


def drawn_images(classifier: Classifier) -> list[bytes]:
    """Draw `COUNT` images, `UNDECIDED` or more of them undecided where such can be found.

    Each of the ten kinds occurs. Where drawing anew is not enough, images that the model answers
    differently are blended: somewhere between them it changes its mind. Where the model answers
    the largest face of an image, only those count in which one is found.

    Args:
        classifier: The model.

    Returns:
        The files' contents, fewer where no face is found in any of a kind; the same for the same
        model and version of Pillow.

    Raises:
        BundleError: If no face is found in any.
    """
    drawn = chosen = _judged(classifier, draw_golden_images(count=COUNT))
    for seed in range(1, _SEEDS):
        if all(chosen) and not _few_undecided(_usable(chosen)):
            break
        others = _judged(classifier, draw_golden_images(count=COUNT, seed=seed))
        drawn = drawn + others
        chosen = [_better(old, new) for old, new in zip(chosen, others, strict=True)]
    if _few_undecided(_usable(chosen)):
        chosen = _with_blends(classifier, chosen, _usable(drawn))
    return _contents(_usable(chosen), "drawn images; --golden test takes the test split's")


def images_of(classifier: Classifier, sources: Iterable[bytes]) -> list[bytes]:
    """Choose `COUNT` of the images given, `UNDECIDED` of them undecided where such come along.

    Args:
        classifier: The model.
        sources: Image files' contents; read until enough are found.

    Raises:
        BundleError: As `drawn_images`.
    """
    seen: list[_Candidate] = []
    for source in sources:
        seen += _usable(_judged(classifier, [source]))
        if len(seen) >= COUNT and not _few_undecided(seen):
            break
    undecided = [each for each in seen if each.undecided][:UNDECIDED]
    others = [each for each in seen if each not in undecided]
    return _contents((undecided + others)[:COUNT], "test images")


def golden_members(images: Iterable[bytes], detector: FaceDetector | None) -> dict[str, bytes]:
    """The golden images as members of a bundle.

    Args:
        images: The chosen ones.
        detector: The face detector; with one there is a drawn photo, too, unless it finds no face
            in any.

    Returns:
        Path inside the bundle to content.
    """
    members = {
        f"{GOLDEN}/{number:02}.{_suffix(image)}": image for number, image in enumerate(images, 1)
    }
    photo = photo_for(detector) if detector else None
    return {**members, PHOTO: photo} if photo else members


def undecided_count(goldens: Iterable[Golden], spec: ModelSpec) -> int:
    """How many golden answers are undecided: no class has 0.8 or more."""
    return sum(max(spec.scores(golden.outputs)) < _LARGEST_SCORE for golden in goldens)


def _suffix(image: bytes) -> str:
    format = sniff(image[:HEAD_BYTES]) or ""
    return _SUFFIXES.get(format, format.lower())


def _judged(classifier: Classifier, images: Iterable[bytes]) -> list[_Candidate | None]:
    """What the model makes of each; None where it wants a face and there is none."""
    return [_judge(classifier, image) for image in images]


def _judge(classifier: Classifier, image: bytes) -> _Candidate | None:
    try:
        pixels = preprocess(image, classifier.spec, detector=classifier.detector)
        answer = classifier.predict_pixels(pixels)
    except NoFaceError:
        return None
    return _Candidate(image, answer.guess, max(answer.scores.values()) < _LARGEST_SCORE)


def _usable(candidates: Iterable[_Candidate | None]) -> list[_Candidate]:
    return [each for each in candidates if each]


def _better(old: _Candidate | None, new: _Candidate | None) -> _Candidate | None:
    if old is None or new is None:
        return old or new
    return new if new.undecided > old.undecided else old


def _contents(chosen: Sequence[_Candidate], of: str) -> list[bytes]:
    if not chosen:
        raise BundleError(f"no face is found in any of the {of}")
    return [candidate.image for candidate in chosen]


def _few_undecided(candidates: Iterable[_Candidate]) -> bool:
    return sum(candidate.undecided for candidate in candidates) < UNDECIDED


def _with_blends(
    classifier: Classifier, chosen: Sequence[_Candidate | None], seen: Sequence[_Candidate]
) -> list[_Candidate | None]:
    """Blends in place of images whose kind occurs a second time."""
    better, blends = list(chosen), _blends(classifier, seen)
    for number in range(_KINDS, COUNT):
        old = better[number]
        if not (old and old.undecided) and _few_undecided(_usable(better)):
            better[number] = next(blends, old)
    return better


def _blends(classifier: Classifier, seen: Sequence[_Candidate]) -> Iterator[_Candidate]:
    """Undecided images between pairs that the model answers differently."""
    ones = [each for each in seen if each.label == seen[0].label]
    others = [each for each in seen if each.label != seen[0].label]
    for one, other in zip(ones, others, strict=False):
        yield from _between(classifier, one, other)


def _between(classifier: Classifier, one: _Candidate, other: _Candidate) -> Iterator[_Candidate]:
    """Halve the way from one image to the other towards where the answer changes."""
    start, end = _opened(one.image), _opened(other.image)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        blend = _judge(classifier, encode_image(Image.blend(start, end, middle), "PNG"))
        if blend is None:
            return
        if blend.undecided:
            yield blend
            return
        low, high = (middle, high) if blend.label == one.label else (low, middle)


def _opened(image: bytes) -> Image.Image:
    with Image.open(io.BytesIO(image)) as opened:
        return opened.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
