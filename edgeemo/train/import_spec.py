"""The spec of a model of somebody else: one image in, one probability per label out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from edgeemo.errors import TrainingError
from edgeemo.model.keras_head import NAMED, find_head
from edgeemo.model.spec import ModelSpec
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.model.keras_head import ModelHead
    from edgeemo.model.scaling import Head, Scaling


def read_spec(model: Any, path: Path, *, labels: tuple[str, ...], threshold: float) -> ModelSpec:
    """Return the spec of a Keras model.

    Args:
        model: The loaded model.
        path: Its file or folder, for messages.
        labels: Class labels in the order of the outputs.
        threshold: With two labels, the probability from which on the second is predicted.

    Raises:
        TrainingError: If the model is not one image in, one probability per label out.
        SpecError: If labels or threshold are invalid.
    """
    height, width, channels = _input_shape(model, path)
    outputs = _output_count(model, path)
    expected = 2 if outputs == 1 else outputs
    if len(labels) != expected:
        raise TrainingError(
            f"{path}: {plural(outputs, 'output takes', 'outputs take')} {expected} labels, but "
            f"{len(labels)} are given ({', '.join(labels)}); name one per class, in order"
        )
    return ModelSpec(
        labels=labels,
        height=height,
        width=width,
        channels=channels,
        activation="sigmoid" if outputs == 1 else "softmax",
        threshold=threshold,
    )


def _input_shape(model: Any, path: Path) -> tuple[int, int, Literal[1, 3]]:
    tensors = _tensors(model, "inputs", path)
    shape = tuple(tensors[0].shape)[1:]
    if len(shape) == 3 and shape[0] in (1, 3) and shape[2] not in (1, 3):
        raise TrainingError(
            f"{path}: takes {_format_shape(shape)}, channels first, which TensorFlow runs on "
            "graphics cards only; build it with data_format='channels_last' and save it again"
        )
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise TrainingError(
            f"{path}: takes {_format_shape(shape)}; an image of height × width × 1 or 3 is needed"
        )
    if None in shape:
        raise TrainingError(
            f"{path}: takes images of any size ({_format_shape(shape)}); save it with a fixed "
            "size, as keras.Input((H, W, C)) does"
        )
    kind = str(tensors[0].dtype)
    if "float" not in kind:
        raise TrainingError(f"{path}: takes {kind}; give it a float32 input and name its --scale")
    return shape


def _output_count(model: Any, path: Path) -> int:
    shape = tuple(_tensors(model, "outputs", path)[0].shape)[1:]
    if len(shape) != 1 or not shape[0]:
        raise TrainingError(
            f"{path}: gives {_format_shape(shape)}; one probability per class is needed"
        )
    return int(shape[0])


def _tensors(model: Any, side: Literal["inputs", "outputs"], path: Path) -> list[Any]:
    try:
        tensors = list(getattr(model, side))
    except (AttributeError, ValueError, TypeError):
        raise TrainingError(
            f"{path}: its input size is not fixed; start the model with keras.Input((H, W, C)) "
            "and save it again"
        ) from None
    if len(tensors) != 1:
        raise TrainingError(f"{path}: has {len(tensors)} {side}; exactly one is needed")
    return tensors


def _format_shape(shape: Sequence[int | None]) -> str:
    return "×".join("?" if side is None else str(side) for side in shape) or "a single number"


def check_channels(spec: ModelSpec, path: Path, scaling: Scaling) -> None:
    """Refuse a scaling of three channels for a model of grey images.

    Raises:
        TrainingError: If that is so.
    """
    if scaling.needs_colour and spec.channels == 1:
        raise TrainingError(
            f"{path}: takes grey images, which have one channel: give one number each for --scale "
            "and --offset, without --bgr"
        )


def choose_head(model: Any, path: Path, spec: ModelSpec, *, given: Head | None) -> Head:
    """Return the meaning of a model's output, by its last operations.

    Args:
        model: The loaded model.
        path: Its file or folder, for messages.
        spec: Its spec.
        given: The meaning that the user names; None to find out.

    Raises:
        TrainingError: If the output is no probability, or is not what the user names.
    """
    try:
        head = find_head(model, spec.input_shape)
    except Exception:  # TensorFlow raises almost anything; the values are still checked
        return given or "probability"
    if head.is_constant:
        raise TrainingError(
            f"{path}: its last operation is a softmax over one output, which is always 1; train it "
            "again with a sigmoid, or with one output per label"
        )
    if given == "logit":
        _check_logit(head, path)
    elif given is None and not head.is_probability:
        raise TrainingError(f"{path}: {_describe_no_probability(head, spec)}")
    return given or "probability"


def _check_logit(head: ModelHead, path: Path) -> None:
    if head.is_probability:
        raise TrainingError(
            f"{path}: --head logit, but its outputs are probabilities already: its last operation "
            f"is {head}; leave out --head"
        )
    if head.count == 1 and head.low >= 0:
        raise TrainingError(
            f"{path}: --head logit, but its output is never below 0: its last operation is {head}, "
            "so every image would get the second label; end the model with a sigmoid"
        )


def _describe_no_probability(head: ModelHead, spec: ModelSpec) -> str:
    if head.operation == "sigmoid":
        return (
            f"its last operation is a sigmoid of each of {head.count} outputs, for labels that may "
            "hold at once; end the model with a softmax, or give --head logit, by which the "
            "largest output decides and probabilities are flat"
        )
    if head.count == 1 and head.low >= 0:
        return (
            f"its last operation is {head}, which gives no probability; end the model with a "
            "sigmoid (--head logit is for outputs on both sides of 0)"
        )
    known = head.operation in NAMED
    other = "" if known else ", --head probability if it is one all the same"
    return (
        f"its last operation is {head}, which gives no probability; give --head logit if it is the "
        f"logit of a {spec.activation}{other}, or end the model with a {spec.activation}"
    )
