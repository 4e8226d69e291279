"""Training in several worker processes, on one machine or many: Keras on JAX, one shard each.

On every machine `edgeemo train` prepares the images as usual and starts worker processes on JAX
that only fit: `processes` starts and `monitor` follows those of one machine, `rendezvous` connects
the machines, `worker` runs in a process, `shard` divides the rows of a batch. Worker 0 keeps the
checkpoint; its machine (`coordinator`) continues with the best weights on TensorFlow and writes the
model folder, and the other machines (`helper`) are then done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use

if TYPE_CHECKING:
    from edgeemo.train.distributed.coordinator import Coordinator
    from edgeemo.train.distributed.helper import assist
    from edgeemo.train.distributed.rank import Rank, read_rank

__all__ = ["Coordinator", "Rank", "assist", "read_rank"]

__getattr__ = import_on_use(
    __name__,
    {
        "Coordinator": "edgeemo.train.distributed.coordinator",
        "Rank": "edgeemo.train.distributed.rank",
        "assist": "edgeemo.train.distributed.helper",
        "read_rank": "edgeemo.train.distributed.rank",
    },
)
