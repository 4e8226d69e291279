"""The protocol of the inference engines. For type checkers alone: nothing imports it at runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class Engine(Protocol):
    """An engine that runs one model on one image per call, which several threads may make."""

    @property
    def name(self) -> str:
        """Return the engine's package and version, for reports."""

    def run(self, pixels: NDArray[np.uint8]) -> Sequence[float]:
        """Run the model on one image.

        Args:
            pixels: (H, W, C) uint8, as `edgeemo.imaging.preprocess.preprocess` returns them.

        Returns:
            The network's `ModelSpec.output_count` raw outputs, probabilities in [0, 1].

        Raises:
            EngineError: If the engine fails.
        """
