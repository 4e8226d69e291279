"""From a folder of images to a model folder: begin a training, or go on with one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ModelFolderError, TrainingError
from edgeemo.train.job import Job, TrainedModel, run
from edgeemo.train.loop.checkpoint import Checkpoint
from edgeemo.train.options.checks import check_options
from edgeemo.train.options.config import merge_options
from edgeemo.train.options.options import TrainOptions
from edgeemo.train.options.record import find_differences, read_options, record_options
from edgeemo.train.output_folder import check_output_folder
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.utils.progress import Progress


def train(
    data: Path,
    out: Path,
    *,
    options: TrainOptions | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> TrainedModel:
    """Train a network on a folder of images and write a whole model folder, or nothing.

    Ctrl-C after the first epoch keeps the best model so far. A process that is killed leaves a
    checkpoint that `resume` goes on from. The same data, options, machine and versions give the
    same weights.

    Args:
        data: A folder with one sub-folder per class, or with train/validation/test inside; or a
            ``.zip`` of either.
        out: The model folder to make; its parents are made too.
        options: How to train.
        replace: Whether an existing model folder, or an interrupted training of it, gives way; the
            folder stays until the new one is complete.
        progress: Is told of every stage.

    Returns:
        The model folder at `out`, and its report.

    Raises:
        TrainingError: If the options are wrong, or training runs away.
        DatasetError: If the images cannot be used.
        ImageError: If an image vanishes in between.
        ModelFolderError: If `out` exists, or cannot be written.
        MissingExtraError: If the `train` extra is not installed.
    """
    options = options or TrainOptions()
    check_options(options)
    job = _job(data, out, options, resumed=False, replace=replace, progress=progress)
    if job.checkpoint.exists and not replace:
        raise ModelFolderError(
            f"{out}: its training was interrupted; go on with --resume, or begin anew with --force"
        )
    return run(job)


def resume(
    out: Path,
    *,
    data: Path | None = None,
    requested: Mapping[str, Any] | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> TrainedModel:
    """Go on with a training that was interrupted, to the weights that it would have reached.

    Args:
        out: The model folder that was to be made.
        data: Where the images are now; None for where they were.
        requested: Options that the user names, as `TrainOptions` takes them; none need be.
        replace: Whether an existing model folder gives way.
        progress: Is told of every stage.

    Returns:
        The model folder at `out`, and its report.

    Raises:
        ModelFolderError: If there is no interrupted training, or it is damaged.
        TrainingError: If options or images are not those that the training began with; the
            message says what changed. And all that `train` raises.
    """
    checkpoint = Checkpoint(out)
    if not checkpoint.exists:
        raise ModelFolderError(f"{out}: no interrupted training to go on with; leave out --resume")
    began = checkpoint.asked()
    requested, recorded = requested or {}, began["options"]
    if "workers" in requested:  # how many train changes nothing but the rounding
        recorded = {**recorded, "workers": requested["workers"]}
    now = record_options(merge_options(requested).options)
    changes = find_differences({name: now.get(name) for name in requested}, recorded)
    if changes:
        raise TrainingError(
            f"{out}: the training began otherwise: {'; '.join(changes)}; leave that out to go "
            "on, or begin anew with --force"
        )
    data, options = data or Path(began["data"]), read_options(recorded)
    return run(_job(data, out, options, resumed=True, replace=replace, progress=progress))


def _job(
    data: Path,
    out: Path,
    options: TrainOptions,
    *,
    resumed: bool,
    replace: bool,
    progress: Progress | None,
) -> Job:
    """The training, if its place can take the model."""
    check_output_folder(out, data=data, replace=replace)
    return Job(
        data=data,
        out=out,
        options=options,
        checkpoint=Checkpoint(out),
        resumed=resumed,
        replace=replace,
        progress=progress or Silent(),
    )
