"""Give a loaded Keras model bare tensors at its ends, and names that TensorFlow accepts."""

from __future__ import annotations

import re
from typing import Any

_FORBIDDEN = re.compile(r"[^A-Za-z0-9_.-]")


def adapt_model(keras: Any, model: Any) -> Any:
    """Return a loaded model that TensorFlow can call and that has bare ends where it has one each.

    Args:
        keras: The keras package.
        model: A `keras.Model`; its layers are renamed in place where TensorFlow refuses the names.

    Returns:
        `model` itself, or a model of the same layers whose only input and output are tensors, where
        they are a dict or a list of one. Several are left for the caller to refuse.
    """
    _rename_layers(model)
    _rename_variables(model)
    try:
        inputs, outputs = model.inputs, keras.tree.flatten(model.output)
        bare = not any(keras.tree.is_nested(end) for end in (model.input, model.output))
    except (AttributeError, ValueError, TypeError):  # a model without a fixed input
        return model
    if bare or len(inputs) != 1 or len(outputs) != 1:
        return model
    return keras.Model(inputs[0], outputs[0], name=model.name)


def _rename_layers(layer: Any) -> None:
    """Give a layer, and those inside it at any depth, names that are scopes of TensorFlow."""
    layer.name = clean_name(layer.name)
    taken: set[str] = set()
    for inner in layer._flatten_layers(include_self=False, recursive=False):
        _rename_layers(inner)
        inner.name = _make_unique(inner.name, taken)
        taken.add(inner.name)


def _rename_variables(model: Any) -> None:
    """Give variables names that a SavedModel, which every conversion goes through, accepts."""
    for variable in model.variables:
        name = getattr(variable._value, "_handle_name", None)
        if name:
            scopes, colon, number = name.rpartition(":")
            cleaned = "/".join(map(clean_name, scopes.split("/")))
            variable._value._handle_name = f"{cleaned}{colon}{number}"


def _make_unique(name: str, taken: set[str]) -> str:
    number, unique = 1, name
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    return unique


def clean_name(name: str) -> str:
    """Return a name as a scope of TensorFlow, the same where it is one."""
    cleaned = _FORBIDDEN.sub("_", name)
    return cleaned if cleaned[:1].isalnum() else f"layer{cleaned}"
