"""The model that predicts where none is named: the settled one, the newest, or the included one.

``models/default-model.json`` names the settled one. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgeemo.errors import ModelFolderError
from edgeemo.model.folder import (
    SHIPPED_MODELS,
    SPEC,
    ModelFolder,
    shipped_folder,
    to_json,
)
from edgeemo.utils.files import write_file
from edgeemo.utils.strict_json import parse_object, require

DEFAULT_JSON = "default-model.json"
"""The file under ``models/`` that names the settled model."""

NEWEST = "newest"
"""The name that settles nothing: the newest model predicts."""

_KEY = "model"

Reason = Literal["settled", "newest", "included"]


@dataclass(frozen=True)
class ChosenModel:
    """The model that predicts where none is named.

    Attributes:
        folder: Its folder.
        reason: "settled" by the user, "newest" under ``models/``, or "included" with edgeemo, where
            there is no other.
        gone: Name of the settled model where there is none of that name any more, else "".
        unexported: The newest folder where that has no exported file yet, and is not settled, else
            None.
    """

    folder: ModelFolder
    reason: Reason
    gone: str = ""
    unexported: ModelFolder | None = None


def choose_model_folder(models: Path) -> ChosenModel:
    """Return the model that predicts where none is named.

    A folder without an exported file, which cannot predict, is passed over unless it is settled.

    Args:
        models: The folder of model folders, which may be missing.

    Raises:
        ModelFolderError: If its ``default-model.json`` is malformed.
    """
    name = read_settled_name(models)
    settled = _find_folder(models, name) if name else None
    if settled is not None:
        return ChosenModel(settled, "settled")
    folders = list_folders(models)
    found = next((folder for folder in folders if folder.list_exported()), None)
    unexported = folders[0] if folders and folders[0] != found else None
    if found:
        return ChosenModel(found, "newest", name, unexported)
    return ChosenModel(shipped_folder(), "included", name, unexported)


def read_settled_name(models: Path) -> str:
    """Return the name of the settled model; "" without one.

    Raises:
        ModelFolderError: If ``default-model.json`` is malformed.
    """
    path = models / DEFAULT_JSON
    try:
        return str(require(parse_object(path.read_bytes())[_KEY], str, _KEY))
    except OSError:
        return ""
    except (ValueError, KeyError):
        raise ModelFolderError(
            f"{path}: names no model; delete it, or run 'edgeemo models --default NAME'"
        ) from None


def settle_model(models: Path, name: str) -> ChosenModel:
    """Record the model that predicts where none is named.

    Args:
        models: The folder of model folders, which is made.
        name: Name of a model folder in it, also as its path, or of a shipped model; `NEWEST`
            removes the record.

    Returns:
        The model that predicts from now on.

    Raises:
        ModelFolderError: If there is no such model.
    """
    name = Path(name).name if Path(name).parent == models else name
    if name == NEWEST:
        (models / DEFAULT_JSON).unlink(missing_ok=True)
        return choose_model_folder(models)
    if _find_folder(models, name) is None:
        from edgeemo.utils.suggest import describe_unknown  # which a prediction does not wait for

        names = [folder.path.name for folder in list_folders(models)]
        offered = [*dict.fromkeys((*names, *SHIPPED_MODELS)), NEWEST]
        raise ModelFolderError(f"{models}: {describe_unknown('model', name, offered)}")
    models.mkdir(parents=True, exist_ok=True)
    write_file(models / DEFAULT_JSON, to_json({_KEY: name}))
    return choose_model_folder(models)


def list_folders(models: Path) -> list[ModelFolder]:
    """Return the model folders under `models`, the newest first; shipped ones are left out."""
    specs = sorted(models.glob(f"[!.]*/{SPEC}"), key=lambda path: -path.stat().st_mtime_ns)
    folders = [ModelFolder(path.parent) for path in specs]
    return [folder for folder in folders if not folder.is_shipped]


def _find_folder(models: Path, name: str) -> ModelFolder | None:
    """Return the model folder of a name; a folder of one's own goes before a shipped model."""
    folder = ModelFolder(models / name)
    if folder.file(SPEC).is_file() and folder.path.parent == models:
        return folder
    return shipped_folder(name) if name in SHIPPED_MODELS else None
