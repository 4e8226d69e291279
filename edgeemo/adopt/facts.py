"""From the tensors of a model file to its spec: what fits, and what the options have to add."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from edgeemo.errors import AdoptError, MissingOptionError
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.adopt.metadata import FileMetadata
    from edgeemo.adopt.options import AdoptOptions
    from edgeemo.engines.inspection import ModelFacts, TensorFacts
    from edgeemo.model.adoption import Layout

_SIGMOIDS, _SOFTMAX, _LOG_SOFTMAX = (
    ("LOGISTIC", "SIGMOID"),
    "SOFTMAX",
    ("LOG_SOFTMAX", "LOGSOFTMAX"),
)
_CHANNEL_AXIS: dict[Layout, int] = {"nhwc": 3, "nchw": 1}
_MANY = 6
_BYTE = 255


class ImageInput(NamedTuple):
    """The image that a model takes."""

    height: int
    width: int
    channels: Literal[1, 3]
    layout: Layout


class Scaling(NamedTuple):
    """Factor and addend of a pixel, one or one per channel, and where they come from, in words."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    origin: str


class Head(NamedTuple):
    """The outputs of a model."""

    activation: Literal["sigmoid", "softmax"]
    logits: bool


def read_image_input(facts: ModelFacts, path: str, layout: Layout | None) -> ImageInput:
    """Return the image that a model takes.

    Args:
        facts: The model.
        path: Its file, for messages.
        layout: The requested layout; None reads it from the shape.

    Raises:
        AdoptError: If it takes anything else than one image.
        MissingOptionError: If its shape fits both layouts.
    """
    tensor = _require_one(facts.inputs, "input", path)
    shape, shown = tensor.shape, _format_shape(tensor.shape)
    if len(shape) != 4:
        raise AdoptError(f"{path}: takes {shown}; an image, [1, height, width, 1 or 3], is needed")
    if shape[0] not in (None, 1):
        raise AdoptError(f"{path}: takes {shape[0]} images at once; convert it with a batch of 1")
    if None in shape[1:]:
        raise AdoptError(f"{path}: takes images of any size, {shown}; convert it with a fixed size")
    _check_type(tensor, path, "takes")
    fitting = [each for each, axis in _CHANNEL_AXIS.items() if shape[axis] in (1, 3)]
    if not fitting:
        raise AdoptError(f"{path}: takes {shown}; 1 or 3 channels are needed, last or second")
    if layout is not None and layout not in fitting:
        raise AdoptError(f"{path}: takes {shown}, which --layout {layout} contradicts")
    if layout is None and len(fitting) > 1:
        raise MissingOptionError(f"{path}: takes {shown}, of any layout: add --layout nhwc or nchw")
    chosen = layout or fitting[0]
    sides = [cast("int", side) for side in shape[1:]]
    channels = sides.pop(_CHANNEL_AXIS[chosen] - 1)
    return ImageInput(sides[0], sides[1], cast("Literal[1, 3]", channels), chosen)


def count_outputs(facts: ModelFacts, path: str) -> int:
    """Return the number of values that a model gives for an image.

    Raises:
        AdoptError: If it has several outputs, or one that is no list of numbers.
    """
    tensor = _require_one(facts.outputs, "output", path)
    sides = [1 if side is None and not place else side for place, side in enumerate(tensor.shape)]
    values = [side for side in sides if side != 1]
    if not sides or None in values or len(values) > 1 or sides[0] not in (1, *values):
        raise AdoptError(
            f"{path}: gives {_format_shape(tensor.shape)}; [1, K] of fixed size, one number per "
            "class, is needed"
        )
    _check_type(tensor, path, "gives")
    return prod(cast("list[int]", values))


def choose_labels(
    options: AdoptOptions, metadata: FileMetadata, *, outputs: int, path: str
) -> tuple[tuple[str, ...], str]:
    """Return the labels and where they come from, in words.

    Raises:
        AdoptError: If their number does not fit the outputs.
        MissingOptionError: If neither the options nor the file name them.
    """
    needed = max(2, outputs)
    labels = options.labels or _distinguish(metadata.labels)
    origin = "--labels" if options.labels else metadata.origin
    if not labels:
        raise MissingOptionError(
            f"{path}: does not name its {needed} labels: add --labels a,b,... in the order of its "
            "outputs" + ("" if outputs > 1 else ", the second being that of the probability")
        )
    if len(labels) != needed:
        names = ", ".join(labels[:_MANY]) + (", ..." if len(labels) > _MANY else "")
        takes = "one output takes" if outputs == 1 else f"{outputs} outputs take"
        raise AdoptError(
            f"{path}: its {takes} {needed} labels, but {origin} has {len(labels)} ({names})"
        )
    return labels, origin


