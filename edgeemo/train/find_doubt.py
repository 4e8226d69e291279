"""Find out whether other labels or another scaling fit an imported model far better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.evaluate.doubts import choose_positions, judge_scalings, list_scalings
from edgeemo.model.keras import import_keras
from edgeemo.model.keras_ends import add_ends
from edgeemo.model.keras_engine import predict
from edgeemo.model.scaling import Head, Scaling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgeemo.model.doubt import Doubt
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import Split
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.utils.progress import Progress

_CHUNK = 64


def find_doubt(
    model: Any,
    pixels: Mapping[Split, Pixels],
    *,
    spec: ModelSpec,
    scaling: Scaling,
    head: Head,
    progress: Progress,
) -> Doubt | None:
    """Return the doubt about labels or scaling; None where those given are as good as others.

    Args:
        model: The Keras model as loaded.
        pixels: The images of all splits.
        spec: Spec of the model.
        scaling: Its scaling, as given.
        head: Meaning of its output.
        progress: Gets a stage.
    """
    rows, truth = _choose_images(pixels)
    network = add_ends(import_keras(), model, spec.input_shape, scaling=Scaling(), head=head)

    def predict_some(each: Scaling, step: int) -> NDArray[np.int64]:
        return _predict(network, rows[::step], spec=spec, scaling=each)

    return judge_scalings(
        predict_some,
        truth,
        spec=spec,
        scalings=list(list_scalings(scaling, spec.channels)),
        progress=progress,
    )


def _choose_images(
    pixels: Mapping[Split, Pixels],
) -> tuple[list[NDArray[np.uint8]], NDArray[np.int64]]:
    """Return images evenly spread over the splits, and with that over the classes."""
    places = [(split, row) for split, each in pixels.items() for row in range(len(each))]
    picked = [places[place] for place in choose_positions(len(places))]
    truth = np.array([pixels[split].truth[row] for split, row in picked], np.int64)
    return [pixels[split].rows[row] for split, row in picked], truth


def _predict(
    network: Any, rows: list[NDArray[np.uint8]], *, spec: ModelSpec, scaling: Scaling
) -> NDArray[np.int64]:
    """Return the index of the most probable output, (N,)."""
    predicted: list[int] = []
    for start in range(0, len(rows), _CHUNK):
        images = _apply(np.stack(rows[start : start + _CHUNK]), scaling)
        outputs = np.nan_to_num(predict(network, images))
        predicted += [spec.decide(spec.scores(row)) for row in outputs.tolist()]
    return np.array(predicted, np.int64)


def _apply(pixels: NDArray[np.uint8], scaling: Scaling) -> NDArray[np.float32]:
    ordered = pixels[..., ::-1] if scaling.bgr else pixels
    scale, offset = (np.array(each, np.float32) for each in (scaling.scale, scaling.offset))
    return np.asarray(ordered * scale + offset, np.float32)
