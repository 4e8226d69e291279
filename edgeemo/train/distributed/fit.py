"""A training on Ray, as the process of the command sees it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ClusterError
from edgeemo.model.keras import import_keras
from edgeemo.train.data.shared_splits import share_splits
from edgeemo.train.distributed.driver import drive
from edgeemo.train.distributed.job import Job, collect_versions
from edgeemo.train.loop.callbacks import FitResult, describe_interruption
from edgeemo.train.loop.teachers import check_teacher_outputs, pack_teachers
from edgeemo.utils.child import ChildCrashedError, run_in_child

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.train.data.pipeline import TrainingData
    from edgeemo.train.loop.checkpoint import Checkpoint
    from edgeemo.train.loop.teachers import Teacher
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.progress import Progress


def fit_distributed(
    network: Callable[[], Any],
    data: TrainingData,
    *,
    options: TrainOptions,
    checkpoint: Checkpoint,
    teachers: Sequence[Teacher],
    progress: Progress,
) -> tuple[Any, FitResult]:
    """Fit a network as `edgeemo.train.loop.fit.fit`, in workers on Ray.

    Ctrl-C ends the workers and keeps the best model of the checkpoint.

    Raises:
        ClusterError: If Ray cannot be used, or ends before the training; the text says what is
            kept.
        TrainingError: If the loss stops being a number.
        KeyboardInterrupt: If Ctrl-C comes before the first epoch has ended.
    """
    check_teacher_outputs(teachers, data.train, data.spec)
    import_keras().utils.set_random_seed(options.seed)
    model = network()
    beside = data.train.file.parent if data.train.file else None
    with (
        tempfile.TemporaryDirectory(prefix="edgeemo-", dir=beside) as rows,
        tempfile.TemporaryDirectory(prefix="edgeemo-ray-", ignore_cleanup_errors=True) as folder,
    ):
        job = Job(
            options=options,
            spec=data.spec,
            images=share_splits({"train": data.train, "validation": data.validation}, Path(rows)),
            weights=[variable.numpy() for variable in model.variables],
            teachers=pack_teachers(teachers),
            state=checkpoint.state_path.absolute(),
            versions=collect_versions(),
        )
        try:
            weights, result = run_in_child(drive, job, Path(folder), progress=progress)
        except KeyboardInterrupt:
            if not checkpoint.exists:
                raise
            return model, _keep_best(model, checkpoint, options, progress)
        except (ChildCrashedError, ClusterError) as error:
            crashed = isinstance(error, ChildCrashedError)
            text = f"the connection to Ray was lost ({error})" if crashed else str(error)
            raise ClusterError(text + _describe_kept(checkpoint)) from None
    model.set_weights(weights)
    return model, FitResult(**result)


def _keep_best(
    model: Any, checkpoint: Checkpoint, options: TrainOptions, progress: Progress
) -> FitResult:
    state = checkpoint.read()
    model.set_weights(list(state.best_weights))
    progress.note(describe_interruption(len(state.history) + 1, options, state.best))
    return FitResult(history=state.history, best_epoch=state.best.epoch, interrupted=True)


def _describe_kept(checkpoint: Checkpoint) -> str:
    """Return the end of a message about a training that ended too early."""
    if not checkpoint.exists:
        return ""
    epoch = len(checkpoint.read().history)
    return f"; the checkpoint of epoch {epoch} is kept: continue with --resume"
