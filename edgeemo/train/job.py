"""One training, from the images to the model folder."""

from __future__ import annotations

import math
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as changed
from functools import partial
from typing import TYPE_CHECKING, Any

from edgeemo.errors import TrainingError
from edgeemo.model.detector_file import FACE_MODEL
from edgeemo.model.folder import CONFIG, ModelFolder
from edgeemo.model.keras import import_keras
from edgeemo.model.output_folder import build_folder, make_timestamp
from edgeemo.model.spec import NOT_SURE
from edgeemo.train.auto import choose_training
from edgeemo.train.data.pipeline import TrainingData, decode_splits
from edgeemo.train.data.soft_labels import load_soft_labels
from edgeemo.train.data.source import describe_source, prepare_images, record_source
from edgeemo.train.data.targets import add_targets
from edgeemo.train.distributed import fit_distributed
from edgeemo.train.loop.fit import fit
from edgeemo.train.loop.mlflow_run import track
from edgeemo.train.loop.teachers import (
    check_same_teachers,
    check_teachers,
    hash_teachers,
    load_teachers,
)
from edgeemo.train.model_folder import collect_versions, complete_folder, save_network
from edgeemo.train.networks.network import build_network, make_spec
from edgeemo.train.options.checks import check_alone, check_choices, check_files
from edgeemo.train.options.config import to_toml
from edgeemo.train.options.faces import read_detector_file
from edgeemo.train.options.record import record_options
from edgeemo.train.report.inputs import FolderContents, TrainingRun
from edgeemo.train.temperature import calibrate_on_validation
from edgeemo.utils.files import write_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from edgeemo.dataset import Dataset
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.train.data.soft_labels import SoftLabels
    from edgeemo.train.data.source import ImageSource
    from edgeemo.train.loop.checkpoint import Checkpoint
    from edgeemo.train.loop.mlflow_run import MlflowRun
    from edgeemo.train.loop.teachers import Teacher
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.train.report import TrainingReport
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """One training.

    Attributes:
        data: The images, as given.
        out: The model folder to make.
        options: The training options.
        checkpoint: Keeps the state of the training.
        resumed: Whether to continue from that state.
        replace: Whether to replace an existing model folder.
        progress: Receives every stage.
    """

    data: ImageSource
    out: Path
    options: TrainOptions
    checkpoint: Checkpoint
    resumed: bool
    replace: bool
    progress: Progress


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A trained model.

    Attributes:
        folder: The model folder.
        report: The report on the model.
    """

    folder: ModelFolder
    report: TrainingReport

    def __fspath__(self) -> str:
        """Return the folder's path, so that a trained model can be given wherever one is needed."""
        return os.fspath(self.folder)


def run_job(job: TrainingJob) -> TrainedModel:
    """Train, and write a whole model folder, or nothing.

    Raises:
        EdgeEmoError: All that `edgeemo.train.train` raises.
    """
    begun = time.monotonic()
    make_timestamp()  # refuses a wrong SOURCE_DATE_EPOCH before the slow work
    import_keras()
    check_alone(job.options)  # again: a resumed training may have been given workers,
    check_files(job.options)  # and files may be gone since
    teachers = load_teachers(job.options)
    with (
        build_folder(job.out, replace=job.replace) as folder,
        _track(job) as run,
        prepare_images(job.data, job.options, progress=job.progress) as images,
    ):
        dataset, detector = images.dataset, images.detector
        options = images.options
        if options.undecided:
            options = choose_training(options, dataset, job.progress)
            check_choices(options)
            check_files(options)
        job = changed(job, options=options)
        _check_labels(dataset, job)
        check_teachers(teachers, make_spec(dataset.labels, options))
        soft_labels = load_soft_labels(options, dataset, progress=job.progress)
        _start_checkpoint(job, dataset, teachers, soft_labels, run=run)
        with _keep_if_useful(job.checkpoint, job.progress):
            report = _train(
                job,
                folder,
                dataset,
                teachers,
                soft_labels=soft_labels,
                detector=detector,
                deadline=begun + 60 * (options.minutes or math.inf),
                run=run,
            )
    job.checkpoint.delete()
    return TrainedModel(folder=ModelFolder(job.out), report=report)


def _track(job: TrainingJob) -> AbstractContextManager[MlflowRun | None]:
    started = job.checkpoint.read_request() if job.resumed else {}
    return track(
        job.options.track,
        name=job.out.name,
        options=record_options(job.options),
        run_id=started.get("mlflow_run"),
        progress=job.progress,
    )


