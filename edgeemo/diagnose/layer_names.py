"""Names of the layers of Keras behind the tensors of an exported file."""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

from edgeemo.model.folder import KERAS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.model.folder import ModelFolder

_PART = re.compile(
    r"_(shift|gate|product|sixth|pairs|scaled|clamp|relu6|logit|sigmoid|affine(_\d+)?|in|out)$"
)
"""Ends of the names of layers that `edgeemo.export` puts in place of one of the model's."""

_HARD_SWISH = re.compile(r"_(shift|gate|product|sixth)$")
_KERNEL = re.compile(r"/(convolution|depthwise|conv2d_transpose|MatMul)\d*$")
"""End of the name of the operation that has a layer's kernel."""

_COUNT = re.compile(r"_\d+$")
_SCOPED = re.compile(r".+_\d+$")


class LayerNames:
    """Names of the layers of one model.

    TensorFlow calls the output of a layer after its place, ``edgeemo_1/conv2d_1/convolution``, with
    a number of its own behind every name, and after everything that it merged with it, separated
    by semicolons.

    Args:
        known: The names of the model's layers, as far as they can be read.
    """

    def __init__(self, known: frozenset[str] = frozenset()) -> None:
        self._known = known

    def find(self, tensor: str) -> str:
        """Return the layer that a tensor belongs to; "" if its name does not tell."""
        names = (self._find_in_scope(each) for each in reversed(tensor.split(";")))
        return next(filter(None, names), "")

    def find_kernel(self, tensor: str) -> str:
        """Return the layer whose kernel made a tensor, not one merged with it; "" for none."""
        scopes = [each for each in tensor.split(";") if _KERNEL.search(each)]
        return next(filter(None, map(self._find_in_scope, scopes)), "")

    def find_hard_swish(self, tensor: str) -> bool:
        """Return whether a tensor is part of a hard-swish that was split up."""
        return any(
            _HARD_SWISH.search(_COUNT.sub("", part)) and self._restore(_COUNT.sub("", part))
            for scope in tensor.split(";")
            for part in scope.split("/")[:-1]
        )

    def _find_in_scope(self, scope: str) -> str:
        for part in reversed(scope.split("/")[1:-1]):
            if _SCOPED.match(part) and (name := self._restore(_COUNT.sub("", part))):
                return name
        return ""

    def _restore(self, name: str) -> str:
        """Return the name of the model's layer for that of one of the deployed network."""
        if not self._known and _is_model(name):
            return ""
        while name not in self._known and _PART.search(name):
            name = _PART.sub("", name)
        return name if name in self._known or not self._known else ""


def read_layer_names(folder: ModelFolder) -> LayerNames:
    """Return the names of the layers of a folder's reference model.

    They are read from the configuration inside ``model.keras``, without Keras; of another kind of
    model, or a damaged one, they are derived from the exported file alone.
    """
    try:
        with zipfile.ZipFile(folder.file(KERAS)) as archive:
            config = json.loads(archive.read("config.json"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return LayerNames()
    return LayerNames(frozenset(_walk(config)))


def _walk(config: Any) -> Iterator[str]:
    """Yield the names of the layers of a model's configuration, of nested models too."""
    inner = config.get("config", {}) if isinstance(config, dict) else {}
    for layer in inner.get("layers", ()):
        name = layer.get("config", {}).get("name") or layer.get("name")
        below = list(_walk(layer))
        yield from below or ([name] if isinstance(name, str) else [])


def _is_model(name: str) -> bool:
    return re.match(r"(functional|sequential|edgeemo)(_|$)", name) is not None
