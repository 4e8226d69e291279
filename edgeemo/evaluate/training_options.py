"""The options of a training, as far as its model folder tells. Standard library only."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ModelFolderError
from edgeemo.model.folder import CONFIG, SPLIT
from edgeemo.model.tables import SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.model.folder import ModelFolder

_PLACE = "out"
"""The key of a configuration file that always differs."""


def find_differences(folders: Sequence[ModelFolder | None]) -> dict[str, tuple[str, ...]]:
    """Return the options of training that differ between the models that record them.

    Args:
        folders: Model folder of each model; None where it is in none.

    Raises:
        ModelFolderError: If a folder's table of images is malformed.
    """
    known = [_read_options(folder) if folder else {} for folder in folders]
    names = dict.fromkeys(name for options in known for name in options)
    rows = {name: tuple(options.get(name, "") for options in known) for name in names}
    recorded = [place for place, options in enumerate(known) if options]
    return {
        name: values
        for name, values in rows.items()
        if len({values[place] for place in recorded}) > 1
    }


def _read_options(folder: ModelFolder) -> dict[str, str]:
    """Return options and facts as text, by name; none where the folder has no record."""
    found = {"date": folder.read_spec().provenance.date}
    found |= {name: text for name, text in _read_config(folder).items() if name != _PLACE}
    if folder.file(SPLIT).is_file():
        counts = Counter(row.split for row in folder.read_samples())
        found |= {f"{split} images": f"{counts[split]:,}" for split in SPLITS}
    return {name: text for name, text in found.items() if text}


def _read_config(folder: ModelFolder) -> dict[str, str]:
    path = folder.file(CONFIG)
    if not path.is_file():
        arch = folder.read_training().arch
        return {"arch": arch} if arch else {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelFolderError(f"{path}: not TOML ({error}); train again") from None
    return dict(_flatten(content))


def _flatten(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested tables as names with dots, and each value as text."""
    pairs: list[tuple[str, str]] = []
    for name, value in content.items():
        if isinstance(value, dict):
            pairs += _flatten(value, f"{prefix}{name}.")
        else:
            pairs.append((f"{prefix}{name}", _show(value)))
    return pairs


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_show, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_show(each)}" for name, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
