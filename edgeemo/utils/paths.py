"""The paths that public functions take: a text, or whatever stands for a path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

StrPath: TypeAlias = str | os.PathLike[str]


def convert_paths(instance: object, *names: str) -> None:
    """Make paths of the texts in fields of a frozen dataclass, for its ``__post_init__``."""
    for name in names:
        value = getattr(instance, name)
        if value is not None and not isinstance(value, Path):
            object.__setattr__(instance, name, Path(value))
