"""Why a package that runs models cannot be imported, in words. Standard library only."""

from __future__ import annotations

from edgeemo.errors import EngineError


def is_missing(error: ImportError | OSError, *modules: str) -> bool:
    """Whether a package is not installed; one for another processor lacks only a part of itself.

    Args:
        error: What importing it raised.
        modules: The package, and what of it was imported.
    """
    return isinstance(error, ModuleNotFoundError) and error.name in modules


def cannot_load(package: str, error: ImportError | OSError) -> EngineError | MemoryError:
    """What to raise where an engine is installed and does not load.

    Another processor and an old libc are an EngineError, too little memory is a MemoryError.

    Args:
        package: The package as pip calls it.
        error: What importing it raised.
    """
    if is_want_of_memory(error):
        return MemoryError()
    from edgeemo.utils.text import one_line

    reason = one_line(error)
    return EngineError(
        f"{package} is installed but cannot be loaded: {reason}; it needs a 64-bit Debian 12 "
        "(bookworm), Raspberry Pi OS 12 or newer"
    )


def is_want_of_memory(error: ImportError | OSError) -> bool:
    """Whether a module could not be imported because there was no memory for its libraries."""
    reason = str(error.__cause__ or error)
    no_map = "failed to map segment" in reason and "not permitted" not in reason  # a noexec mount
    return no_map or "bad_alloc" in reason or "Cannot allocate memory" in reason
