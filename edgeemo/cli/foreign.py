"""Work on a model of somebody else, which may crash TensorFlow: in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from edgeemo.utils.progress import Progress


def run_foreign(
    function: Callable[..., Any],
    model: Path,
    *args: Any,
    places: Iterable[Path],
    progress: Progress,
    **kwargs: Any,
) -> Any:
    """Return ``function(model, *args, progress=progress, **kwargs)``, run in a new process.

    Args:
        function: A function of the library.
        model: The model, for the message, too.
        args: Further arguments.
        places: Files and folders that the function makes; what a crash leaves beside them goes.
        progress: Gets the progress.
        kwargs: Further arguments.

    Raises:
        ExportError: If the process crashes.
    """
    from edgeemo.utils.child import ChildCrashedError, run_in_child
    from edgeemo.utils.files import remove_abandoned

    try:
        return run_in_child(function, model, *args, progress=progress, **kwargs)
    except ChildCrashedError as error:
        for place in places:
            remove_abandoned(place)
        during = f" while {error.stage[0].lower()}{error.stage[1:]}" if error.stage else ""
        raise ExportError(
            f"{model}: TensorFlow crashed{during} ({error.ended_by}); try --format onnx, leave out "
            "--int8, or replace the layer that TensorFlow cannot convert"
        ) from None
