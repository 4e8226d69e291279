"""Five networks of keras.applications as backbones: features for a new head of one dense layer.

Each becomes one flat graph of named layers: ``image`` in [0, 1], the preprocessing of the backbone,
its layers under their own names, the mean over the image, dropout, ``prob``.

The preprocessing is one 1x1 convolution with fixed weights: it scales, shifts, reorders RGB to BGR
and repeats a grey channel three times, all exactly, and int8 quantises it like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

PREPROCESSING = "preprocessing"
"""Name of the layer of a backbone's preprocessing."""

_CHANNELS = 3
_DROPOUT = 0.2
_MOMENTUM = 0.99
"""Momentum of batch normalisation. Keras' MobileNets have 0.999, for a million images: after a few
thousand steps from random weights the statistics would still be those of earlier weights."""

_PUBLISHED = "https://storage.googleapis.com/tensorflow/keras-applications/"
_OWN_PREPROCESSING = ("Rescaling", "Normalization")


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """The preprocessing with which a backbone was trained on ImageNet.

    Channel k of its input is multiplier[k] * RGB[order[k]] + addend[k], RGB in [0, 1].

    Attributes:
        multiplier: Multiplier of each channel.
        addend: Addend of each channel.
        order: Source of each channel: red, green or blue (0, 1, 2).
    """

    multiplier: tuple[float, float, float]
    addend: tuple[float, float, float]
    order: tuple[int, int, int] = (0, 1, 2)

    def weights(self, channels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return kernel (1, 1, channels, 3) and bias (3,) of the convolution.

        Args:
            channels: Channels of the image: 3 (RGB) or 1 (grey, for all three).
        """
        import numpy as np

        kernel = np.zeros((1, 1, channels, _CHANNELS), np.float32)
        for channel, source in enumerate(self.order):
            kernel[0, 0, source if channels == _CHANNELS else 0, channel] = self.multiplier[channel]
        return kernel, np.asarray(self.addend, np.float32)


_MINUS_ONE_TO_ONE = Preprocessing(multiplier=(2.0, 2.0, 2.0), addend=(-1.0, -1.0, -1.0))
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_STANDARDISED = Preprocessing(
    multiplier=(1 / _DEVIATION[0], 1 / _DEVIATION[1], 1 / _DEVIATION[2]),
    addend=(
        -_MEAN[0] / _DEVIATION[0],
        -_MEAN[1] / _DEVIATION[1],
        -_MEAN[2] / _DEVIATION[2],
    ),
)
_CAFFE = Preprocessing(
    multiplier=(255.0, 255.0, 255.0), addend=(-103.939, -116.779, -123.68), order=(2, 1, 0)
)


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A network of keras.applications.

    Attributes:
        application: Name of the function in `keras.applications`.
        options: Additional arguments of the function.
        preprocessing: Its preprocessing.
        folder: URL of the folder of its ImageNet weights; ends in "/".
        weights_file: Name of the file there, and in Keras' cache; "{side}" stands for the size.
        md5: MD5 of the file as of keras.applications; None where it has none.
        size: Default height and width of the input, in pixels: five halvings leave 3x3, and a face
            crop seldom has more pixels.
        min_side: Smallest side of the input that keras.applications takes, in pixels.
    """

    application: str
    options: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: Preprocessing
    folder: str
    weights_file: str
    md5: str | None = None
    size: int = 96
    min_side: int = 32

    is_backbone = True
    """Whether ImageNet weights are published, below which the head can be trained alone."""

    def weights_filename(self, input_shape: Sequence[int]) -> str:
        """Return the name of the file of ImageNet weights for an image of that shape."""
        height, width = input_shape[:2]
        known = height == width and height in (96, 128, 160, 192, 224)
        return self.weights_file.format(side=height if known else 224)

    def build_application(self, input_shape: Sequence[int]) -> Any:
        """Build the network of keras.applications with random weights, without its head.

        Args:
            input_shape: (H, W, C); the network always takes three channels.
        """
        application = getattr(import_keras().applications, self.application)
        return application(
            include_top=False,
            weights=None,
            input_shape=(*input_shape[:2], _CHANNELS),
            **self.options,
        )


BACKBONES: Mapping[str, Backbone] = MappingProxyType(
    {
        "mobilenet-v3-small": Backbone(
            application="MobileNetV3Small",
            options={"include_preprocessing": False},
            preprocessing=_MINUS_ONE_TO_ONE,
            folder=f"{_PUBLISHED}mobilenet_v3/",
            weights_file="weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
            md5="d3e8ec802a04aa4fc771ee12a9a9b836",
        ),
        "mobilenet-v2": Backbone(
            application="MobileNetV2",
            preprocessing=_MINUS_ONE_TO_ONE,
            folder=f"{_PUBLISHED}mobilenet_v2/",
            weights_file="mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{side}_no_top.h5",
        ),
        "efficientnet-b0": Backbone(
            application="EfficientNetB0",
            preprocessing=_STANDARDISED,
            folder="https://storage.googleapis.com/keras-applications/",
            weights_file="efficientnetb0_notop.h5",
            md5="50bc09e76180e00e4465e1a485ddc09d",
        ),
        "resnet50": Backbone(
            application="ResNet50",
            preprocessing=_CAFFE,
            folder=f"{_PUBLISHED}resnet/",
            weights_file="resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
            md5="4d473c1dd8becc155b73f8504c6f6626",
        ),
        "vgg16": Backbone(
            application="VGG16",
            preprocessing=_CAFFE,
            folder=f"{_PUBLISHED}vgg16/",
            weights_file="vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
            md5="6d6bbae143d832006294945121d1f1fc",
        ),
    }
)
"""Name to backbone."""


def build_backbone_features(backbone: Backbone, image: Any, source: Any) -> Any:
    """Apply a backbone's layers to an image.

    Args:
        backbone: The backbone.
        image: The Keras input, (N, H, W, C) in [0, 1].
        source: The network of `Backbone.build_application`; its weights are copied.

    Returns:
        A Keras tensor, (N, K): the mean over the image of each feature, after dropout.
    """
    keras = import_keras()
    values = _LayerCopier(backbone, image).copy(source)
    values = keras.layers.GlobalAveragePooling2D(name="pool")(values)
    return keras.layers.Dropout(_DROPOUT, name="dropout")(values)


class _LayerCopier:
    """A copier of a network's layers, which calls them on the preprocessed image."""

    def __init__(self, backbone: Backbone, image: Any) -> None:
        self._keras = import_keras()
        self._image = image
        self._preprocessing = _make_preprocessing_layer(backbone.preprocessing, image.shape[-1])
        self._counts: dict[str, int] = {}
        self._pairs: list[tuple[Any, Any]] = []

    def copy(self, source: Any) -> Any:
        """Return the source's features of the image, with the source's weights."""
        copied = self._keras.models.clone_model(
            source,
            input_tensors=self._image,
            clone_function=self._copy_layer,
            call_function=self._call,
        )
        for original, copy in self._pairs:
            copy.set_weights(original.get_weights())
        return copied.outputs[0]

    def _copy_layer(self, layer: Any) -> Any:
        config = {**layer.get_config(), "name": self._rename(layer)}
        if isinstance(layer, self._keras.layers.BatchNormalization):
            config["momentum"] = _MOMENTUM
        copied = type(layer).from_config(config)
        own = type(layer).__name__ in _OWN_PREPROCESSING
        if isinstance(layer, self._keras.Layer) and layer.weights and not own:
            self._pairs.append((layer, copied))
        return copied

    def _rename(self, layer: Any) -> str:
        """Return the layer's own name; one that Keras numbered per process is numbered anew."""
        kind = type(layer).__name__.lower()
        if re.sub(r"_\d+$", "", layer.name).replace("_", "") != kind:
            return str(layer.name)
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"{kind}_{self._counts[kind]}"

    def _call(self, layer: Any, tensor: Any, *args: Any, **kwargs: Any) -> Any:
        if tensor is self._image:
            tensor = self._preprocessing(tensor)
        if type(layer).__name__ in _OWN_PREPROCESSING:
            return tensor
        return layer(tensor, *args, **kwargs)


def _make_preprocessing_layer(preprocessing: Preprocessing, channels: int) -> Any:
    layer = import_keras().layers.Conv2D(_CHANNELS, 1, name=PREPROCESSING, trainable=False)
    layer.build((None, None, None, channels))
    layer.set_weights(preprocessing.weights(channels))
    return layer
