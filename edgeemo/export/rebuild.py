"""Call a model's layers on new inputs, some of them replaced by what answers alike."""

from __future__ import annotations

from typing import Any

from edgeemo.model.keras import import_keras

_INNER = "edgeemo_input"


class Rebuilder:
    """Calls layers one after the other, in nested models too; says nothing of what to replace.

    A subclass says it: `may_replace` which layers can come into question, so that a model without
    any is called as it is, and `replaced` what one of them becomes where it stands.
    """

    def __init__(self) -> None:
        self.keras = import_keras()
        tensor = self.keras.Input((1,), name=_INNER)
        self._functional = type(self.keras.Model(tensor, tensor))
        self._models: dict[int, Any] = {}

    def may_replace(self, layer: Any) -> bool:
        """Whether this layer could be replaced somewhere."""
        raise NotImplementedError

    def replaced(self, layer: Any, tensor: Any) -> Any | None:
        """What the replacement gives for a Keras tensor, or None to keep the layer there."""
        raise NotImplementedError

    def apply(self, layer: Any, tensor: Any, *args: Any, **kwargs: Any) -> Any:
        """`layer(tensor)`, or what stands for it."""
        if self.may_replace(layer):
            output = self.replaced(layer, tensor)
            if output is not None:
                return output
        if self._is_chain(layer) and self._has_candidate(layer):
            return self._rebuilt(layer)(tensor)
        return layer(tensor, *args, **kwargs)

    def _is_chain(self, layer: Any) -> bool:
        """Whether it is a Sequential or a functional model with one input."""
        known = isinstance(layer, (self.keras.Sequential, self._functional))
        return known and len(layer.inputs) == 1

    def _has_candidate(self, model: Any) -> bool:
        return any(
            self.may_replace(layer) or (self._is_chain(layer) and self._has_candidate(layer))
            for layer in model.layers
        )

    def _rebuilt(self, model: Any) -> Any:
        """The same model, layer by layer, under the same name."""
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
