"""One worker: ``python -m edgeemo.train.distributed.worker JOB.json DESCRIPTOR``.

Keras runs on JAX here. The worker joins the others, gets the first weights or the checkpoint from
worker 0, fits, and tells the process that started it how far it is. When that one goes, it goes,
too.
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import EdgeEmoError
from edgeemo.model.spec import ModelSpec
from edgeemo.train.distributed.job import START, STATE, TRUTH, WEIGHTS, load_arrays, save_arrays
from edgeemo.train.distributed.messages import open_inherited, receive, send
from edgeemo.train.distributed.rank import LOCALHOST
from edgeemo.train.loop.checkpoint import Checkpoint
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.loop.checkpoint import State
    from edgeemo.train.loop.history import Epoch

_HEARTBEAT_SECONDS = 30
_OF_OTHERS = re.compile("gloo|nccl|heartbeat|coordination|connection|UNAVAILABLE|DEADLINE", re.I)
"""What stands in an error whose cause is that another worker has gone."""

_FAILED, _LOST = 3, 4


class _ParentProgress:
    """A `Progress` that tells the parent; of all workers only worker 0 says all."""

    def __init__(self, parent: Connection, *, aloud: bool) -> None:
        self._parent, self._aloud = parent, aloud

    def stage(self, name: str, *, total: int | None = None) -> None:
        self._say({"stage": name, "total": total})

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        self._say({"advance": steps, "detail": detail})

    def note(self, text: str) -> None:
        self._say({"note": text})

    def epoch(self, ended: Epoch) -> None:
        """Report the end of an epoch."""
        send(self._parent, {"epoch": ended.epoch})

    def _say(self, message: dict[str, Any]) -> None:
        if self._aloud:
            send(self._parent, message)


class _ReceivedCheckpoint(Checkpoint):
    """What worker 0 handed round of its checkpoint; here nothing is written."""

    def is_worth_writing(self) -> bool:
        return False

    def write(self, state: State) -> None:
        raise AssertionError("worker 0 writes")


def _start(job: dict[str, Any], parent: Connection) -> None:
    """Join the others."""
    import jax

    send(parent, {"here": True})
    host, _, port = job["address"].rpartition(":")
    jax.distributed.initialize(
        job["address"],
        job["workers"],
        job["number"],
        cluster_detection_method="deactivate",
        coordinator_bind_address=f"{LOCALHOST}:{port}" if host == LOCALHOST else None,
        initialization_timeout=int(job["join_seconds"]) + 30,
        heartbeat_timeout_seconds=_HEARTBEAT_SECONDS,
        shutdown_timeout_seconds=_HEARTBEAT_SECONDS,
    )
    send(parent, {"joined": True, "devices": jax.device_count(), "kind": jax.default_backend()})


def _leave() -> None:
    """Go together: JAX ends whoever is left when the first one, or worker 0's service, goes."""
    import jax
    from jax.experimental.multihost_utils import sync_global_devices

    sync_global_devices("edgeemo: all have trained")
    jax.distributed.shutdown()


def _share_start(folder: Path) -> Path:
    """Write worker 0's start, its state or its initial weights, to a file on every worker."""
    from jax.experimental.multihost_utils import broadcast_one_to_all

    own = folder / STATE if (folder / STATE).exists() else folder / START
    content = own.read_bytes() if own.exists() else b""
    size, is_state = broadcast_one_to_all(np.array([len(content), own.name == STATE], np.int32))
    padded = np.frombuffer(content.ljust(size, b"\0"), np.uint8)[:size]
    received = folder / (STATE if is_state else START)
    if not received.exists():
        received.write_bytes(np.asarray(broadcast_one_to_all(padded)).tobytes())
    else:
        broadcast_one_to_all(padded)
    return received


