"""The model of a command: the one named, the newest trained, or the one that edgeemo includes."""

from __future__ import annotations

from pathlib import Path

from edgeemo.cli.options.common import MODELS
from edgeemo.cli.output.console import note


def choose_model(model: Path | None) -> Path:
    """Return the exported file or model folder to predict with.

    Args:
        model: The model as named; None takes the newest folder under ``models/``, else the shipped
            model, and prints which.

    Returns:
        `model` itself, unless it is the name of the shipped model and of no file.
    """
    from edgeemo.model.folder import SHIPPED, choose_folder, shipped_folder

    if model is None:
        folder = choose_folder(MODELS)
        if folder.is_shipped:
            note(
                f"model: {SHIPPED}, which edgeemo includes (faces in photos, happy or sad; "
                f"'edgeemo info {SHIPPED}' tells more, --model names another)"
            )
        else:
            note(f"model: {folder.path}")
        return folder.path
    if model == Path(SHIPPED) and not model.exists():
        return shipped_folder().path
    return model
