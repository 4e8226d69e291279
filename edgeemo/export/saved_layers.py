"""Layers of a ``.keras`` file, read without Keras; for checks before any slow work."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

from edgeemo.export.kept_layers import check_layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def check_saved_layers(file: Path, kept: Sequence[str]) -> None:
    """Refuse layers to keep in float that the model does not have, and all of them.

    A file of another kind is left to the export, which loads it.

    Args:
        file: The reference model.
        kept: Names as given.

    Raises:
        ExportError: As `edgeemo.export.kept_layers.check_layers`.
    """
    names = read_layer_names(file) if kept else ()
    if names:
        check_layers(kept, names)


def read_layer_names(file: Path) -> tuple[str, ...]:
    """Return the names of a model's layers, also inside nested models; () where it does not tell.

    Args:
        file: A ``.keras`` file, or another one.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            content = json.loads(archive.read("config.json"))
        return tuple(dict.fromkeys(_walk(content["config"]["layers"])))
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError):  # loading it tells
        return ()


def _walk(layers: Sequence[Any]) -> Iterator[str]:
    for layer in layers:
        config = layer["config"]
        if layer["class_name"] != "InputLayer":
            yield config["name"]
        yield from _walk(config.get("layers", ()))
