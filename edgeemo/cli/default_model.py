"""Which model a command means: the one named, the newest trained, or the one that ships."""

from __future__ import annotations

from pathlib import Path

from edgeemo.cli.options.common import MODELS
from edgeemo.cli.output.console import say


def model_to_answer(model: Path | None) -> Path:
    """The exported file or model folder to answer with.

    Args:
        model: What was named; None where nothing was, which takes the newest folder under
            ``models/``, else the model that ships, and says which.

    Returns:
        `model` itself, unless it is the shipped model's name and no file's.
    """
    from edgeemo.model.folder import SHIPPED, answering_folder, shipped_folder

    if model is None:
        folder = answering_folder(MODELS)
        if folder.ships:
            say(
                f"model: {SHIPPED}, which comes with edgeemo (faces in photos, happy against sad; "
                f"'edgeemo info {SHIPPED}' tells more, --model takes another)"
            )
        else:
            say(f"model: {folder.path}")
        return folder.path
    if model == Path(SHIPPED) and not model.exists():
        return shipped_folder().path
    return model
