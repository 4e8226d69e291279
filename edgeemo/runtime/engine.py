"""What the runtime asks of an engine, and which engine runs which file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edgeemo.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.container import Format, SealedModel
    from edgeemo.spec import ModelSpec


class Engine(Protocol):
    """Runs one model on one picture at a time."""

    @property
    def name(self) -> str:
        """The engine's package and version, for reports."""

    def run(self, pixels: NDArray[np.uint8]) -> Sequence[float]:
        """Answer one picture.

        Args:
            pixels: What `edgeemo.preprocess.preprocess` gave: (H, W, C) uint8.

        Returns:
            The network's `ModelSpec.output_count` raw outputs, probabilities in [0, 1].
        """

    def twin(self) -> Engine:
        """An engine of the same model for another thread; itself where threads may share it.

        Raises:
            EngineError: If the model's file is gone or there is no memory for another.
        """


def load_engine(model: SealedModel, *, threads: int = 1) -> Engine:
    """Load a checked file into the engine that runs its format.

    Args:
        model: What `edgeemo.container.unseal` gave.
        threads: Threads that one answer may use; at least 1.

    Raises:
        EngineError: If the engine refuses the file, or its tensors are not what the spec says.
        MissingExtraError: If the engine is not installed.
    """
    if model.format == "tflite":
        from edgeemo.runtime.litert import LiteRTEngine

        return LiteRTEngine(model, threads=threads)
    from edgeemo.runtime.onnx import OnnxEngine

    return OnnxEngine(model, threads=threads)


def import_engine(format: Format) -> None:
    """Import the package that runs a format, which `load_engine` otherwise does.

    Raises:
        EngineError: If it is installed and cannot be loaded.
        MissingExtraError: If it is not installed.
    """
    if format == "tflite":
        from edgeemo.runtime.litert import interpreter_class

        interpreter_class()
    else:
        from edgeemo.runtime.onnx import runtime_module

        runtime_module()


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
    reason = " ".join(str(error).split())
    return EngineError(
        f"{package} is installed but cannot be loaded: {reason}; it needs a 64-bit Debian 12 "
        "(bookworm), Raspberry Pi OS 12 or newer"
    )


def is_want_of_memory(error: ImportError | OSError) -> bool:
    """Whether a module could not be imported because there was no memory for its libraries."""
    reason = str(error.__cause__ or error)
    no_map = "failed to map segment" in reason and "not permitted" not in reason  # a noexec mount
    return no_map or "bad_alloc" in reason or "Cannot allocate memory" in reason


def shape_problem(spec: ModelSpec, inputs: Sequence[int], outputs: Sequence[int]) -> str | None:
    """What is wrong with a model's tensor shapes, or None.

    Args:
        spec: What the file says of itself.
        inputs: Shape of its input tensor.
        outputs: Shape of its output tensor.
    """
    expected_in, expected_out = [1, *spec.input_shape], [1, spec.output_count]
    if list(inputs) != expected_in:
        return f"its input is {list(inputs)} where its specification says {expected_in}"
    if list(outputs) != expected_out:
        return f"its output is {list(outputs)} where its specification says {expected_out}"
    return None
