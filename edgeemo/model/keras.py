"""The reference model: the Keras model of a model folder, loaded so that it takes [0, 1].

Shared by train, which predicts with it, and export, which converts it. Needs the `train` extra; the
packages are imported when first needed.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from edgeemo.errors import MissingExtraError, ModelFolderError
from edgeemo.model.file_kind import describe_useless
from edgeemo.model.folder import KERAS, ModelFolder
from edgeemo.model.keras_adapt import adapt_model
from edgeemo.model.keras_config import open_compatible
from edgeemo.model.keras_ends import add_ends
from edgeemo.model.keras_errors import UnsuitableError, describe_load_error
from edgeemo.model.keras_name import name_by_content
from edgeemo.model.saved_model import check_saved_model, open_compatible_folder
from edgeemo.model.scaling import Scaling
from edgeemo.utils.files import sha256_file
from edgeemo.utils.interrupt import stems_from_interrupt
from edgeemo.utils.isolate import isolate_imports
from edgeemo.utils.redirect import drop_output, shows_output

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.model.spec import ModelSpec

REFERENCE_MODELS = (KERAS, "model.h5", "model.savedmodel")
"""Names of the reference model in a model folder; the last is a SavedModel folder."""

_ENDPOINT = "serving_default"


def import_keras() -> Any:
    """Return the keras package, on TensorFlow, imported without TensorFlow's start-up messages.

    Raises:
        MissingExtraError: If TensorFlow or Keras is not installed.
    """
    if not shows_output():
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    try:
        with drop_output(), isolate_imports():
            import keras
            import tensorflow  # noqa: F401
    except ImportError as error:
        if stems_from_interrupt(error):
            raise KeyboardInterrupt from None
        raise MissingExtraError(
            "tensorflow", extra="train", purpose="training, exporting or running a Keras model"
        ) from None
    return keras


def find_reference_model(folder: ModelFolder) -> Path:
    """Return the path of a model folder's reference model, a file or a SavedModel folder.

    Raises:
        ModelFolderError: If there is none.
    """
    for name in REFERENCE_MODELS:
        if (folder.path / name).exists():
            return folder.path / name
    folder.refuse_adopted()
    raise ModelFolderError(f"{folder.path}: {KERAS} is missing; train or import the model again")


def hash_reference_model(path: Path) -> str:
    """Return the SHA-256 of a reference model; of a folder, over its files' names and contents."""
    if path.is_file():
        return sha256_file(path)
    digest = hashlib.sha256()
    for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()}\0{sha256_file(file)}\n".encode())
    return digest.hexdigest()


def load_reference_model(folder: ModelFolder) -> Any:
    """Return a model folder's reference model, from [0, 1] to probabilities.

    A model that was trained with another scaling, or that gives logits, gets layers for that, as
    ``training.json`` says.

    Returns:
        A `keras.Model`: (N, H, W, C) float32 to (N, `ModelSpec.output_count`) float32.

    Raises:
        ModelFolderError: If the reference model is missing or cannot be loaded.
        MissingExtraError: If TensorFlow is not installed.
    """
    path = find_reference_model(folder)
    training = folder.read_training()
    shape = folder.read_spec().input_shape
    model = load_keras(path, input_shape=shape)
    return add_ends(
        import_keras(),
        model,
        shape,
        scaling=training.scaling or Scaling(),
        head=training.head,
    )


def load_keras(path: Path, *, input_shape: Sequence[int] | None = None) -> Any:
    """Load a ``.keras`` or ``.h5`` file or a SavedModel folder as a Keras model.

    Args:
        path: The file or folder.
        input_shape: (H, W, C) of a SavedModel, by default that of its signature; of no use
            otherwise.

    Returns:
        A `keras.Model`.

    Raises:
        ModelFolderError: If it cannot be loaded, or holds anything that reaches beyond the model.
        MissingExtraError: If TensorFlow is not installed.
    """
    if useless := describe_useless(path):
        raise ModelFolderError(f"{path}: {useless}")
    with name_by_content(path) as named:
        try:
            return _load_named(named, input_shape)
        except ModelFolderError as error:
            raise ModelFolderError(str(error).replace(str(named), str(path))) from None


def _load_named(path: Path, input_shape: Sequence[int] | None) -> Any:
    keras = import_keras()
    if path.is_dir():
        check_saved_model(path)
    try:
        with drop_output():
            if path.is_dir():
                return _load_saved_model(keras, path, input_shape)
            with open_compatible(path) as file:
                model = keras.models.load_model(file, compile=False, safe_mode=True)
            return adapt_model(keras, model)
    except Exception as error:  # Keras raises almost anything on a file that it did not write
        raise ModelFolderError(f"{path}: {describe_load_error(error)}") from None


def _load_saved_model(keras: Any, path: Path, input_shape: Sequence[int] | None) -> Any:
    with open_compatible_folder(path) as folder:
        return _wrap_saved_model(keras, folder, input_shape)


def _wrap_saved_model(keras: Any, path: Path, input_shape: Sequence[int] | None) -> Any:
    specs, outputs = _read_signature(path)
    if len(specs) != 1 or len(outputs) != 1:
        raise UnsuitableError(
            f"its signature has {len(specs)} inputs and {len(outputs)} outputs; one each is needed"
        )
    batch, *shape = tuple(specs[0].shape)
    if batch not in (None, 1):
        raise UnsuitableError(
            f"it takes batches of {batch} images only; save it with an open batch size"
        )
    if specs[0].dtype.name != "float32":
        raise UnsuitableError(
            f"it takes {specs[0].dtype.name}; save it with a float32 input and name its --scale"
        )
    # The names given here stand in exported files: they stay as they are.
    inputs = keras.Input(batch_shape=(batch, *(input_shape or shape)), name="image")
    layer = keras.layers.TFSMLayer(str(path), call_endpoint=_ENDPOINT, name="saved_model")
    return keras.Model(inputs, next(iter(layer(inputs).values())), name="edgeemo_original")


def _read_signature(path: Path) -> tuple[list[Any], list[Any]]:
    """Return the specs of a SavedModel's input and output tensors."""
    import tensorflow as tf

    signatures = tf.saved_model.load(str(path)).signatures
    if _ENDPOINT not in signatures:
        raise UnsuitableError(
            f"its signature {_ENDPOINT!r} is missing; save it with Keras' model.export()"
        )
    signature = signatures[_ENDPOINT]
    inputs = list(signature.structured_input_signature[1].values())
    return inputs, list(signature.structured_outputs.values())


def find_shape_problem(model: Any, spec: ModelSpec) -> str | None:
    """Return in words how a Keras model's shapes contradict a spec; None if they do not."""
    if tuple(model.input_shape[1:]) != spec.input_shape:
        return f"input {tuple(model.input_shape[1:])} is not the spec's {spec.input_shape}"
    if tuple(model.output_shape[1:]) != (spec.output_count,):
        return f"output {tuple(model.output_shape[1:])} is not ({spec.output_count},)"
    return None


def freeze(model: Any, input_shape: Sequence[int]) -> Any:
    """Return a Keras model as one graph without variables, for one image (or its fixed batch).

    Args:
        model: A `keras.Model` with one input and one output.
        input_shape: (H, W, C).

    Returns:
        A concrete function of TensorFlow, its functions inlined.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    def predict(image: Any) -> Any:
        return model(image, training=False)

    shape = (model.input_shape[0] or 1, *input_shape)
    traced = tf.function(predict, autograph=False)
    concrete = traced.get_concrete_function(tf.TensorSpec(shape, tf.float32))
    return convert_variables_to_constants_v2(concrete, lower_control_flow=False)
