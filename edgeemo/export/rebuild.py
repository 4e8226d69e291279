"""Rebuild a model on new inputs with some of its layers replaced by equivalent ones."""

from __future__ import annotations

from typing import Any

from edgeemo.model.keras import import_keras

_INNER = "edgeemo_input"


class Rebuilder:
    """Base of the replacements: calls layer after layer, also in nested models.

    A subclass defines `may_replace`, which layers are candidates (a model without any is called as
    it is), and `replace`, the replacement of one layer in its place.
    """

    def __init__(self) -> None:
        self.keras = import_keras()
        tensor = self.keras.Input((1,), name=_INNER)
        self._functional = type(self.keras.Model(tensor, tensor))
        self._models: dict[int, Any] = {}

    def may_replace(self, layer: Any) -> bool:
        """Return whether a layer is a candidate for replacement."""
        raise NotImplementedError

    def replace(self, layer: Any, tensor: Any) -> Any | None:
        """Return the replacement's output for a Keras tensor; None to keep the layer there."""
        raise NotImplementedError

    def apply(self, layer: Any, tensor: Any, *args: Any, **kwargs: Any) -> Any:
        """Return `layer(tensor)`, or the output of its replacement."""
        if self.may_replace(layer):
            output = self.replace(layer, tensor)
            if output is not None:
                return output
        if self._is_chain(layer) and self._has_candidate(layer):
            return self._get_rebuilt(layer)(tensor)
        return layer(tensor, *args, **kwargs)

    def _is_chain(self, layer: Any) -> bool:
        """Return whether a layer is a Sequential or functional model with one input."""
        known = isinstance(layer, (self.keras.Sequential, self._functional))
        return known and len(layer.inputs) == 1

    def _has_candidate(self, model: Any) -> bool:
        return any(
            self.may_replace(layer) or (self._is_chain(layer) and self._has_candidate(layer))
            for layer in model.layers
        )

    def _get_rebuilt(self, model: Any) -> Any:
        """Return the model rebuilt layer by layer, under the same name."""
        if id(model) not in self._models:
            self._models[id(model)] = self._rebuild(model)
        return self._models[id(model)]

    def _rebuild(self, model: Any) -> Any:
        if isinstance(model, self.keras.Sequential):
            inputs = tensor = self.keras.Input(batch_shape=model.input_shape, name=_INNER)
            for layer in model.layers:
                tensor = self.apply(layer, tensor)
            return self.keras.Model(inputs, tensor, name=model.name)
        return self.keras.models.clone_model(
            model, clone_function=lambda layer: layer, call_function=self.apply
        )
