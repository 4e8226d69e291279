"""The rows of a batch that each worker gets.

JAX requires equal shares: a batch that does not divide is filled up with rows that come twice,
which the training step cuts off again before it looks. So loss, metrics and batch normalisation are
those of the batch itself, whatever its size and the number of workers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One worker's share of every batch: a run of neighbouring rows.

    Attributes:
        rank: The worker's number, from 0.
        workers: Number of workers.
        devices: Processors or GPUs per worker; its rows are shared out evenly among them.
        batch_size: Images per batch, over all workers.
    """

    rank: int
    workers: int
    devices: int = 1
    batch_size: int

    def count_rows(self, size: int) -> int:
        """Return the number of rows of each worker of a batch of `size`, repeated ones included.

        No two sizes that one epoch has, `batch_size` and a smaller one, have the same number.
        """
        own = math.ceil(size / (self.workers * self.devices)) * self.devices
        if size != self.batch_size and own == self.count_rows(self.batch_size):
            own += self.devices
        return own

    def map_sizes(self, images: int) -> dict[int, int]:
        """Return rows over all workers, to rows that count, for every batch of a split."""
        sizes = {self.batch_size, images % self.batch_size} - {0}
        return {self.count_rows(size) * self.workers: size for size in sizes}

    def take(self, rows: Any, *, images: int) -> Any:
        """Return this worker's part of a batch.

        Args:
            rows: A tensor whose first axis are the batch's rows, or a structure of such.
            images: Number of images of the whole split.

        Returns:
            Tensors of `count_rows(B)` rows.
        """
        import tensorflow as tf

        def take_own(values: Any) -> Any:
            size = tf.shape(values)[0]
            count = tf.where(
                size == self.batch_size,
                self.count_rows(self.batch_size),
                self.count_rows(images % self.batch_size),
            )
            return tf.gather(values, tf.minimum(tf.range(count) + self.rank * count, size - 1))

        return tf.nest.map_structure(take_own, rows)

    def make_cuts(self, *images: int) -> Any:
        """Return functions that cut the repeated rows off the data of a step on JAX.

        Args:
            images: Number of images of each split; the rows' number is known when JAX compiles.
        """
        keras = import_keras()

        def make(sizes: dict[int, int]) -> Callable[[Any], Any]:
            return lambda data: keras.tree.map_structure(
                lambda rows: None if rows is None else rows[: sizes[rows.shape[0]]], data
            )

        return tuple(make(self.map_sizes(count)) for count in images)
