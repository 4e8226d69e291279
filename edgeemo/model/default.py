"""The default of a model folder: which exported file to use, and with how many threads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ModelFolderError

if TYPE_CHECKING:
    from collections.abc import Mapping

_REMEDY = "delete it, or let 'edgeemo bench --pick' choose"


@dataclass(frozen=True)
class Default:
    """The exported file that `predict` and `bundle` use.

    Attributes:
        file: The exported file.
        threads: Threads per prediction.
    """

    file: Path
    threads: int = 1


def parse_default(recorded: Mapping[str, Any], path: Path) -> Default:
    """Return the default that a ``default.json`` records.

    Args:
        recorded: Content of the file.
        path: Path of the file; the exported file is beside it.

    Raises:
        ModelFolderError: If the content is malformed.
    """
    name, threads = recorded.get("file"), recorded.get("threads", 1)
    if not (isinstance(name, str) and name and Path(name).name == name):
        raise ModelFolderError(f"{path}: names no file; {_REMEDY}")
    if type(threads) is not int or threads < 1:
        raise ModelFolderError(f"{path}: threads must be 1 or more, not {threads!r}; {_REMEDY}")
    return Default(path.parent / name, threads)
