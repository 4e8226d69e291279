"""Another scaling or another order of the labels, under which a model is clearly better."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.engines.load import load_engine
from edgeemo.errors import ImageError
from edgeemo.evaluate.labelled import find_labelled_images, open_labelled
from edgeemo.imaging.preprocess import preprocess
from edgeemo.metrics import find_better_order, is_clearly_better, wilson_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgeemo.evaluate.labelled import ClassChoice
    from edgeemo.evaluate.report import Evaluation
    from edgeemo.metrics import Interval
    from edgeemo.model.container import SealedModel
    from edgeemo.model.spec import ModelSpec
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

_SAMPLE = 200
"""Largest number of images on which scalings are compared."""


@dataclass(frozen=True)
class _Usual:
    """A usual scaling: a factor and an addend, one or one per channel."""

    scale: tuple[float, ...]
    offset: tuple[float, ...] = (0.0,)
    bgr: bool = False


_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, in [0, 1]
_USUAL = (
    _Usual((1 / 255,)),
    _Usual((1.0,)),
    _Usual((1 / 127.5,), (-1.0,)),
    _Usual(
        tuple(1 / (255 * std) for std in _STD),
        tuple(-mean / std for mean, std in zip(_MEAN, _STD, strict=True)),
    ),
    _Usual((1.0,), (-103.939, -116.779, -123.68), bgr=True),
)
"""Pixels in [0, 1], as they are, in [-1, 1], and as torchvision's and Caffe's networks for ImageNet
take them."""


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """Options under which a model is clearly better on the given images.

    Attributes:
        options: Options of ``edgeemo adopt`` to their values; None turns one off.
        accuracy: Accuracy with them, on these images.
        given: Accuracy with the given ones.
    """

    options: Mapping[str, str | None]
    accuracy: Interval
    given: Interval


def find_other_order(found: Evaluation, labels: Sequence[str]) -> Alternative | None:
    """Return another order of the labels that is clearly better, or None.

    Args:
        found: The evaluation with the given order.
        labels: All labels of the model in that order.
    """
    confusion = [
        [found.confusion[row].get(column, 0) for column in found.labels] for row in found.labels
    ]
    better = find_better_order(confusion)
    if better is None:
        return None
    names = dict(zip(found.labels, (found.labels[place] for place in better.order), strict=True))
    order = ",".join(names.get(label, label) for label in labels)
    return Alternative(options={"--labels": order}, accuracy=better.accuracy, given=better.given)


def find_other_scaling(
    model: SealedModel, data: StrPath, *, choice: ClassChoice, progress: Progress
) -> Alternative | None:
    """Return a usual scaling with which a model is clearly better on some images, or None.

    Args:
        model: An adopted model whose input is not quantised.
        data: The labelled images.
        choice: The images to take of them.
        progress: Receives a stage.
    """
    spec = model.spec
    images = _read_sample(data, spec, choice)
    usual = [each for each in _USUAL if spec.channels == 3 or len({*each.scale, *each.offset}) < 3]
    progress.stage("Trying other scalings", total=1 + len(usual))
    given = _measure(model, spec, images)
    progress.advance()
    found = []
    for each in usual:
        found.append((_measure(model, _rescale(spec, each), images), each))
        progress.advance()
    accuracy, best = max(found, key=lambda pair: pair[0].value)
    if not is_clearly_better(accuracy, given):
        return None
    has_offset = any(best.offset)
    return Alternative(
        options={
            "--scale": ",".join(map(format_factor, best.scale)),
            "--offset": ",".join(f"{each:.6g}" for each in best.offset) if has_offset else None,
            "--bgr": "" if best.bgr else None,
        },
        accuracy=accuracy,
        given=given,
    )


def format_factor(factor: float) -> str:
    """Return a factor as an option has it: 1/255, or a number."""
    near = round(1 / factor, 3)
    return (
        f"1/{near:g}"
        if factor < 1 and math.isclose(1 / factor, near, rel_tol=1e-6)
        else repr(factor).removesuffix(".0")
    )


def _rescale(spec: ModelSpec, usual: _Usual) -> ModelSpec:
    if spec.adopted is None:
        raise ValueError("not an adopted model")
    count = spec.channels
    return replace(
        spec,
        adopted=replace(
            spec.adopted,
            scale=usual.scale * (count if len(usual.scale) == 1 else 1),
            offset=usual.offset * (count if len(usual.offset) == 1 else 1),
            bgr=usual.bgr,
        ),
    )


def _read_sample(
    data: StrPath, spec: ModelSpec, choice: ClassChoice
) -> list[tuple[NDArray[np.uint8], str]]:
    """Return images of the classes with their labels, evenly from all that can be read."""
    with open_labelled(data) as (root, _):
        folder = find_labelled_images(root, spec.classes, choice, background=spec.background)
        known = [(root / image.path, image.label) for image in folder.images if image.label]
        places = np.unique(np.linspace(0, len(known) - 1, min(len(known), _SAMPLE)).astype(int))
        sample = []
        for path, label in (known[place] for place in places):
            try:
                sample.append((preprocess(path, spec), label))
            except ImageError:  # which the evaluation has told
                continue
        return sample


def _measure(
    model: SealedModel, spec: ModelSpec, images: Sequence[tuple[NDArray[np.uint8], str]]
) -> Interval:
    """Return the share of images whose most probable class is theirs."""
    engine = load_engine(replace(model, spec=spec))
    right = [
        spec.labels[spec.guess(spec.scores(engine.run(pixels)))] == label
        for pixels, label in images
    ]
    return wilson_interval(sum(right), len(right))
