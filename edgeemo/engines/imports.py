"""Errors of an engine, and the version of its package. Standard library only."""

from __future__ import annotations

from edgeemo.errors import EngineError
from edgeemo.utils.interrupt import stems_from_interrupt


def is_missing(error: ImportError | OSError, *modules: str) -> bool:
    """Return whether a package is not installed; one for another processor lacks a part of itself.

    Args:
        error: The error of its import.
        modules: The package, and the module of it that was imported.
    """
    return isinstance(error, ModuleNotFoundError) and error.name in modules


def load_error(package: str, error: ImportError | OSError) -> BaseException:
    """Return the error to raise where an engine is installed and cannot be loaded.

    Another processor and an old libc are an EngineError, too little memory is a MemoryError, Ctrl-C
    during the import is a KeyboardInterrupt.

    Args:
        package: The package as pip calls it.
        error: The error of its import.
    """
    if stems_from_interrupt(error):
        return KeyboardInterrupt()
    if is_out_of_memory(error):
        return MemoryError()
    from edgeemo.utils.text import one_line

    reason = one_line(error)
    return EngineError(
        f"{package} is installed but cannot be loaded: {reason}; it needs a 64-bit Debian 12 "
        "(bookworm), Raspberry Pi OS 12 or newer"
    )


def prediction_error(path: str, engine: str, error: Exception) -> EngineError | MemoryError:
    """Return the error to raise where an engine fails to predict.

    Args:
        path: Path of the model.
        engine: The engine in words, such as "ONNX".
        error: What it raised.
    """
    from edgeemo.utils.text import one_line

    reason = one_line(error)
    if isinstance(error, MemoryError) or "bad_alloc" in reason:
        return MemoryError()
    return EngineError(f"{path}: the {engine} engine fails to predict: {reason}")


def is_out_of_memory(error: ImportError | OSError) -> bool:
    """Return whether a module could not be imported for lack of memory."""
    reason = str(error.__cause__ or error)
    no_map = "failed to map segment" in reason and "not permitted" not in reason  # a noexec mount
    return no_map or "bad_alloc" in reason or "Cannot allocate memory" in reason


def name_with_version(package: str) -> str:
    """Return a package and its version; alone where pip knows it by another name.

    Args:
        package: The package as pip calls it, such as "onnxruntime", which "onnxruntime-gpu" may
            have installed.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
