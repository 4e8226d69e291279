"""Choose the golden images: of every kind, and some of which the model is undecided.

A saturated prediction does not change when preprocessing or an engine is a little wrong; one near
the middle does. So at least four of the sixteen images should be undecided.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from edgeemo.bench import draw_detectable_photo
from edgeemo.bundle.device.contents import GOLDEN, PHOTO
from edgeemo.dataset import draw_golden_images
from edgeemo.dataset.synthetic import encode_image
from edgeemo.errors import BundleError, NoFaceError
from edgeemo.imaging.decode import HEAD_BYTES, sniff
from edgeemo.imaging.preprocess import preprocess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edgeemo.bundle.device.contents import GoldenImage
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.spec import ModelSpec
    from edgeemo.runtime.classifier import Classifier

COUNT = 16
"""Number of golden images."""
MIN_UNDECIDED = 4
"""Number of them that should be undecided."""

_DECIDED = 0.8  # undecided is a smaller largest probability: 0.2 < p < 0.8 for two classes
_SEEDS = 6
_HALVINGS = 12
_SIDE = 96
_SUFFIXES = {"JPEG": "jpg"}
_KINDS = 10  # the first ten are one of each kind; see edgeemo.dataset.synthetic.golden


@dataclass(frozen=True)
class _Predicted:
    """An image and its prediction.

    Attributes:
        image: The file's bytes.
        label: The class with the largest probability.
        undecided: Whether no class has a probability of `_DECIDED`.
    """

    image: bytes
    label: str
    undecided: bool


def draw_images(classifier: Classifier) -> list[bytes]:
    """Draw `COUNT` images, at least `MIN_UNDECIDED` of them undecided if possible.

    Each of the ten kinds occurs. If drawing anew is not enough, images of different predictions are
    blended: somewhere between them the prediction changes. If the model predicts the largest face
    of an image, only images with a detected face count.

    Args:
        classifier: The model.

    Returns:
        The files' contents, fewer if no face is detected in any image of a kind; the same for the
        same model and version of Pillow.

    Raises:
        BundleError: If no face is detected in any image.
    """
    drawn = chosen = _predict_all(classifier, draw_golden_images(count=COUNT))
    for seed in range(1, _SEEDS):
        if all(chosen) and not _lacks_undecided(_drop_faceless(chosen)):
            break
        others = _predict_all(classifier, draw_golden_images(count=COUNT, seed=seed))
        drawn = drawn + others
        chosen = [_choose_better(old, new) for old, new in zip(chosen, others, strict=True)]
    if _lacks_undecided(_drop_faceless(chosen)):
        chosen = _add_blends(classifier, chosen, _drop_faceless(drawn))
    origin = "drawn images; --golden test takes the test split's"
    return _list_contents(_drop_faceless(chosen), origin)


def choose_images(classifier: Classifier, sources: Iterable[bytes]) -> list[bytes]:
    """Choose `COUNT` of the images given, `MIN_UNDECIDED` of them undecided if possible.

    Args:
        classifier: The model.
        sources: Contents of image files; read until enough are found.

    Raises:
        BundleError: If no face is detected in any image.
    """
    seen: list[_Predicted] = []
    for source in sources:
        seen += _drop_faceless(_predict_all(classifier, [source]))
        if len(seen) >= COUNT and not _lacks_undecided(seen):
            break
    undecided = [each for each in seen if each.undecided][:MIN_UNDECIDED]
    others = [each for each in seen if each not in undecided]
    return _list_contents((undecided + others)[:COUNT], "test images")


def name_members(images: Iterable[bytes], detector: FaceDetector | None) -> dict[str, bytes]:
    """Return the golden images as members of a bundle.

    Args:
        images: The chosen ones.
        detector: The face detector; a drawn photo is then added, unless it detects no face in any.

    Returns:
        Path inside the bundle to content.
    """
    members = {
        f"{GOLDEN}/{number:02}.{_find_suffix(image)}": image
        for number, image in enumerate(images, 1)
    }
    photo = draw_detectable_photo(detector) if detector else None
    return {**members, PHOTO: photo} if photo else members


def count_undecided(goldens: Iterable[GoldenImage], spec: ModelSpec) -> int:
    """Return the number of golden images in which no class has a probability of 0.8."""
    return sum(max(spec.scores(golden.outputs)) < _DECIDED for golden in goldens)


def _find_suffix(image: bytes) -> str:
    format = sniff(image[:HEAD_BYTES]) or ""
    return _SUFFIXES.get(format, format.lower())


def _predict_all(classifier: Classifier, images: Iterable[bytes]) -> list[_Predicted | None]:
    """Predict images; None for one without the face that the model needs."""
    return [_predict(classifier, image) for image in images]


def _predict(classifier: Classifier, image: bytes) -> _Predicted | None:
    try:
        pixels = preprocess(image, classifier.spec, detector=classifier.detector)
        prediction = classifier.predict_pixels(pixels)
    except NoFaceError:
        return None
    return _Predicted(image, prediction.guess, max(prediction.scores.values()) < _DECIDED)


def _drop_faceless(images: Iterable[_Predicted | None]) -> list[_Predicted]:
    return [each for each in images if each]


def _choose_better(old: _Predicted | None, new: _Predicted | None) -> _Predicted | None:
    if old is None or new is None:
        return old or new
    return new if new.undecided > old.undecided else old


def _list_contents(chosen: Sequence[_Predicted], origin: str) -> list[bytes]:
    if not chosen:
        raise BundleError(f"no face is detected in any of the {origin}")
    return [each.image for each in chosen]


def _lacks_undecided(images: Iterable[_Predicted]) -> bool:
    return sum(each.undecided for each in images) < MIN_UNDECIDED


def _add_blends(
    classifier: Classifier, chosen: Sequence[_Predicted | None], seen: Sequence[_Predicted]
) -> list[_Predicted | None]:
    """Replace images whose kind occurs a second time by blends."""
    better, blends = list(chosen), _blend_pairs(classifier, seen)
    for number in range(_KINDS, COUNT):
        old = better[number]
        if not (old and old.undecided) and _lacks_undecided(_drop_faceless(better)):
            better[number] = next(blends, old)
    return better


def _blend_pairs(classifier: Classifier, seen: Sequence[_Predicted]) -> Iterator[_Predicted]:
    """Yield undecided images between pairs of different predictions."""
    ones = [each for each in seen if each.label == seen[0].label]
    others = [each for each in seen if each.label != seen[0].label]
    for one, other in zip(ones, others, strict=False):
        yield from _blend(classifier, one, other)


def _blend(classifier: Classifier, one: _Predicted, other: _Predicted) -> Iterator[_Predicted]:
    """Bisect the way from one image to the other towards the change of the prediction."""
    start, end = _open(one.image), _open(other.image)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        blend = _predict(classifier, encode_image(Image.blend(start, end, middle), "PNG"))
        if blend is None:
            return
        if blend.undecided:
            yield blend
            return
        low, high = (middle, high) if blend.label == one.label else (low, middle)


def _open(image: bytes) -> Image.Image:
    with Image.open(io.BytesIO(image)) as opened:
        return opened.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
