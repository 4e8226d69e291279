"""Which rows of a batch are whose, and a network that sees all of them as one batch.

JAX wants equal shares: a batch that does not divide is filled up with rows that come twice, and the
network cuts them off again before it looks. So loss, metrics and batch normalisation are those of
the batch itself, whatever its size and however many train.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.model.keras import import_keras

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One worker's share of every batch: a run of neighbouring rows.

    Attributes:
        number: The worker's, from 0.
        workers: How many there are.
        devices: Processors or GPUs per worker; its rows are shared out evenly among them.
        batch_size: Images per batch, over all workers.
    """

    number: int
    workers: int
    devices: int = 1
    batch_size: int

    def rows(self, size: int) -> int:
        """How many rows each worker gets of a batch of `size`, those that come twice included.

        No two sizes that one epoch has, `batch_size` and a smaller one, share an answer.
        """
        own = math.ceil(size / (self.workers * self.devices)) * self.devices
        if size != self.batch_size and own == self.rows(self.batch_size):
            own += self.devices
        return own

    def sizes(self, images: int) -> dict[int, int]:
        """Rows over all workers, to rows that count, for every batch of a split."""
        sizes = {self.batch_size, images % self.batch_size} - {0}
        return {self.rows(size) * self.workers: size for size in sizes}

    def take(self, rows: Any, *, images: int) -> Any:
        """Return this worker's part of a batch.

        Args:
            rows: A tensor whose first axis are the batch's rows.
            images: How many the whole split has.

        Returns:
            A tensor of `rows(B)` rows.
        """
        import tensorflow as tf

        size = tf.shape(rows)[0]
        count = tf.where(
            size == self.batch_size,
            self.rows(self.batch_size),
            self.rows(images % self.batch_size),
        )
        return tf.gather(rows, tf.minimum(tf.range(count) + self.number * count, size - 1))


def shard_model(model: Any, *, train: Mapping[int, int], validation: Mapping[int, int]) -> Any:
    """Build a network of the same layers that takes padded batches and cuts them.

    Args:
        model: A functional model on JAX.
        train: `Shard.sizes` of the training split.
        validation: `Shard.sizes` of the validation split.

    Returns:
        A `keras.Model` with `model`'s layers and variables.
    """
    keras = import_keras()

    class Sharded(keras.Model):  # type: ignore[misc, name-defined]
        def train_step(self, state: Any, data: Any) -> Any:
            return super().train_step(state, _cut_padding(keras, data, train))

        def test_step(self, state: Any, data: Any) -> Any:
            return super().test_step(state, _cut_padding(keras, data, validation))

    return Sharded(model.inputs, model.outputs[0], name=model.name)


def _cut_padding(keras: Any, data: Any, sizes: Mapping[int, int]) -> Any:
    """Only the rows that count; their number is known when JAX compiles the step."""
    return keras.tree.map_structure(
        lambda rows: None if rows is None else rows[: sizes[rows.shape[0]]], data
    )
