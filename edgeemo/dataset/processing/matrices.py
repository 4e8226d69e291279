"""Products of matrices on one core: the images are measured on every core already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PIECE = 2**17  # multiplications: OpenBLAS starts threads, which wait for each other, from 2^18 on


def multiply(rows: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``rows @ weights``, computed in pieces that one core works on.

    Args:
        rows: Shape (N, D).
        weights: Shape (D, K).

    Returns:
        Shape (N, K).
    """
    step = max(1, _PIECE // weights.size)
    return np.concatenate(
        [rows[start : start + step] @ weights for start in range(0, len(rows), step)]
    )
