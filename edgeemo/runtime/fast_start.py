"""A faster import of numpy, for processes that predict images and do nothing else.

Importing numpy is most of a cold start, and an eighth of that attaches documentation to functions.
docs/benchmarks.md has the figures.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import LazyLoader
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_DOCUMENTATION = ("numpy._core._add_newdocs", "numpy._core._add_newdocs_scalars")


def start_fast() -> None:
    """Make the import of numpy faster; call it before that import, after which it does nothing.

    numpy's modules that hold documentation alone are loaded lazily, which is never here, and its
    linear algebra, which has nothing to do here, starts no threads.
    """
    if "numpy" not in sys.modules:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        sys.meta_path.insert(0, _LazyDocumentation())


class _LazyDocumentation:
    """A finder that loads those modules lazily."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _DOCUMENTATION:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