def _check_labels(dataset: Dataset, job: TrainingJob) -> None:
    if job.options.target_accuracy is not None and NOT_SURE in dataset.labels:
        raise TrainingError(
            f"{describe_source(job.data)}: a class is called {NOT_SURE!r}, which is what the model "
            "predicts below its confidence threshold; rename the class, or leave out "
            "--target-accuracy"
        )


def _start_checkpoint(
    job: TrainingJob,
    dataset: Dataset,
    teachers: Sequence[Teacher],
    soft_labels: SoftLabels | None,
    *,
    run: MlflowRun | None,
) -> None:
    hashes = {} if soft_labels is None else {"soft_labels": soft_labels.table.sha256}
    if job.resumed:
        started = job.checkpoint.read_request()
        check_same_teachers(teachers, started.get("teachers", {}), out=job.out)
        if soft_labels is not None and started.get("soft_labels") != soft_labels.table.sha256:
            raise TrainingError(
                f"{job.out}: {soft_labels.table.file} changed since the training started; restore "
                "it, or start over with --force"
            )
        job.checkpoint.resume(dataset.samples)
        return
    request = {
        "data": record_source(job.data, absolute=True),
        "options": record_options(job.options),
        "teachers": hash_teachers(teachers),
        **({"mlflow_run": run.run_id} if run else {}),
        **hashes,
    }
    job.checkpoint.start(request, dataset.samples)


@contextmanager
def _keep_if_useful(checkpoint: Checkpoint, progress: Progress) -> Iterator[None]:
    """Delete the checkpoint on an error that resuming from it cannot avoid; else note it."""
    try:
        yield
    except TrainingError:  # the loss diverged, and would again
        checkpoint.delete()
        raise
    except BaseException:
        if checkpoint.exists:
            progress.note("A checkpoint of the training is kept; --resume continues it.")
        else:
            checkpoint.delete()
        raise


def _train(
    job: TrainingJob,
    folder: ModelFolder,
    dataset: Dataset,
    teachers: Sequence[Teacher],
    *,
    soft_labels: SoftLabels | None,
    detector: FaceDetector | None,
    deadline: float,
    run: MlflowRun | None,
) -> TrainingReport:
    """Decode the images, fit the network to them, calibrate it and fill the model folder."""
    options, progress = job.options, job.progress
    spec = make_spec(dataset.labels, options)
    how: dict[str, Any] = {"options": options, "teachers": teachers, "progress": progress}
    log_epoch = run.log_epoch if run else None
    alone = partial(fit, **how, on_epoch=log_epoch, deadline=deadline)
    with decode_splits(
        dataset.root,
        dataset.samples,
        spec=spec,
        detector=detector,
        folder=folder.path,
        progress=progress,
    ) as decoded:
        splits = add_targets(decoded, dataset, soft_labels=soft_labels)
        pixels = {**splits, "validation": splits["test"]} if options.validates_on_test else splits
        data = TrainingData(train=pixels["train"], validation=pixels["validation"], spec=spec)
        if not len(data.train):
            raise TrainingError(
                f"{describe_source(job.data)}: no image is left to train on; add images"
            )
        chosen = partial(fit_distributed, **how) if options.is_distributed else alone
        model, fitted = chosen(
            lambda: build_network(spec, options), data, checkpoint=job.checkpoint
        )
        if run and options.is_distributed:  # whose workers know nothing of it
            for epoch in fitted.history:
                run.log_epoch(epoch)
        spec, calibration = calibrate_on_validation(model, data, options)
        if calibration:
            progress.note(calibration.text)
        _write_config(job, folder)
        contents = FolderContents(
            out=job.out,
            data=job.data,
            dataset=dataset,
            pixels=pixels,
            spec=changed(spec, provenance=save_network(model, folder, options)),
            origin=TrainingRun(
                options=options,
                fitted=fitted,
                calibration=calibration,
                teacher_sha256=tuple(teacher.sha256 for teacher in teachers),
                soft_labels=soft_labels,
            ),
            versions=collect_versions(),
        )
        report = complete_folder(folder, contents, progress=progress)
        if run:
            run.log_test(report.test)
        return report


def _write_config(job: TrainingJob, folder: ModelFolder) -> None:
    """Write the options as ``config.toml``, and the face detector's own file where there is one."""
    write_file(folder.file(CONFIG), to_toml(job.options, data=job.data, out=job.out))
    file = read_detector_file(job.options)
    if file is not None:
        write_file(folder.file(FACE_MODEL), file.content)
