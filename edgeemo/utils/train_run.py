"""A run of Ray Train."""

from __future__ import annotations

import os
from threading import Thread
from typing import TYPE_CHECKING, Any

from edgeemo.utils.cluster import import_ray_train
from edgeemo.utils.ray_errors import describe_ray_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_START_SECONDS = 20
"""Seconds after which a number of workers that the nodes have no room for is counted again."""


class TrainRun(Thread):
    """A run of Ray Train, in a thread, where it leaves Ctrl-C alone.

    A worker that dies is replaced; all workers start again then.

    Args:
        function: A function of a module, which every worker calls.
        config: Its argument.
        workers: Smallest and largest number of workers, one CPU each.
        gpu: Whether each has a GPU, too.
        max_failures: Number of times that workers are replaced.
        environment: Environment variables of the workers.
        folder: Receives the files of the run.
    """

    def __init__(
        self,
        function: Callable[[dict[str, Any]], None],
        config: dict[str, Any],
        *,
        workers: tuple[int, int],
        gpu: bool,
        max_failures: int,
        environment: Mapping[str, str],
        folder: Path,
    ) -> None:
        super().__init__(daemon=True)
        train, (low, high) = import_ray_train(), workers
        if low < high:
            os.environ.setdefault("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", str(_START_SECONDS))
        self._trainer = train.v2.api.data_parallel_trainer.DataParallelTrainer(
            function,
            train_loop_config=config,
            scaling_config=train.ScalingConfig(
                num_workers=low if low == high else (low, high),
                use_gpu=gpu,
                resources_per_worker={"CPU": 1, **({"GPU": 1} if gpu else {})},
                placement_strategy="SPREAD",
            ),
            run_config=train.RunConfig(
                storage_path=str(folder / "runs"),
                failure_config=train.FailureConfig(max_failures=max_failures),
                worker_runtime_env={"env_vars": dict(environment)},
            ),
        )
        self._error = Exception("no reason given")
        self.start()

    def run(self) -> None:
        """See `Thread`."""
        try:
            self._trainer.fit()
        except Exception as error:
            self._error = error

    def explain(self) -> str:
        """Return in one line why the run has ended."""
        failures = getattr(self._error, "worker_failures", None)
        if not failures:
            return f"Ray has ended the training: {describe_ray_error(self._error)}"
        rank, failure = min(failures.items())
        return f"worker {rank} has failed: {describe_ray_error(failure)}"
