"""Training in several processes, on one machine or many: Keras on JAX, each with its own shard.

On every machine `edgeemo train` prepares the images as ever and starts worker processes on JAX
that only fit: `crew` starts and `watch` follows those of one machine, `meeting` holds the machines
together, `worker` is what runs in a process, `shard` says which rows of a batch are whose. Worker 0
keeps the checkpoint; its machine (`team`) goes on with the best weights on TensorFlow and writes
the model folder, and the others (`helper`) are then done.
"""

from edgeemo.train.distributed.coordinator import Coordinator
from edgeemo.train.distributed.helper import assist
from edgeemo.train.distributed.rank import Rank, read_rank

__all__ = ["Coordinator", "Rank", "assist", "read_rank"]
