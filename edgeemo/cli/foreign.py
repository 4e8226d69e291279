"""Work on a model of somebody else, which may crash TensorFlow: in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ExportError, PartialExportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from edgeemo.export import ExportedFile, ExportOptions
    from edgeemo.model.folder import ModelFolder
    from edgeemo.utils.child import ChildCrashedError
    from edgeemo.utils.progress import Progress


class ForeignCrashError(ExportError):
    """A crash of TensorFlow while it worked on a model of somebody else.

    Attributes:
        file: Name of the exported file that was in the making; "" where there was none.
    """

    def __init__(self, message: str, *, file: str = "") -> None:
        super().__init__(message)
        self.file = file


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
        ForeignCrashError: If the process crashes.
    """
    from edgeemo.utils.child import ChildCrashedError, run_in_child
    from edgeemo.utils.files import remove_abandoned

    try:
        return run_in_child(function, model, *args, progress=progress, **kwargs)
    except ChildCrashedError as error:
        for place in places:
            remove_abandoned(place)
        raise _explain_crash(error, model) from None


def export_foreign(
    folder: ModelFolder, *, options: ExportOptions, progress: Progress, **kwargs: Any
) -> tuple[ExportedFile, ...]:
    """Export a model of somebody else; where one format crashes TensorFlow, the other is kept.

    Args:
        folder: The model folder.
        options: Kinds and formats to export.
        progress: Gets the progress.
        kwargs: Further arguments of `edgeemo.export.export`.

    Raises:
        ExportError: As `edgeemo.export.export`, or if the process crashes.
        PartialExportError: If it crashes with one format only; the files of the other are made.
    """
    from edgeemo.export import export
    from edgeemo.model.folder import EXPORTED

    def run(chosen: ExportOptions) -> Any:
        places = map(folder.file, EXPORTED)
        arguments = {"options": chosen, "places": places, "progress": progress, **kwargs}
        return run_foreign(export, folder.path, **arguments)

    try:
        return tuple(run(options))
    except ForeignCrashError as error:
        rest = _leave_out(options, error.file.rpartition(".")[2])
        if rest is None:
            raise
        try:
            files = tuple(run(rest))
        except ExportError as other:
            raise ExportError(f"{error}; {other}") from None
        (kept,) = rest.formats
        raise PartialExportError(
            f"{error} (the {kept} files are kept: --format {kept} exports these alone)", files=files
        ) from None


def _leave_out(options: ExportOptions, crashed: str) -> ExportOptions | None:
    """Return the options without a format; None where no other is left."""
    formats = tuple(format for format in options.formats if format != crashed)
    if not formats or formats == options.formats:
        return None
    is_lite = "tflite" in formats
    return replace(
        options,
        formats=formats,
        float16=options.float16 and is_lite,
        dynamic=options.dynamic and is_lite,
    )


def _explain_crash(error: ChildCrashedError, model: Path) -> ForeignCrashError:
    file = error.detail if error.detail.endswith((".tflite", ".onnx")) else ""
    stage = f" while {error.stage[0].lower()}{error.stage[1:]}" if error.stage else ""
    if file:
        kind = file.partition(".")[0]
        remedy = f"leave out --{kind}, or " if kind != "float32" else ""
        return ForeignCrashError(
            f"{file} cannot be made: TensorFlow or the engine crashed{stage} ({error.ended_by}); "
            f"{remedy}replace the layer that cannot be converted",
            file=file,
        )
    return ForeignCrashError(
        f"{model}: TensorFlow crashed{stage} ({error.ended_by}); replace the layer that it cannot "
        "run"
    )