def choose_scaling(
    options: AdoptOptions, metadata: FileMetadata, tensor: TensorFacts, *, path: str
) -> Scaling:
    """Return how a pixel becomes the network's input.

    A quantised input of 8 bits has as many steps as a pixel has values: where nothing else is
    given, each pixel is its step.

    Raises:
        AdoptError: If the input takes pixels as they are, and another scaling is given.
        MissingOptionError: If neither the options nor the file tell it.
    """
    is_integer = tensor.dtype != "float32"
    step, zero_point = tensor.quantization
    if is_integer and not step:
        if set(options.scale) - {1.0} or any(options.offset):
            raise AdoptError(f"{path}: takes pixels as they are (uint8): leave out --scale")
        return Scaling((1.0,), (0.0,), "its input of type uint8")
    if options.scale:
        return Scaling(options.scale, options.offset or (0.0,), "the options")
    if metadata.scale and tensor.dtype != "uint8":
        return Scaling(metadata.scale, metadata.offset, metadata.origin)
    if is_integer:
        first = 0 if tensor.dtype == "uint8" else -128
        if first == zero_point and abs(_BYTE * step - 1) <= step / 2:
            return Scaling((1 / _BYTE,), (0.0,), "the quantisation of its input")
        return Scaling((step,), ((first - zero_point) * step,), "the quantisation of its input")
    raise MissingOptionError(
        f"{path}: does not say how pixels are scaled: add --scale 1/255 for [0, 1], --scale "
        "1/127.5 --offset -1 for [-1, 1], --scale 1 for pixels as they are, or a --preprocess"
    )


def choose_head(
    options: AdoptOptions, facts: ModelFacts, *, outputs: int, path: str
) -> Head | None:
    """Return what the outputs are, by options and last operator; None where neither tells.

    Raises:
        AdoptError: If the requested activation contradicts the outputs.
        MissingOptionError: If the one output may be a logit.
    """
    last, activation = facts.last_operator, options.activation
    single = outputs == 1
    if single and last == _SOFTMAX:
        raise AdoptError(f"{path}: gives a softmax of one output, which is always 1")
    if activation in ("sigmoid", "softmax") and single != (activation == "sigmoid"):
        raise AdoptError(
            f"{path}: has {plural(outputs, 'output')}, which --activation {activation} contradicts"
        )
    if activation == "logit" and last in (*_SIGMOIDS, _SOFTMAX):
        raise AdoptError(f"{path}: ends with {last}: its outputs are no logits")
    if not single and last in _SIGMOIDS:
        raise AdoptError(
            f"{path}: gives {outputs} independent probabilities (a sigmoid each); those of classes "
            "add up to 1"
        )
    if activation == "logit" or (activation is None and last in _LOG_SOFTMAX):
        return Head("sigmoid" if single else "softmax", logits=True)
    if activation or last in (*_SIGMOIDS, _SOFTMAX):
        return Head("sigmoid" if single else "softmax", logits=False)
    if single:
        raise MissingOptionError(
            f"{path}: ends with {last or 'no operator'}, so its output may be no probability: add "
            "--activation logit, or sigmoid where it is one"
        )
    return None


def _require_one(tensors: Sequence[TensorFacts], kind: str, path: str) -> TensorFacts:
    if len(tensors) != 1:
        names = ", ".join(each.name for each in tensors[:_MANY])
        raise AdoptError(f"{path}: has {plural(len(tensors), kind)} ({names}); one is needed")
    return tensors[0]


def _check_type(tensor: TensorFacts, path: str, verb: str) -> None:
    """Refuse a tensor of a type that pixels or probabilities are not converted to or from.

    Raises:
        AdoptError: If it is of one.
    """
    if tensor.dtype not in ("float32", "uint8", "int8"):
        raise AdoptError(f"{path}: {verb} {tensor.dtype}; float32, uint8 or int8 is needed")
    takes_pixels = tensor.dtype == "uint8" and verb == "takes"
    if tensor.dtype != "float32" and not tensor.quantization[0] and not takes_pixels:
        raise AdoptError(f"{path}: {verb} {tensor.dtype} without a quantisation scale")


def _distinguish(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return labels that differ: ImageNet has two cranes."""
    found: dict[str, None] = {}
    for label in labels:
        number, name = 2, label
        while name in found:
            number, name = number + 1, f"{label} {number}"
        found[name] = None
    return tuple(found)


def _format_shape(shape: Sequence[int | None]) -> str:
    return f"[{', '.join('?' if side is None else str(side) for side in shape)}]"
