"""Predictions of a Keras model: in batches, and as an engine of the runtime.

Needs the `train` extra; the packages are imported when first needed.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras, load_reference_model
from edgeemo.utils.redirect import drop_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.model.folder import ModelFolder


class KerasEngine:
    """The reference model as an engine of the runtime, for comparisons on a workstation."""

    def __init__(self, folder: ModelFolder) -> None:
        import numpy as np

        spec = folder.read_spec()
        self._model = load_reference_model(folder)
        self._scale = np.float32(spec.scale)
        self._one_at_a_time = Lock()
        # TensorFlow prints at its first prediction, and nothing may be dropped once threads run.
        predict(self._model, np.zeros((1, *spec.input_shape), np.float32))

    @property
    def name(self) -> str:
        """Return the package and its version."""
        return f"keras {import_keras().__version__}"

    def run(self, pixels: NDArray[np.uint8]) -> Sequence[float]:
        """Run the model on one image; see `edgeemo.engines.base.Engine.run`."""
        images = (pixels * self._scale)[None]
        with self._one_at_a_time:
            return _predict(self._model, images)[0].tolist()  # type: ignore[no-any-return]


def predict(
    model: Any, images: NDArray[np.float32], *, batch_size: int = 32
) -> NDArray[np.float32]:
    """Return the raw outputs of a Keras model.

    Args:
        model: A `keras.Model`, as of `edgeemo.model.keras.load_reference_model`.
        images: (N, H, W, C) float32 in [0, 1].
        batch_size: Images per step, if the model leaves it open.

    Returns:
        (N, outputs) float32.
    """
    with drop_output():
        return _predict(model, images, batch_size=batch_size)


def predict_at_once(model: Any, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the raw outputs of a Keras model for a few images, sooner than `predict` does.

    Args:
        model: As of `predict`.
        images: As of `predict`; they are one batch if the model leaves its size open.
    """
    import numpy as np

    if model.input_shape[0]:
        return predict(model, images)
    with drop_output():  # TensorFlow warns of batches of another size
        return np.asarray(model.predict_on_batch(images), np.float32)


def _predict(
    model: Any, images: NDArray[np.float32], *, batch_size: int = 1
) -> NDArray[np.float32]:
    import numpy as np

    batch_size = model.input_shape[0] or batch_size
    return np.asarray(model.predict(images, batch_size=batch_size, verbose=0), np.float32)
