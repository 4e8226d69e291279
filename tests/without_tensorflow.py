"""A pytest plugin: importing TensorFlow fails the test. So the tests it is loaded for need none."""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType


class _Refuser(MetaPathFinder, Loader):
    """Finder of packages that are installed, but must not be imported."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in ("tensorflow", "keras", "tf2onnx") else None

    def exec_module(self, module: ModuleType) -> None:
        pytest.fail(f"{module.__name__} is imported: mark the test `tensorflow`")


sys.meta_path.insert(0, _Refuser())
