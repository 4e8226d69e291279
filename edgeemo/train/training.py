"""From a folder of images to a model folder: start a training, or resume one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ModelFolderError, TrainingError
from edgeemo.model.output_folder import check_output_folder
from edgeemo.train.data.source import convert_source, list_paths, read_source
from edgeemo.train.loop.checkpoint import Checkpoint
from edgeemo.train.options.checks import check_images, check_options, check_packages
from edgeemo.train.options.config import merge_options
from edgeemo.train.options.options import DISTRIBUTION, KEYS, TrainOptions
from edgeemo.train.options.record import find_differences, read_options, record_options
from edgeemo.utils.cluster import check_cluster
from edgeemo.utils.progress import Silent
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.dataset import Collection
    from edgeemo.train.data.source import ImageSource
    from edgeemo.train.job import TrainedModel
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress


def train(
    data: StrPath | Sequence[Collection],
    out: StrPath,
    *,
    options: TrainOptions | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> TrainedModel:
    """Train a network on a folder of images and write a whole model folder, or nothing.

    Ctrl-C after the first epoch keeps the best weights so far. A process that is killed leaves a
    checkpoint for `resume`. The same data, options, machine and versions give the same weights.

    Args:
        data: A folder with one sub-folder per class, or with train/validation/test inside; or a
            ``.zip`` of either; or several collections of such images.
        out: The model folder to make; its parents are made too.
        options: The training options.
        replace: Whether to replace an existing model folder, or an interrupted training of it; the
            folder stays until the new one is complete.
        progress: Receives every stage.

    Returns:
        The model folder at `out`, and its report.

    Raises:
        TrainingError: If the options are invalid, or training diverges.
        DatasetError: If the images cannot be used.
        ImageError: If an image vanishes in between.
        ModelFolderError: If `out` exists, or cannot be written.
        MissingExtraError: If the `train` extra is not installed.
    """
    images, out = convert_source(data), Path(out)
    options = options or TrainOptions()
    check_options(options)
    _check_place(options)
    check_images(images, options)
    check_output_folder(out, data=list_paths(images), replace=replace)
    checkpoint = Checkpoint(out)
    if checkpoint.exists and not replace:
        raise ModelFolderError(
            f"{out}: its training was interrupted; continue it with --resume, or start over with "
            "--force"
        )
    return _run(images, out, options, checkpoint, resumed=False, replace=replace, progress=progress)


def resume(
    out: StrPath,
    *,
    data: StrPath | Sequence[Collection] | None = None,
    requested: Mapping[str, Any] | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> TrainedModel:
    """Continue an interrupted training, to the weights that it would have reached.

    Args:
        out: The model folder that was to be made.
        data: Where the images are now; None for where they were.
        requested: Options that are given again, as `TrainOptions` takes them; none need be.
        replace: Whether to replace an existing model folder.
        progress: Receives every stage.

    Returns:
        The model folder at `out`, and its report.

    Raises:
        ModelFolderError: If there is no interrupted training, or its checkpoint is damaged.
        TrainingError: If options or images differ from those that the training started with; the
            message names the difference. And all that `train` raises.
    """
    out = Path(out)
    checkpoint = Checkpoint(out)
    if not checkpoint.exists:
        raise ModelFolderError(f"{out}: no interrupted training to resume; leave out --resume")
    started = checkpoint.read_request()
    images = read_source(started["data"]) if data is None else convert_source(data)
    options = _resumed_options(out, started["options"], requested or {})
    check_packages(options)
    _check_place(options)
    check_images(images, options)
    check_output_folder(out, data=list_paths(images), replace=replace)
    progress = progress or Silent()
    progress.note(f"Resuming {out}")
    return _run(images, out, options, checkpoint, resumed=True, replace=replace, progress=progress)


def train_or_resume(
    data: ImageSource,
    out: Path,
    *,
    options: TrainOptions,
    replace: bool = False,
    progress: Progress | None = None,
) -> TrainedModel:
    """Train as `train`, or continue where a training with the same options was interrupted.

    Args:
        data: As of `train`.
        out: As of `train`.
        options: The training options.
        replace: As of `train`; nothing is resumed then.
        progress: Receives every stage.

    Raises:
        EdgeEmoError: As `train` and `resume`.
    """
    checkpoint = Checkpoint(out)
    if not replace and checkpoint.exists:
        recorded = checkpoint.read_request()["options"]
        if not find_differences(record_options(options), recorded):
            return resume(out, data=data, progress=progress)
    return train(data, out, options=options, replace=replace, progress=progress)


def _check_place(options: TrainOptions) -> None:
    """Refuse a cluster that cannot be reached, or too many workers for this machine."""
    if options.is_distributed:
        check_cluster(
            options.cluster, cpus=options.worker_range[0], purpose=f"--workers {options.workers}"
        )


def _run(
    data: ImageSource,
    out: Path,
    options: TrainOptions,
    checkpoint: Checkpoint,
    *,
    resumed: bool,
    replace: bool,
    progress: Progress | None,
) -> TrainedModel:
    """Run the training, whose modules take a second to import."""
    from edgeemo.train.job import TrainingJob, run_job

    return run_job(
        TrainingJob(
            data=data,
            out=out,
            options=options,
            checkpoint=checkpoint,
            resumed=resumed,
            replace=replace,
            progress=progress or Silent(),
        )
    )


def _resumed_options(
    out: Path, recorded: Mapping[str, Any], requested: Mapping[str, Any]
) -> TrainOptions:
    """Return the recorded options, if those that are given again are the same."""
    for name in DISTRIBUTION:  # which changes nothing but the rounding
        if name in requested:
            recorded = {**recorded, name: to_plain(requested[name])}
    try:
        options = read_options(recorded)
    except TrainingError as error:
        raise TrainingError(
            f"{out}: another version of edgeemo started this training ({error}); start over with "
            "--force"
        ) from None
    now = record_options(merge_options(requested).options)
    keys = [key for key, name in KEYS.items() if name in requested]
    changes = find_differences({key: now.get(key) for key in keys}, recorded)
    if changes:
        raise TrainingError(
            f"{out}: the training started with other options: {'; '.join(changes)}; leave them "
            "out, or start over with --force"
        )
    return options
