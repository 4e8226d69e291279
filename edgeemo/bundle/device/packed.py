"""Import modules that a bundle holds in one member.

Python reads the directory of an archive at every start, so that each module there costs each
command a little. Those of ``live`` alone are one member, and those that ``serve`` needs besides
another; the other commands never open them.
"""

from __future__ import annotations

import marshal
import os
import sys
from importlib.machinery import ModuleSpec
from importlib.util import MAGIC_NUMBER
from typing import TYPE_CHECKING
from zipimport import zipimporter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType

LIVE_MODULES, SERVE_MODULES = "live.modules", "serve.modules"
"""The members: in `marshal`'s format, name of each module to its path, source and ``.pyc``, and
path of each file that is no module to the same path, its content and nothing."""

_HEADER_BYTES = 16  # of a .pyc (PEP 552)


def import_packed(archive: str, *members: str) -> None:
    """Make the modules of members importable; a second call does nothing.

    Args:
        archive: Path of the bundle.
        members: Some of the members above.
    """
    if not any(isinstance(each, _PackedModules) for each in sys.meta_path):
        read = zipimporter(archive).get_data
        contents = [read(f"{archive}/{member}") for member in members]
        sys.meta_path.extend(_PackedModules(archive, content) for content in contents)


class _PackedModules:
    """A finder and loader of the modules in a member."""

    def __init__(self, archive: str, content: bytes) -> None:
        self._archive = archive
        self._modules: dict[str, tuple[str, bytes, bytes]] = marshal.loads(content)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._modules:
            return None
        place = self._modules[name][0]
        spec = ModuleSpec(name, self, origin=f"{self._archive}/{place}")  # type: ignore[arg-type]
        spec.has_location = True
        if place.endswith("__init__.py"):
            spec.submodule_search_locations = []
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python."""

    def exec_module(self, module: ModuleType) -> None:
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name: str) -> CodeType:
        place, source, compiled = self._modules[name]
        if compiled.startswith(MAGIC_NUMBER):
            code: CodeType = marshal.loads(memoryview(compiled)[_HEADER_BYTES:])
            return code
        return compile(source, f"{self._archive}/{place}", "exec", dont_inherit=True)

    def get_data(self, path: str) -> bytes:
        """Return a file that is no module, for `pkgutil.get_data`.

        Raises:
            OSError: If there is none.
        """
        place = path.replace(os.sep, "/").removeprefix(f"{self._archive}/".replace(os.sep, "/"))
        if place not in self._modules:
            raise FileNotFoundError(path)
        return self._modules[place][1]

    def get_source(self, name: str) -> str:
        """Return the source, for tracebacks."""
        return self._modules[name][1].decode()
