"""A bundle's second file, for a machine on which the engine of the first does not run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from edgeemo.bundle.device.crash_guard import CRASHES, CrashError, guarded
from edgeemo.bundle.device.requirements import is_installed
from edgeemo.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.bundle.device.contents import Contents


def guarded_with_spare(contents: Contents, work: Callable[[Callable[[], None]], int]) -> int:
    """Do something as `guarded` does, and with the spare where the engine crashes at its start.

    Args:
        contents: The bundle; it stands for its spare afterwards if that was taken.
        work: See `guarded`.

    Raises:
        CrashError: If there is no spare, it crashes as well, or answers were given already.
    """
    try:
        return guarded(work)
    except CrashError as crash:
        if crash.ended_by not in CRASHES:
            raise
        if crash.answered:
            raise EngineError(f"{crash}, after it had answered") from None
        take_spare(contents, str(crash))
    return guarded_with_spare(contents, work)


def take_spare_if_the_first_is_not_installed(contents: Contents) -> None:
    """Take the spare where its engine is installed and the other one is not."""
    first, spare = contents.manifest, contents.manifest.spare
    if spare and not is_installed(first.engine) and is_installed(spare.engine):
        take_spare(contents, f"{first.engine} is not installed")


def take_spare(contents: Contents, reason: str) -> None:
    """Make the spare the bundle's file, and say so on standard error.

    Args:
        contents: The bundle.
        reason: Why the first one cannot be run, in words.

    Raises:
        EngineError: If there is none, with how to make a bundle that has one; or it is taken
            already.
    """
    first = contents.manifest
    if first.spare_for:
        raise EngineError(f"{reason} (with {first.model}, the spare for {first.spare_for})")
    if first.spare is None:
        other = "float32.onnx" if first.model.endswith(".tflite") else "float32.tflite"
        raise EngineError(
            f"{reason}; a bundle that holds a file of the other engine beside {first.model} may "
            f"run: edgeemo bundle --spare {other}"
        )
    contents.use_spare()
    sys.stderr.write(f"warning: {reason}; {contents.manifest.model} answers in its place\n")