def _fit(job: dict[str, Any], folder: Path, told: _ParentProgress) -> dict[str, Any]:
    """Train, and give what the parent is told at the end."""
    import jax
    import keras
    import tensorflow as tf

    from edgeemo.train.data.pipeline import TrainingData
    from edgeemo.train.distributed.shard import Shard, shard_model
    from edgeemo.train.loop.fit import fit
    from edgeemo.train.networks.architectures import build
    from edgeemo.train.options.record import read_options

    tf.config.set_visible_devices([], "GPU")  # it only feeds
    first = job["number"] == 0
    received = _share_start(folder)
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    options = read_options(job["options"])
    if not first:
        options = replace(options, tensorboard=None)
    spec = ModelSpec.from_json(job["spec"], origin="job")
    train, validation = _open_pixels(job, folder, spec)
    data = TrainingData(train=train, validation=validation, spec=spec)
    shard = Shard(
        number=job["number"],
        workers=job["workers"],
        devices=jax.local_device_count(),
        batch_size=options.batch_size,
    )

    def network() -> Any:
        model = shard_model(
            build(options.arch, input_shape=spec.input_shape, classes=len(spec.labels)),
            train=shard.sizes(len(train)),
            validation=shard.sizes(len(validation)),
        )
        if received.name == START:
            for variable, value in zip(model.variables, load_arrays(received), strict=True):
                variable.assign(value)
        return model

    model, fitted = fit(
        network,
        data,
        options=options,
        checkpoint=_make_checkpoint(job, received),
        on_epoch=told.epoch,
        progress=told,
        shard=shard,
    )
    if first:
        save_arrays(folder / WEIGHTS, model.get_weights())
    return {
        "history": [asdict(epoch) for epoch in fitted.history],
        "best_epoch": fitted.best_epoch,
        "stopped_early": fitted.stopped_early,
    }


def _make_checkpoint(job: dict[str, Any], received: Path) -> Checkpoint:
    """Worker 0's own; the others have what it handed round."""
    if job["number"] == 0:
        return Checkpoint(Path(job["out"]))
    checkpoint = _ReceivedCheckpoint(received.with_name("received"))
    if received.name == STATE:
        checkpoint.path.mkdir()
        received.rename(checkpoint.state_path)
    return checkpoint


def _open_pixels(job: dict[str, Any], folder: Path, spec: ModelSpec) -> list[Pixels]:
    from edgeemo.train.data.pipeline import Pixels

    splits = []
    with np.load(folder / TRUTH) as file:
        for name in ("train", "validation"):
            truth = file[name]
            shape = (len(truth), *spec.input_shape)
            rows = (
                np.asarray(np.memmap(job["files"][name], np.uint8, mode="r", shape=shape))
                if len(truth)
                else np.zeros(shape, np.uint8)
            )
            splits.append(Pixels(rows, truth))
    return splits


def _exit_with(parent: Connection) -> None:
    """Nothing comes from the parent but its end."""
    receive(parent)
    os._exit(_LOST)


def _run(job: dict[str, Any], folder: Path, parent: Connection) -> int:
    told = _ParentProgress(parent, aloud=job["number"] == 0)
    try:
        _start(job, parent)
        done = _fit(job, folder, told)
        _leave()
    except EdgeEmoError as error:
        send(parent, {"failed": str(error), "kind": type(error).__name__})
        return _FAILED
    except Exception as error:  # JAX and its network raise all kinds when another one is gone
        text = one_line(error)[:200]
        send(parent, {"lost": text, "certain": not _OF_OTHERS.search(text)})
        return _LOST
    send(parent, {"done": done})
    return 0


def main() -> None:
    """Run the job, and leave without JAX's farewell, which would wait for those that are gone."""
    job_file, descriptor = sys.argv[1:]
    parent = open_inherited(int(descriptor))
    Thread(target=_exit_with, args=(parent,), daemon=True).start()
    path = Path(job_file)
    status = _run(json.loads(path.read_bytes()), path.parent, parent)
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
