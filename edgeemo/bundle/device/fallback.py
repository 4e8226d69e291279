"""The fallback of a bundle: a second file, for a machine on which the first one's engine fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.bundle.device.crash_guard import CRASHES, CrashError, run_guarded
from edgeemo.bundle.device.requirements import is_installed
from edgeemo.errors import EngineError
from edgeemo.utils.command import write_error
from edgeemo.utils.text import escape_controls

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.bundle.device.contents import Contents


def run_guarded_with_fallback(contents: Contents, work: Callable[[Callable[[], None]], int]) -> int:
    """Run something as `run_guarded` does, and again with the fallback if the engine crashes.

    Args:
        contents: The bundle; its fallback is in use afterwards if the engine crashed.
        work: See `run_guarded`.

    Returns:
        The exit status that `work` returned.

    Raises:
        CrashError: If there is no fallback or it crashes as well.
        EngineError: If a prediction was printed before the crash.
    """
    try:
        return run_guarded(work)
    except CrashError as crash:
        if crash.ended_by not in CRASHES:
            raise
        if crash.predicted:
            raise EngineError(f"{crash}, after its first prediction") from None
        use_fallback(contents, str(crash))
    return run_guarded_with_fallback(contents, work)


def use_fallback_if_not_installed(contents: Contents) -> None:
    """Use the fallback if its engine is installed and the first file's is not."""
    first, fallback = contents.manifest, contents.manifest.fallback
    if fallback and not is_installed(first.engine) and is_installed(fallback.engine):
        use_fallback(contents, f"{first.engine} is not installed")


def use_fallback(contents: Contents, reason: str) -> None:
    """Make the fallback the bundle's file, with a warning on standard error.

    Args:
        contents: The bundle.
        reason: Why the first file cannot be run, in words.

    Raises:
        EngineError: If there is no fallback, or it is in use already.
    """
    first = contents.manifest
    if first.fallback_for:
        raise EngineError(f"{reason} (with {first.model_text})")
    if first.fallback is None:
        other = "float32.onnx" if first.model.endswith(".tflite") else "float32.tflite"
        raise EngineError(
            f"{reason}; a bundle with a file for the other engine may run: edgeemo bundle "
            f"--fallback {other}"
        )
    contents.use_fallback()
    warning = f"warning: {reason}; using the fallback {contents.manifest.model}"
    write_error(escape_controls(warning))
