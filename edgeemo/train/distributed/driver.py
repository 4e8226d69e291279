"""The driver: runs a training on Ray, in a process of its own."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ClusterError
from edgeemo.train.distributed.keeper import TrainingKeeper
from edgeemo.train.distributed.worker import train_worker
from edgeemo.train.keeper import pass_on
from edgeemo.utils.cluster import open_cluster, start_beside
from edgeemo.utils.cpu_watch import CpuWatch
from edgeemo.utils.train_run import TrainRun

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.train.distributed.job import Job
    from edgeemo.utils.progress import Progress

_POLL_SECONDS = 0.2
_AGAIN = "A worker was lost, or their number changed: all continue from the last checkpoint."


def drive(job: Job, folder: Path, *, progress: Progress) -> tuple[list[Any], dict[str, Any]]:
    """Run a training on Ray.

    Args:
        job: The training.
        folder: Empty folder for files of Ray; its path should be short.
        progress: Receives the progress of worker 0.

    Returns:
        The best weights, and the values of the `FitResult`.

    Raises:
        ClusterError: If Ray cannot be used, or a worker is lost once too often.
        TrainingError: If the loss stops being a number.
    """
    options = job.options
    low, _ = options.worker_range
    with open_cluster(
        options.cluster,
        cpus=low,
        gpus=low if options.gpu else 0,
        purpose=f"--workers {options.workers}",
        folder=folder,
        progress=progress,
    ) as ray:
        keeper = start_beside(ray, TrainingKeeper, job.images, job.state)
        run = TrainRun(
            train_worker,
            {"job": [ray.put(job)], "keeper": keeper},
            workers=options.worker_range,
            gpu=options.gpu,
            max_failures=options.max_failures,
            environment={
                "KERAS_BACKEND": "jax",
                "JAX_PLATFORMS": "cuda" if options.gpu else "cpu",
                "TF_CPP_MIN_LOG_LEVEL": "3",
            },
            folder=folder,
        )
        watch = CpuWatch(ray, cpus=low, gpus=low if options.gpu else 0, progress=progress)
        progress.stage("Starting the workers")
        parent, starts = os.getppid(), 0
        while os.getppid() == parent:
            is_over = not run.is_alive()
            for kind, *values in ray.get(keeper.take.remote()):
                if kind == "done":
                    run.join()
                    return values[0], values[1]
                if kind == "stage":
                    starts += 1
                    if starts > 1:
                        progress.note(_AGAIN)
                pass_on(kind, values, progress)
            if is_over:
                raise ClusterError(ray.get(keeper.read_problem.remote()) or run.explain())
            watch.check()
            time.sleep(_POLL_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)  # the command has gone, and cannot do it
    raise SystemExit(1)
