"""Names that a package offers and imports only when they are used. Standard library only."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from inspect import Signature


class _CallablePackage(ModuleType):
    """A package that is called as one of its functions: ``edgeemo.train("faces", "mine")``."""

    _called: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    @property
    def __signature__(self) -> Signature:
        """Return the function's signature, as a notebook shows it."""
        from inspect import signature

        return signature(self._function)

    @property
    def _function(self) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(self, self._called)
        return function


def make_callable(package: str, function: str = "") -> None:
    """Let a package be called as one of its functions.

    Args:
        package: The package's ``__name__``.
        function: Name of the function; by default that of the package.
    """
    module = sys.modules[package]
    module.__class__ = _CallablePackage
    module._called = function or package.rpartition(".")[2]  # type: ignore[attr-defined]


def import_on_use(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """Return a package's ``__getattr__``, which imports a name's module when the name is used.

    Args:
        package: The package's ``__name__``.
        modules: Name to the module that defines it.
    """

    def getattr_(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(modules[name]), name)

    return getattr_
