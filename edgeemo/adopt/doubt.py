"""The doubt about labels and scaling of an adopted model, on labelled images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.engines.load import load_engine
from edgeemo.errors import ImageError
from edgeemo.evaluate.doubts import choose_positions, judge_scalings, list_scalings
from edgeemo.evaluate.labelled import find_labelled_images, open_labelled
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.scaling import Scaling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeemo.evaluate.labelled import ClassChoice
    from edgeemo.model.adoption import Adoption
    from edgeemo.model.container import SealedModel
    from edgeemo.model.doubt import Doubt
    from edgeemo.model.spec import ModelSpec
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress


def find_doubt(
    model: SealedModel,
    data: StrPath,
    *,
    choice: ClassChoice,
    tries_scalings: bool,
    progress: Progress,
) -> Doubt | None:
    """Return the doubt about labels or scaling; None where those given are as good as others.

    Args:
        model: An adopted model.
        data: The labelled images.
        choice: The images to take of them.
        tries_scalings: Whether to try other scalings; a quantised input has its own.
        progress: Receives a stage.
    """
    spec = model.spec
    if spec.adopted is None:
        raise ValueError("not an adopted model")
    images, truth = _read_images(data, spec, choice)
    given = _to_scaling(spec.adopted)
    scalings = list(list_scalings(given, spec.channels)) if tries_scalings else [given]

    def predict(scaling: Scaling, step: int) -> NDArray[np.int64]:
        changed = replace(model, spec=_rescale(spec, scaling))
        engine = load_engine(changed)
        outputs = [np.nan_to_num(engine.run(pixels)).tolist() for pixels in images[::step]]
        return np.array([spec.guess(spec.scores(each)) for each in outputs], np.int64)

    return judge_scalings(predict, truth, spec=spec, scalings=scalings, progress=progress)


def _read_images(
    data: StrPath, spec: ModelSpec, choice: ClassChoice
) -> tuple[list[NDArray[np.uint8]], NDArray[np.int64]]:
    """Return images of the classes, evenly from all, and the index of the label of each."""
    images, truth = [], []
    with open_labelled(data) as (root, _):
        folder = find_labelled_images(root, spec.classes, choice, background=spec.background)
        known = [image for image in folder.images if image.label is not None]
        for image in (known[place] for place in choose_positions(len(known))):
            try:
                images.append(preprocess(root / image.path, spec))
            except ImageError:  # which the evaluation has told
                continue
            truth.append(spec.labels.index(str(image.label)))
    return images, np.array(truth, np.int64)


def _to_scaling(adopted: Adoption) -> Scaling:
    """Return the scaling of an adopted model, with one number where all channels have the same."""
    scale, offset = (
        values[:1] if len(set(values)) == 1 else values
        for values in (adopted.scale, adopted.offset)
    )
    return Scaling(scale=scale, offset=offset, bgr=adopted.bgr)


def _rescale(spec: ModelSpec, scaling: Scaling) -> ModelSpec:
    """Return the spec of an adopted model with another scaling."""
    scale, offset = (values[: spec.channels] for values in scaling.spread())
    adopted = spec.adopted and replace(spec.adopted, scale=scale, offset=offset, bgr=scaling.bgr)
    return replace(spec, adopted=adopted)
