"""Training in several processes on Ray, on one machine or many: Keras on JAX, one shard each.

The process of the command prepares the images and writes the model folder. `fit` hands a `job` to a
process of its own, the `driver`, which talks to Ray: Ray Train places the workers, notices that one
has died and starts all again. Each `worker` runs the training loop on its rows of every batch. The
`keeper`, an actor of Ray's beside the command, has the pixels, keeps the checkpoint and passes the
progress on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use

if TYPE_CHECKING:
    from edgeemo.train.distributed.fit import fit_distributed

__all__ = ["fit_distributed"]

__getattr__ = import_on_use(__name__, {"fit_distributed": "edgeemo.train.distributed.fit"})
