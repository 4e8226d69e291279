"""The original: the Keras model of a model folder, loaded so that it takes [0, 1].

Shared by train (which answers with it) and export (which converts it). Needs the `train` extra; the
packages are imported when first needed.
"""

from __future__ import annotations

import hashlib
import os
import re
from threading import Lock
from typing import TYPE_CHECKING, Any

from edgeemo.errors import MissingExtraError, ModelFolderError
from edgeemo.model.folder import KERAS, TRAINING, ModelFolder
from edgeemo.model.spec import SCALE
from edgeemo.utils.files import sha256_file
from edgeemo.utils.redirect import drop_output

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.model.spec import ModelSpec

ORIGINALS = (KERAS, "model.h5", "model.savedmodel")
"""What the original may be called in a model folder; the last is a SavedModel folder."""


_ENDPOINT = "serving_default"
_OUTER = "edgeemo_scaled"


def import_keras() -> Any:
    """The keras package, on TensorFlow, without TensorFlow's start-up chatter.

    Raises:
        MissingExtraError: If TensorFlow or Keras is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    try:
        with drop_output():
            import keras
            import tensorflow  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "tensorflow", extra="train", purpose="training, exporting or running a Keras model"
        ) from None
    return keras


def original_path(folder: ModelFolder) -> Path:
    """The original's file (or SavedModel folder) in a model folder.

    Raises:
        ModelFolderError: If there is none.
    """
    for name in ORIGINALS:
        if (folder.path / name).exists():
            return folder.path / name
    raise ModelFolderError(f"{folder.path}: {KERAS} is missing; train or import the model again")


def original_sha256(path: Path) -> str:
    """SHA-256 of the original; of a folder, over its files' names and contents in order."""
    if path.is_file():
        return sha256_file(path)
    digest = hashlib.sha256()
    for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()}\0{sha256_file(file)}\n".encode())
    return digest.hexdigest()


def load_original(folder: ModelFolder) -> Any:
    """The folder's original as a Keras model from [0, 1] to probabilities.

    A model that was trained with another scaling (``scale`` and ``offset`` in ``training.json``)
    gets a Rescaling layer in front.

    Returns:
        A `keras.Model`: (N, H, W, C) float32 to (N, `ModelSpec.output_count`) float32.

    Raises:
        ModelFolderError: If the original is missing or cannot be loaded.
        MissingExtraError: If TensorFlow is not installed.
    """
    path = original_path(folder)
    recorded = folder.read_json(TRAINING)
    shape = folder.spec().input_shape
    return with_scaling(
        load_keras(path, input_shape=shape),
        shape,
        scale=recorded.get("scale", SCALE),
        offset=recorded.get("offset", 0.0),
    )


def load_keras(path: Path, *, input_shape: Sequence[int] | None = None) -> Any:
    """Load a ``.keras`` or ``.h5`` file or a SavedModel folder as a Keras model.

    Args:
        path: The file or folder.
        input_shape: (H, W, C); needed for a SavedModel alone, whose own is taken where it is None.

    Raises:
        ModelFolderError: If it cannot be loaded.
        MissingExtraError: If TensorFlow is not installed.
    """
    keras = import_keras()
    try:
        with drop_output():
            if path.is_dir():
                return _load_saved_model(keras, path, input_shape)
            return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises almost anything on a file that it did not write
        raise ModelFolderError(f"{path}: {_why_not_loaded(error)}") from None


def with_scaling(
    model: Any, input_shape: Sequence[int], *, scale: float, offset: float, batch: int | None = None
) -> Any:
    """A model that takes [0, 1], from one that takes pixel x scale + offset.

    Args:
        model: A Keras model.
        input_shape: (H, W, C).
        scale: The model's own multiplier of a pixel in 0 to 255.
        offset: What it adds after that.
        batch: A fixed batch size for the result, or None to open it: a Keras model whose own
            batch size is fixed answers any number then. A SavedModel's cannot be opened and stays.

    Returns:
        `model` itself where nothing has to change, else a functional model around it.
    """
    import numpy as np

    identity = np.isclose(scale, SCALE, rtol=1e-6) and offset == 0
    own_batch = model.input_shape[0]
    if identity and batch is None and (own_batch is None or _is_saved_model(model)):
        return model
    if batch is None and _is_saved_model(model):
        batch = own_batch
    keras = import_keras()
    inputs = keras.Input(batch_shape=(batch, *input_shape), name="image")
    if identity:
        return keras.Model(inputs, model(inputs), name=_OUTER)
    # Named, since Keras' own numbers count on within a process and end up in exported files.
    scaled = keras.layers.Rescaling(scale * 255, offset, name="edgeemo_scaling")(inputs)
    return keras.Model(inputs, model(scaled), name=_OUTER)


