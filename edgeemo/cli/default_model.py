"""The model of a command: the one named, the settled one, the newest, or the included one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.cli.options.common import MODELS
from edgeemo.cli.output.console import note, warn
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from edgeemo.model.chosen import ChosenModel
    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.spec import ModelSpec

_MANY = 10
"""Number of model folders that a message lists."""


def choose_model(model: Path | None, *, check: bool = True) -> Path:
    """Return the exported file or model folder to predict with.

    Args:
        model: The model as named; None takes that of `edgeemo.model.chosen`, and prints which and
            why.
        check: Whether to refuse one that is not there.

    Returns:
        `model` itself, unless it is the name of a shipped model and of no file.

    Raises:
        ModelFolderError: If there is no such file or folder, or it is a bundle.
    """
    from edgeemo.model.folder import ModelFolder, is_shipped_name, shipped_folder

    if model is None:
        return _choose_unnamed()
    if is_shipped_name(model):
        return shipped_folder(str(model)).path
    if check:
        check_model(model)
    if model.is_dir() and not ModelFolder(model).list_exported():
        require_folder(model)
    return model


def _choose_unnamed() -> Path:
    """Return the folder of the model that predicts where none is named; print which and why."""
    from edgeemo.model.chosen import choose_model_folder
    from edgeemo.model.folder import SHIPPED

    chosen = choose_model_folder(MODELS)
    path = chosen.folder.path
    if chosen.gone:
        warn(f"the default model {chosen.gone} is gone from {MODELS}: 'edgeemo models --default'")
    if chosen.reason == "included" and chosen.unexported is None:
        note(
            f"model: {SHIPPED}, which edgeemo includes (faces in photos, happy, sad or neither; "
            f"'edgeemo info {SHIPPED}' tells more, --model names another)"
        )
    elif chosen.reason == "included":
        note(f"model: {SHIPPED}, which edgeemo includes{_describe_unexported(chosen)}")
    elif chosen.reason == "settled":
        note(f"model: {_name(chosen.folder)}, the default of 'edgeemo models --default'")
    else:
        note(
            f"model: {path}, the newest under {MODELS}/{_describe_quality(chosen.folder)}"
            f"{_describe_unexported(chosen)}; 'edgeemo models' lists all, --default settles one"
        )
    return path


def _describe_unexported(chosen: ChosenModel) -> str:
    """Return what has to be done to a newer model before it predicts, if there is one."""
    if chosen.unexported is None:
        return ""
    newer = chosen.unexported.path
    return f" ({newer} is newer, but not exported: 'edgeemo export {newer}')"


def _name(folder: ModelFolder) -> str:
    return f"{folder.path.name}, which edgeemo includes" if folder.is_shipped else str(folder.path)


def _describe_quality(folder: ModelFolder) -> str:
    """Return accuracy and verification of a model folder, in parentheses."""
    from edgeemo.model.summary import summarise_folder

    found = summarise_folder(folder)
    verified = "verified" if found.verified else found.adopted or "not verified"
    if found.accuracy is None:
        return f" ({verified})"
    images = plural(found.accuracy.n, "test image")
    return f" (accuracy {found.accuracy.value:.3f} on {images}, {verified})"


def warn_unverified(path: str | Path, spec: ModelSpec, *, verified: bool) -> None:
    """Say that a file is not verified, or adopted; nothing of one that is verified."""
    if verified:
        return
    if spec.adopted is None:
        warn(f"{path} is not verified: run 'edgeemo verify'")
        return
    from edgeemo.model.adoption import ADOPTED

    note(f"{path}: {ADOPTED}")


def check_model(model: Path) -> None:
    """Refuse a model that is not there, a bundle, and what no command takes.

    Raises:
        ModelFolderError: If it is one; the text suggests or lists model folders, or tells the kind.
    """
    from edgeemo.errors import ModelFolderError
    from edgeemo.model.file_kind import describe_useless

    if not model.exists():
        raise ModelFolderError(f"{model}: no such file or folder; {_suggest_model(model)}")
    if model.is_file() and model.suffix == ".pyz":
        raise ModelFolderError(
            f"{model}: a bundle, which runs by itself: 'python3 {model} info' shows what is "
            "inside; name the model folder or file that it was made from"
        )
    if useless := describe_useless(model):
        raise ModelFolderError(f"{model}: {useless}")


def require_folder(model: Path) -> None:
    """Refuse what is not a model folder: nothing, a bundle, or a file.

    Raises:
        ModelFolderError: If it is one; the text says what to name instead.
    """
    from edgeemo.errors import ModelFolderError
    from edgeemo.model.file_kind import describe_foreign, recognise
    from edgeemo.model.folder import SPEC, is_shipped_name

    if is_shipped_name(model):
        return  # which `open_folder` explains
    check_model(model)
    if not model.is_dir() and (model.parent / SPEC).is_file():
        raise ModelFolderError(
            f"{model}: a file, not a model folder; name the folder: {model.parent}"
        )
    if not (model / SPEC).is_file() and (foreign := describe_foreign(model)):
        raise ModelFolderError(f"{model}: {foreign}")
    if not model.is_dir():
        exported = " that it was exported to" if recognise(model) in ("tflite", "onnx") else ""
        raise ModelFolderError(f"{model}: a file, not a model folder; name the folder{exported}")
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
