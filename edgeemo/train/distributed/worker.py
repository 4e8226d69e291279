"""One worker, in a process of Ray Train's: Keras on JAX, on its rows of every batch."""

from __future__ import annotations

import re
import socket
import tempfile
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ClusterError, EdgeEmoError
from edgeemo.train.data.pipeline import TrainingData
from edgeemo.train.data.shard import Shard
from edgeemo.train.distributed.job import find_version_conflict
from edgeemo.train.keeper import KeeperProxy
from edgeemo.train.loop.checkpoint import Checkpoint
from edgeemo.train.loop.teachers import unpack_teachers
from edgeemo.utils.cluster import import_ray, import_ray_train
from edgeemo.utils.progress import Silent
from edgeemo.utils.ray_errors import describe_ray_error

if TYPE_CHECKING:
    from edgeemo.train.distributed.job import Job
    from edgeemo.train.loop.callbacks import FitResult
    from edgeemo.train.loop.checkpoint import State

_HEARTBEAT_SECONDS = 30
_OF_OTHERS = re.compile("gloo|nccl|heartbeat|coordination|connection|UNAVAILABLE|DEADLINE", re.I)
"""In the text of an error whose cause is that another worker has gone."""


def train_worker(config: dict[str, Any]) -> None:
    """Train with the other workers; worker 0 sends progress and result to the keeper.

    Args:
        config: Reference to the `Job`, in a list, and the handle of the keeper.
    """
    ray, context = import_ray(), import_ray_train().get_context()
    job: Job = ray.get(config["job"][0])
    rank, workers = context.get_world_rank(), context.get_world_size()
    keeper = KeeperProxy(config["keeper"])
    try:
        conflict = find_version_conflict(job.versions)
        pixels = {name: keeper.open_split(job.images, name) for name in job.images.splits}
    except Exception as error:
        conflict, pixels = describe_ray_error(error), {}
    if conflict:
        keeper.call("note_problem", f"worker {rank} on {socket.gethostname()}: {conflict}")
    _join(ray, rank, workers)
    if keeper.call("read_problem"):
        return
    try:
        data = TrainingData(train=pixels["train"], validation=pixels["validation"], spec=job.spec)
        model, fitted = _fit(job, data, keeper, rank=rank, workers=workers)
    except EdgeEmoError as error:
        keeper.call("send", "error", error)
    except Exception as error:
        text = describe_ray_error(error)
        if _OF_OTHERS.search(text):  # Ray starts all workers again
            raise
        keeper.call("send", "error", ClusterError(f"worker {rank} has failed: {text}"))
    else:
        if rank == 0:
            result = {**asdict(fitted), "history": fitted.history}
            keeper.call("send", "done", model.get_weights(), result)
        _leave()


def _join(ray: Any, rank: int, workers: int) -> None:
    """Make one JAX of all workers; returns when all have come so far."""
    here = ray.util.get_node_ip_address()
    with socket.create_server(("", 0)) as probe:
        address = f"{here}:{probe.getsockname()[1]}"
    address = import_ray_train().collective.broadcast_from_rank_zero(address)
    if workers > 1:
        import jax
        from jax._src.lib import _jax  # gloo would listen where the machine's name leads to,

        _jax.make_gloo_tcp_collectives = partial(  # which is 127.0.1.1 on Debian
            _jax.make_gloo_tcp_collectives, hostname=here
        )
        jax.distributed.initialize(
            address,
            workers,
            rank,
            cluster_detection_method="deactivate",
            heartbeat_timeout_seconds=_HEARTBEAT_SECONDS,
            shutdown_timeout_seconds=_HEARTBEAT_SECONDS,
        )


def _leave() -> None:
    """Leave together: JAX ends whoever is left when the first one goes."""
    import jax
    from jax.experimental.multihost_utils import sync_global_devices

    if jax.process_count() > 1:
        sync_global_devices("edgeemo: all have trained")
        jax.distributed.shutdown()


def _fit(
    job: Job, data: TrainingData, keeper: KeeperProxy, *, rank: int, workers: int
) -> tuple[Any, FitResult]:
    import jax

    _check_devices(jax, f"worker {rank} on {socket.gethostname()}")
    import keras
    import tensorflow as tf

    from edgeemo.train.loop.fit import fit
    from edgeemo.train.networks.architectures import build

    tf.config.set_visible_devices([], "GPU")  # it only feeds
    options = job.options if rank == 0 else replace(job.options, tensorboard=None)
    teachers = unpack_teachers(job.teachers, options)  # before variables are spread over workers
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))

    def network() -> Any:
        model = build(options.arch, input_shape=job.spec.input_shape, classes=len(job.spec.labels))
        for variable, value in zip(model.variables, job.weights, strict=True):
            variable.assign(value)
        return model

    with tempfile.TemporaryDirectory(prefix="edgeemo-") as folder:
        return fit(
            network,
            data,
            options=options,
            checkpoint=_ReceivedCheckpoint(Path(folder, "model"), keeper, writes=rank == 0),
            progress=keeper if rank == 0 else Silent(),
            shard=Shard(
                rank=rank,
                workers=workers,
                devices=jax.local_device_count(),
                batch_size=options.batch_size,
            ),
            teachers=teachers,
        )


def _check_devices(jax: Any, worker: str) -> None:
    """Refuse a worker whose JAX has no device of the requested kind.

    Raises:
        ClusterError: If it has none.
    """
    try:
        jax.local_devices()
    except (AssertionError, RuntimeError) as error:  # without, and with an unusable CUDA
        if isinstance(error, RuntimeError) and "nable to initialize backend" not in str(error):
            raise
        raise ClusterError(f"{worker}: JAX finds no GPU; install 'jax[cuda12]' there") from None


class _ReceivedCheckpoint(Checkpoint):
    """A copy of the keeper's checkpoint; worker 0 sends every new state back."""

    def __init__(self, out: Path, keeper: KeeperProxy, *, writes: bool) -> None:
        super().__init__(out)
        self._keeper, self._writes = keeper, writes
        self.path.mkdir(parents=True)
        content = keeper.call("read_state")
        if content is not None:
            self.state_path.write_bytes(content)

    def is_worth_writing(self) -> bool:
        return self._writes and super().is_worth_writing()

    def write(self, state: State) -> None:
        super().write(state)
        self._keeper.call("write_state", self.state_path.read_bytes())
