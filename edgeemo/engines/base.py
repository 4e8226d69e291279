"""What an inference engine offers, and what a model file's tensors have to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.model.spec import ModelSpec


class Engine(Protocol):
    """Runs one model on one image at a time."""

    @property
    def name(self) -> str:
        """The engine's package and version, for reports."""

    def run(self, pixels: NDArray[np.uint8]) -> Sequence[float]:
        """Answer one image.

        Args:
            pixels: What `edgeemo.imaging.preprocess.preprocess` gave: (H, W, C) uint8.

        Returns:
            The network's `ModelSpec.output_count` raw outputs, probabilities in [0, 1].
        """

    def clone(self) -> Engine:
        """An engine of the same model for another thread; itself where threads may share it.

        Raises:
            EngineError: If the model's file is gone or there is no memory for another.
        """


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
