"""What the runtime asks of an engine, and which engine runs which file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

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
        from edgeemo.litert import interpreter_class

        interpreter_class()
    else:
        from edgeemo.runtime.onnx import runtime_module

        runtime_module()


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
