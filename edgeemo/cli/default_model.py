"""The model of a command: the one named, the newest trained, or the one that edgeemo includes."""

from __future__ import annotations

from pathlib import Path

from edgeemo.cli.options.common import MODELS
from edgeemo.cli.output.console import note

_MANY = 10
"""Number of model folders that a message lists."""


def choose_model(model: Path | None, *, check: bool = True) -> Path:
    """Return the exported file or model folder to predict with.

    Args:
        model: The model as named; None takes the newest folder under ``models/``, else the shipped
            model, and prints which.
        check: Whether to refuse one that is not there.

    Returns:
        `model` itself, unless it is the name of a shipped model and of no file.

    Raises:
        ModelFolderError: If there is no such file or folder, or it is a bundle.
    """
    from edgeemo.model.folder import (
        SHIPPED,
        ModelFolder,
        choose_folder,
        is_shipped_name,
        shipped_folder,
    )

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
    if is_shipped_name(model):
        return shipped_folder(str(model)).path
    if check:
        check_model(model)
    if model.is_dir() and not ModelFolder(model).list_exported():
        require_folder(model)
    return model


def check_model(model: Path) -> None:
    """Refuse a model that is not there, and a bundle.

    Raises:
        ModelFolderError: If it is one; the text suggests or lists model folders.
    """
    from edgeemo.errors import ModelFolderError

    if not model.exists():
        raise ModelFolderError(f"{model}: no such file or folder; {_suggest_model(model)}")
    if model.is_file() and model.suffix == ".pyz":
        raise ModelFolderError(
            f"{model}: a bundle, which runs by itself: 'python3 {model} info' shows what is "
            "inside; name the model folder or file that it was made from"
        )


def require_folder(model: Path) -> None:
    """Refuse what is not a model folder: nothing, a bundle, or a file.

    Raises:
        ModelFolderError: If it is one; the text says what to name instead.
    """
    from edgeemo.errors import ModelFolderError
    from edgeemo.model.folder import SPEC, is_shipped_name

    if is_shipped_name(model):
        return  # which `open_folder` explains
    check_model(model)
    if not model.is_dir():
        parent = f": {model.parent}" if (model.parent / SPEC).is_file() else ""
        raise ModelFolderError(f"{model}: a file, not a model folder; name the folder{parent}")
    if not (model / SPEC).is_file():
        raise ModelFolderError(
            f"{model}: not a model folder (it has no {SPEC}); {_suggest_model(model)}"
        )


def _suggest_model(model: Path) -> str:
    """Return the model folder that was probably meant, else what there is."""
    from edgeemo.model.folder import SHIPPED_MODELS, SPEC
    from edgeemo.utils.suggest import find_nearest

    found = sorted((path.parent for path in MODELS.glob(f"[!.]*/{SPEC}")), key=str)
    names = {path.name: str(path) for path in found} | {name: name for name in SHIPPED_MODELS}
    near = find_nearest(model.name, list(names))
    if near is not None:
        return f"did you mean {names[near]}?"
    listed = ", ".join(map(str, found[:_MANY])) + (", ..." if len(found) > _MANY else "")
    return f"there are {listed}" if found else "'edgeemo train' makes a model folder"