def _load_saved_model(keras: Any, path: Path, input_shape: Sequence[int] | None) -> Any:
    takes, gives = _signature(path)
    if len(takes) != 1 or len(gives) != 1:
        raise ValueError(
            f"its signature has {len(takes)} inputs and {len(gives)} outputs; one each is needed"
        )
    batch, *shape = tuple(takes[0].shape)
    if batch not in (None, 1):
        raise ValueError(
            f"it takes batches of {batch} images alone; save it with an open batch size"
        )
    inputs = keras.Input(batch_shape=(batch, *(input_shape or shape)), name="image")
    layer = keras.layers.TFSMLayer(str(path), call_endpoint=_ENDPOINT, name="saved_model")
    return keras.Model(inputs, next(iter(layer(inputs).values())), name="edgeemo_original")


def _signature(path: Path) -> tuple[list[Any], list[Any]]:
    """Input and output tensors' specs of a SavedModel."""
    import tensorflow as tf

    signatures = tf.saved_model.load(str(path)).signatures
    if _ENDPOINT not in signatures:
        raise ValueError(
            f"its signature {_ENDPOINT!r} is missing; save it with Keras' model.export()"
        )
    signature = signatures[_ENDPOINT]
    takes = list(signature.structured_input_signature[1].values())
    return takes, list(signature.structured_outputs.values())


def _is_saved_model(model: Any) -> bool:
    return any(type(layer).__name__ == "TFSMLayer" for layer in model.layers)


def _why_not_loaded(error: Exception) -> str:
    text = str(error)
    if "`Lambda` layer" in text or "Lambda" in text.partition("\n")[0]:
        return (
            "it has a Lambda layer, which is Python code that a file should not bring along; "
            "replace it with a layer of Keras, such as Rescaling"
        )
    custom = re.search(
        r"Could not locate class '([^']+)'|Unknown (?:layer|object): '([^']+)'", text
    )
    if custom:
        name = custom[1] or custom[2]
        return f"it has a layer of its own, {name}; only models of Keras' own layers can be taken"
    if text.startswith("File not found"):  # so Keras calls a file that is there but no archive
        return "not a .keras file, which is a zip archive; it is damaged or of another kind"
    reason = (text.strip().splitlines() or [type(error).__name__])[0]
    return f"not a Keras model that loads: {reason}"


class KerasEngine:
    """The original as an engine of the runtime, for comparing on a workstation."""

    def __init__(self, folder: ModelFolder) -> None:
        import numpy as np

        spec = folder.spec()
        self._model = load_original(folder)
        self._scale = np.float32(spec.scale)
        self._one_at_a_time = Lock()
        # What TensorFlow has to say it says now: nothing may be dropped once threads answer.
        answers(self._model, np.zeros((1, *spec.input_shape), np.float32))

    @property
    def name(self) -> str:
        """Package and version."""
        return f"keras {import_keras().__version__}"

    def run(self, pixels: NDArray[np.uint8]) -> Sequence[float]:
        """See `edgeemo.engines.base.Engine.run`."""
        images = (pixels * self._scale)[None]
        with self._one_at_a_time:
            return _predict(self._model, images)[0].tolist()  # type: ignore[no-any-return]

    def twin(self) -> KerasEngine:
        """See `edgeemo.engines.base.Engine.twin`: threads take turns, TensorFlow has its own."""
        return self


def answers(
    model: Any, images: NDArray[np.float32], *, batch_size: int = 32
) -> NDArray[np.float32]:
    """The original's raw outputs.

    Args:
        model: What `load_original` gave.
        images: (N, H, W, C) float32 in [0, 1].
        batch_size: Images per step, where the model leaves it open.

    Returns:
        (N, outputs) float32.
    """
    with drop_output():
        return _predict(model, images, batch_size=batch_size)


def _predict(
    model: Any, images: NDArray[np.float32], *, batch_size: int = 1
) -> NDArray[np.float32]:
    import numpy as np

    batch_size = model.input_shape[0] or batch_size
    return np.asarray(model.predict(images, batch_size=batch_size, verbose=0), np.float32)


def output_spec_problem(model: Any, spec: ModelSpec) -> str | None:
    """What is wrong between a Keras model's shapes and a spec, or None."""
    if tuple(model.input_shape[1:]) != spec.input_shape:
        return f"input {tuple(model.input_shape[1:])} is not the specification's {spec.input_shape}"
    if tuple(model.output_shape[1:]) != (spec.output_count,):
        return f"output {tuple(model.output_shape[1:])} is not ({spec.output_count},)"
    return None
