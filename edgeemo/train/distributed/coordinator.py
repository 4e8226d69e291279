"""The machine that writes the model, and those that train with it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import EdgeEmoError, WorkerError
from edgeemo.model.keras import import_keras
from edgeemo.train.distributed import rendezvous
from edgeemo.train.distributed.agreement import check_jax, collect_versions, fingerprint_samples
from edgeemo.train.distributed.job import WEIGHTS, load_arrays, make_job, write_start
from edgeemo.train.distributed.messages import Message, find_free_port, receive, send
from edgeemo.train.distributed.monitor import LostWorkerError, WorkerMonitor
from edgeemo.train.distributed.processes import WorkerProcesses
from edgeemo.train.loop.callbacks import FitResult, describe_interruption
from edgeemo.train.loop.history import Epoch
from edgeemo.train.options.record import record_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from multiprocessing.connection import Connection

    from edgeemo.model.tables import Sample
    from edgeemo.train.data.pipeline import TrainingData
    from edgeemo.train.distributed.rank import Rank
    from edgeemo.train.loop.checkpoint import Checkpoint
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.progress import Progress


class Coordinator:
    """All that train together, as worker 0's machine sees them. A context manager.

    Args:
        rank: This machine's; it has worker 0.
        options: How to train; the others are told.
        data: The images; the others look there unless they were told another place.
        progress: Is told what is waited for.

    Raises:
        MissingExtraError: If JAX is not installed.
        WorkerError: On entering, if a worker does not join.
    """

    def __init__(
        self, rank: Rank, *, options: TrainOptions, data: Path, progress: Progress
    ) -> None:
        check_jax()
        self._rank = rank
        self._options = options
        self._data = data
        self._progress = progress
        self._peers: dict[int, Connection] = {}

    def __enter__(self) -> Coordinator:
        if self._rank.is_cluster:
            self._progress.stage("Waiting for the other workers")
            self._peers = rendezvous.gather_workers(self._rank)
            self._tell(
                {
                    "options": record_options(self._options),
                    "data": str(self._data.absolute()),
                    "versions": collect_versions(),
                }
            )
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None:
            text = str(error) if isinstance(error, EdgeEmoError) else "worker 0 was interrupted"
            self._tell({"failed": text})
        for peer in self._peers.values():
            peer.close()

    def agree(self, samples: Iterable[Sample]) -> None:
        """Wait until all have prepared their images, and see that they are the same.

        Raises:
            WorkerError: If they are not, or a worker has gone or failed.
        """
        ours = fingerprint_samples(samples)
        if self._peers:
            self._progress.stage("Waiting for the others' images")
        for number, peer in self._peers.items():
            message = receive(peer)
            if message is None:
                raise WorkerError(f"{self._rank.describe(number)} has gone")
            if "failed" in message:
                raise WorkerError(f"{self._rank.describe(number)}: {message['failed']}")
            if message["images"] != ours:
                raise WorkerError(
                    f"{self._rank.describe(number)} has other images than worker 0 "
                    f"({message['images'][1]:,} there, {ours[1]:,} here); give all the same data"
                )

    def fit(
        self,
        network: Callable[[], Any],
        data: TrainingData,
        *,
        checkpoint: Checkpoint,
    ) -> tuple[Any, FitResult]:
        """As `edgeemo.train.loop.fit.fit`, in the worker processes.

        Ctrl-C ends the workers and keeps the best model of the checkpoint.

        Raises:
            WorkerError: If a worker ends before the others; the text says what is kept.
            TrainingError: If the loss stops being a number.
            KeyboardInterrupt: If Ctrl-C comes before the first epoch has ended.
        """
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # JAX wants the memory
        options = self._options
        import_keras().utils.set_random_seed(options.seed)
        model = network()
        address = self._rank.address(find_free_port())
        beside = data.train.file.parent if data.train.file else None
        with (
            tempfile.TemporaryDirectory(prefix="edgeemo-", dir=beside) as name,
            WorkerProcesses(Path(name)) as processes,
        ):
            folder = Path(name)
            write_start(folder, model, checkpoint)
            job = make_job(folder, self._rank, options=options, data=data)
            self._tell({"go": address})
            for number in self._rank.own_numbers:
                processes.start(
                    number,
                    {**job, "number": number, "address": address, "out": str(checkpoint.out)},
                )
            before = len(checkpoint.read().history) if checkpoint.exists else 0
            watch = WorkerMonitor(
                processes, self._peers, self._rank, progress=self._progress, ended=before
            )
            try:
                done = watch.wait_until_done()
            except KeyboardInterrupt:
                if not checkpoint.exists:
                    raise
                return model, self._interrupted(model, checkpoint, watch.ended + 1)
            except LostWorkerError as error:
                raise WorkerError(f"{error}; {_kept(checkpoint)}") from None
            self._tell({"done": True})
            model.set_weights(load_arrays(folder / WEIGHTS))
        return model, FitResult(
            history=tuple(Epoch(**epoch) for epoch in done["history"]),
            best_epoch=done["best_epoch"],
            stopped_early=done["stopped_early"],
        )

    def _interrupted(self, model: Any, checkpoint: Checkpoint, epoch: int) -> FitResult:
        state = checkpoint.read()
        model.set_weights(list(state.best_weights))
        self._progress.note(describe_interruption(epoch, self._options, state.best))
        self._tell({"failed": "worker 0 was interrupted; it keeps the best weights so far"})
        return FitResult(history=state.history, best_epoch=state.best.epoch, interrupted=True)

    def _tell(self, message: Message) -> None:
        for peer in self._peers.values():
            send(peer, message)


def _kept(checkpoint: Checkpoint) -> str:
    if not checkpoint.exists:
        return "no epoch was completed; start again"
    epoch = len(checkpoint.read().history)
    return f"the checkpoint of epoch {epoch} is kept: continue with --resume"
