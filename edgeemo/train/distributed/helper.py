"""A machine that trains along; worker 0's writes the model."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import EdgeEmoError, WorkerError
from edgeemo.train.data.pipeline import TrainingData, decode_splits
from edgeemo.train.data.source import prepare_images
from edgeemo.train.distributed import rendezvous
from edgeemo.train.distributed.agreement import check_agreement, check_jax, fingerprint_samples
from edgeemo.train.distributed.job import make_job
from edgeemo.train.distributed.messages import send
from edgeemo.train.distributed.monitor import LostWorkerError, WorkerMonitor
from edgeemo.train.distributed.processes import WorkerProcesses

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from edgeemo.model.spec import ModelSpec
    from edgeemo.train.distributed.rank import Rank
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.progress import Progress

_REPLY_SECONDS = 30.0


def assist(
    rank: Rank,
    *,
    data: Path | None,
    options: TrainOptions | None,
    spec_of: Callable[[tuple[str, ...], TrainOptions], ModelSpec],
    progress: Progress,
) -> None:
    """Train with the others; worker 0's machine writes the model.

    Args:
        rank: This machine's.
        data: Its images; None for where worker 0 has them.
        options: What its command said, to be compared with worker 0's; None to take those.
        spec_of: Labels and options to a spec.
        progress: Is told of every stage.

    Raises:
        WorkerError: If the others do not come, go away, or train something else.
        EdgeEmoError: As `edgeemo.train.train`, of this machine's images.
    """
    check_jax()
    progress.stage(f"Joining worker 0 at {rank.address(rank.port)}")
    connection = rendezvous.join_coordinator(rank)
    try:
        _assist(connection, rank, data=data, options=options, spec_of=spec_of, progress=progress)
    except LostWorkerError as error:
        if error.lost.number == rank.number:
            send(connection, {"ended": error.lost.how})
        raise WorkerError(f"{error}; worker 0 keeps the checkpoint") from None
    except EdgeEmoError as error:
        send(connection, {"failed": str(error)})
        raise
    except BaseException:
        send(connection, {"ended": "was interrupted"})
        raise
    finally:
        connection.close()


def _assist(
    connection: Connection,
    rank: Rank,
    *,
    data: Path | None,
    options: TrainOptions | None,
    spec_of: Callable[[tuple[str, ...], TrainOptions], ModelSpec],
    progress: Progress,
) -> None:
    begun = rendezvous.receive_expected(
        connection, rank, seconds=rank.join_seconds + _REPLY_SECONDS
    )
    options = check_agreement(begun, options, rank)
    with (
        prepare_images(data or Path(begun["data"]), options, progress=progress) as images,
        tempfile.TemporaryDirectory(prefix="edgeemo-") as name,
    ):
        folder, options, dataset = Path(name), images.options, images.dataset
        spec = spec_of(dataset.labels, options)
        with decode_splits(
            dataset.root,
            dataset.samples,
            spec=spec,
            detector=images.detector,
            folder=folder,
            progress=progress,
        ) as pixels:
            send(connection, {"images": fingerprint_samples(dataset.samples)})
            address = rendezvous.receive_expected(connection, rank)["go"]
            validation = pixels["test" if options.validates_on_test else "validation"]
            training = TrainingData(train=pixels["train"], validation=validation, spec=spec)
            job = make_job(folder, rank, options=options, data=training)
            progress.stage(f"Training as {rank.describe(rank.number)}")
            with WorkerProcesses(folder) as processes:
                processes.start(rank.number, {**job, "number": rank.number, "address": address})
                WorkerMonitor(processes, {0: connection}, rank, progress=progress).wait_until_done()
            send(connection, {"done": True})
