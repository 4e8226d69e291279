"""Five networks of keras.applications as backbones: features for a new head of one dense layer.

Each becomes one flat graph of named layers: ``image`` in [0, 1], the backbone's own preprocessing,
its layers under their own names, the mean over the image, dropout, ``prob``.

The preprocessing is one 1x1 convolution whose weights are fixed: it scales, shifts, puts RGB into
BGR and makes a grey image three equal channels, all exactly, and int8 quantises it as any other.
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
"""Name of the layer that does a backbone's own preprocessing."""

_CHANNELS = 3
_DROPOUT = 0.2
_MOMENTUM = 0.99
"""Of batch normalisation's averages. Keras' MobileNets have 0.999, made for a million images: a
few thousand steps from random weights would end with statistics of networks long gone."""

_PUBLISHED = "https://storage.googleapis.com/tensorflow/keras-applications/"
_OWN_PREPROCESSING = ("Rescaling", "Normalization")


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """What a backbone's images went through when it was trained on ImageNet.

    Channel k of its input is multiplier[k] * RGB[order[k]] + addend[k], RGB in [0, 1].

    Attributes:
        multiplier: One per channel.
        addend: One per channel.
        order: Which of red, green and blue (0, 1, 2) each channel is.
    """

    multiplier: tuple[float, float, float]
    addend: tuple[float, float, float]
    order: tuple[int, int, int] = (0, 1, 2)

    def weights(self, channels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Kernel (1, 1, channels, 3) and bias (3,) of the convolution that does it.

        Args:
            channels: 3 (RGB), or 1: a grey image is red, green and blue alike.
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
        application: Its function in `keras.applications`.
        options: What the function is given besides.
        preprocessing: What its images go through.
        folder: Where its ImageNet weights are published, a URL that ends in "/".
        weights_file: Name of the file there, and in Keras' cache; "{side}" stands for the size.
        md5: The file's MD5 as keras.applications states it; None where it states none.
        size: Height and width that the network takes unless told otherwise, in pixels: five
            halvings leave 3x3, and a face crop seldom has more pixels than that to give.
        min_side: The smallest input side that keras.applications takes, in pixels.
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
    """That ImageNet weights exist, and that it can be frozen below its head."""

    def weights_filename(self, input_shape: Sequence[int]) -> str:
        """Name of the file with its ImageNet weights for an image of that shape."""
        height, width = input_shape[:2]
        known = height == width and height in (96, 128, 160, 192, 224)
        return self.weights_file.format(side=height if known else 224)

    def build_application(self, input_shape: Sequence[int]) -> Any:
        """Build the network of keras.applications with random weights, without its head.

        Args:
            input_shape: (H, W, C); the source always takes three channels.
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


def build_features(backbone: Backbone, image: Any, source: Any) -> Any:
    """Apply a backbone's layers to an image.

    Args:
        backbone: Which.
        image: The Keras input, (N, H, W, C) in [0, 1].
        source: What `Backbone.source` gave for its shape; its weights are copied.

    Returns:
        A Keras tensor, (N, K): the mean over the image of each feature, after dropout.
    """
    keras = import_keras()
    values = _LayerCopier(backbone, image).features(source)
    values = keras.layers.GlobalAveragePooling2D(name="pool")(values)
    return keras.layers.Dropout(_DROPOUT, name="dropout")(values)


class _LayerCopier:
    """Copies a source's layers and calls them on the preprocessed image."""

    def __init__(self, backbone: Backbone, image: Any) -> None:
        self._keras = import_keras()
        self._image = image
        self._preprocessing = _make_preprocessing_layer(backbone.preprocessing, image.shape[-1])
        self._counts: dict[str, int] = {}
        self._pairs: list[tuple[Any, Any]] = []

    def features(self, source: Any) -> Any:
        """Return the source's features of the image, with the source's weights."""
        copied = self._keras.models.clone_model(
            source,
            input_tensors=self._image,
            clone_function=self._copy,
            call_function=self._call,
        )
        for theirs, ours in self._pairs:
            ours.set_weights(theirs.get_weights())
        return copied.outputs[0]

    def _copy(self, layer: Any) -> Any:
        config = {**layer.get_config(), "name": self._name(layer)}
        if isinstance(layer, self._keras.layers.BatchNormalization):
            config["momentum"] = _MOMENTUM
        copied = type(layer).from_config(config)
        own = type(layer).__name__ in _OWN_PREPROCESSING
        if isinstance(layer, self._keras.Layer) and layer.weights and not own:
            self._pairs.append((layer, copied))
        return copied

    def _name(self, layer: Any) -> str:
        """Return the layer's own name; numbers that Keras counts per process start anew."""
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
