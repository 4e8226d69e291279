"""A search whose trials are trained side by side on Ray."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ClusterError
from edgeemo.model.keras import import_keras
from edgeemo.train.data.shared_splits import share_splits
from edgeemo.train.keeper import pass_on
from edgeemo.tune.remote_trial import SPLITS, TrialKeeper, TrialTask, name_split, train_remotely
from edgeemo.tune.search import Search, abandon
from edgeemo.tune.study import Pruned, Study
from edgeemo.utils.child import ChildCrashedError, run_in_child
from edgeemo.utils.cluster import open_cluster, start_beside
from edgeemo.utils.cpu_watch import CpuWatch, check_nodes
from edgeemo.utils.ray_errors import describe_ray_error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.data.shared_splits import SharedSplits
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.tune.goal import Goal
    from edgeemo.tune.placement import Placement
    from edgeemo.tune.search_images import DecodedImages
    from edgeemo.tune.space import Space
    from edgeemo.tune.study import RunningTrial
    from edgeemo.utils.progress import Progress

_POLL_SECONDS = 0.1
_RETRIES = 3
"""Number of times that a trial is tried again whose process has died."""

_REMEDY = "the same command continues the search"

_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTRAOP_THREADS": "1",  # one CPU each
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
}


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """A search, for a process of its own.

    Attributes:
        study: Arguments of `Study`.
        space: Search space.
        base: Options that are not searched.
        goal: Objectives, limits, and when to stop.
        placement: Number of trials side by side, and where.
    """

    study: Mapping[str, Any]
    space: Space
    base: TrainOptions
    goal: Goal
    placement: Placement


def search_on_ray(
    request: SearchRequest, images: DecodedImages, folder: Path, *, progress: Progress
) -> None:
    """Run trials on Ray until the goal is reached, in a child process, which may lose Ray.

    Args:
        request: The search.
        images: The images, decoded here for all sizes.
        folder: Empty folder for files; its path should be short.
        progress: Receives the progress.

    Raises:
        ClusterError: If Ray cannot be used or is lost, or a trial fails on it.
        KeyboardInterrupt: On Ctrl-C; the running trials count as interrupted.
        StudyError: If the storage is lost.
    """
    splits: dict[str, Pixels] = {}
    for size in request.space.sizes:
        options = replace(request.base, size=size)
        decoded = images.decode(options)
        splits |= {name_split(split, options): decoded[split] for split in SPLITS}
    rows = folder / "rows"
    rows.mkdir()
    shared = _Shared(share_splits(splits, rows), images.labels)
    try:
        run_in_child(_search, request, shared, folder, progress=progress)
    except ChildCrashedError as error:
        raise ClusterError(f"the connection to Ray was lost ({error}); {_REMEDY}") from None


def _search(request: SearchRequest, images: _Shared, folder: Path, *, progress: Progress) -> None:
    """Run the search in this process."""
    import_keras()
    placement = request.placement
    with open_cluster(
        placement.cluster,
        cpus=placement.workers,
        gpus=placement.workers * placement.gpus,
        purpose=f"--workers {placement.workers}",
        folder=folder,
        progress=progress,
    ) as ray:
        check_nodes(ray, gpus=placement.gpus, purpose=f"--gpus {placement.gpus:g}")
        search = _ParallelSearch(
            Study(**request.study),
            images,
            space=request.space,
            base=request.base,
            goal=request.goal,
            progress=progress,
        )
        search.connect(ray, placement)
        search.run()


class _Shared:
    """The images of a search in a process that trains nothing."""

    def __init__(self, splits: SharedSplits, labels: tuple[str, ...]) -> None:
        self.splits, self.labels = splits, labels

    def decode(self, options: TrainOptions) -> Mapping[Any, Pixels]:
        """Return the splits of a size without their rows."""
        return {split: self.splits.splits[name_split(split, options)] for split in SPLITS}


class _ParallelSearch(Search):
    """Search with trials on Ray; the study stays in this process."""

    _images: _Shared

    def connect(self, ray: Any, placement: Placement) -> None:
        """Take Ray, connected, to train the trials on."""
        self._ray, self._slots = ray, placement.workers
        self._keeper = start_beside(ray, TrialKeeper, self._images.splits)
        self._function = ray.remote(
            num_cpus=1,
            num_gpus=placement.gpus,
            max_retries=_RETRIES,
            scheduling_strategy="SPREAD",
            runtime_env={"env_vars": _ENVIRONMENT},
        )(train_remotely)
        self._running: dict[Any, RunningTrial] = {}
        self._watch = CpuWatch(
            ray, cpus=1, gpus=placement.gpus, remedy=_REMEDY, progress=self._progress
        )

    def _run_trials(self, end: float | None) -> None:
        try:
            while True:
                self._fill_slots(end)
                if not self._running:
                    return
                ended, _ = self._ray.wait([*self._running], timeout=_POLL_SECONDS)
                for message in self._ray.get(self._keeper.take.remote()):
                    self._take(*message)
                for task in ended:
                    self._end(task)
                self._watch.check()
        except BaseException as error:
            for trial in self._running.values():
                abandon(trial, error)
            raise

    def _fill_slots(self, end: float | None) -> None:
        while len(self._running) < self._slots and not self._is_over(
            self._study.read_trials(), end, running=len(self._running)
        ):
            begun = self._begin_trial()
            if begun is not None:
                trial, options, footprint = begun
                task = TrialTask(
                    number=trial.number,
                    options=options,
                    footprint=footprint,
                    images=self._images.splits,
                    labels=self._images.labels,
                    goal=self._goal,
                )
                self._running[self._function.remote(task, self._keeper)] = trial

    def _take(self, kind: str, *values: Any) -> None:
        """Do what a message of a trial says: of its result, or of its progress."""
        trials = {trial.number: trial for trial in self._running.values()}
        if kind in ("save", "report", "complete", "prune"):
            trial = trials[values[0]]
            if kind == "save":
                trial.save(**values[1])
            elif kind == "report":
                self._report_epoch(trial, *values[1:])
            elif kind == "complete":
                trial.complete(values[1])
            else:
                trial.prune(values[1])
        else:
            pass_on(kind, list(values), self._progress)

    def _report_epoch(self, trial: RunningTrial, epoch: int, value: float) -> None:
        try:
            trial.report(epoch, value)
        except Pruned:
            ends = True
        else:
            ends = False
        self._keeper.decide.remote(trial.number, epoch, ends)

    def _end(self, task: Any) -> None:
        trial = self._running[task]
        try:
            self._ray.get(task)
        except Exception as error:
            raise ClusterError(
                f"trial {trial.number} has failed on Ray: {describe_ray_error(error)}; {_REMEDY}"
            ) from None
        del self._running[task]
        self._report(trial.number)
