"""The engine of each format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.errors import EngineError

if TYPE_CHECKING:
    from edgeemo.engines.base import Engine
    from edgeemo.model.container import Format, SealedModel

MAX_THREADS = 1024


def load_engine(model: SealedModel, *, threads: int = 1) -> Engine:
    """Load a checked file into the engine that runs its format.

    Args:
        model: As `edgeemo.model.container.unseal` returns it.
        threads: Number of threads per prediction, 1 to `MAX_THREADS`.

    Raises:
        EngineError: If the engine refuses the file, its tensors differ from the specification, or
            the number of threads is out of range.
        MissingExtraError: If the engine is not installed.
    """
    if not 1 <= threads <= MAX_THREADS:
        raise EngineError(f"threads must be 1 to {MAX_THREADS}, not {threads}")
    if model.format == "tflite":
        from edgeemo.engines.litert import LiteRTEngine

        return LiteRTEngine(model, threads=threads)
    from edgeemo.engines.onnx import OnnxEngine

    return OnnxEngine(model, threads=threads)


def import_engine(format: Format) -> None:
    """Import the package that runs a format; `load_engine` does so otherwise.

    Raises:
        EngineError: If it is installed and cannot be loaded.
        MissingExtraError: If it is not installed.
    """
    if format == "tflite":
        from edgeemo.engines.litert import import_interpreter

        import_interpreter()
    else:
        from edgeemo.engines.onnx import import_onnxruntime

        import_onnxruntime()
