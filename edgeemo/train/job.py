"""One training, from the images to the model folder."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from dataclasses import replace as changed
from functools import partial
from typing import TYPE_CHECKING

from edgeemo.dataset import ingest_folder, open_data
from edgeemo.errors import TrainingError, WorkerError
from edgeemo.model.detector_file import FACE_MODEL
from edgeemo.model.folder import CONFIG, ModelFolder
from edgeemo.model.keras import import_keras
from edgeemo.model.spec import NOT_SURE
from edgeemo.train.data.pipeline import decode_splits
from edgeemo.train.distributed import Coordinator, read_rank
from edgeemo.train.loop.distillation import (
    check_same_teachers,
    check_teachers,
    hash_teachers,
    load_teachers,
)
from edgeemo.train.loop.fit import fit
from edgeemo.train.model_folder import collect_versions, complete_folder
from edgeemo.train.networks.network import (
    build_network,
    calibrate_on_validation,
    make_spec,
    save_network,
)
from edgeemo.train.options.checks import check_alone, check_files
from edgeemo.train.options.config import to_toml
from edgeemo.train.options.faces import (
    build_ingest_options,
    build_training_detector,
    read_detector_file,
    settle_faces,
)
from edgeemo.train.options.record import record_options
from edgeemo.train.output_folder import build_folder, make_timestamp
from edgeemo.train.report.inputs import FolderContents, TrainingRun
from edgeemo.utils.files import write_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from edgeemo.dataset import Dataset
    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.tables import Split
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.loop.checkpoint import Checkpoint
    from edgeemo.train.loop.distillation import Teacher
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.train.report import TrainingReport
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training.

    Attributes:
        data: The images, as the user said.
        out: The model folder to make.
        options: How to train.
        checkpoint: Where its state is kept.
        resumed: Whether it goes on from there.
        replace: Whether an existing model folder gives way.
        progress: Is told of every stage.
    """

    data: Path
    out: Path
    options: TrainOptions
    checkpoint: Checkpoint
    resumed: bool
    replace: bool
    progress: Progress


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A model folder that was trained.

    Attributes:
        folder: The model folder.
        report: The report on the model.
    """

    folder: ModelFolder
    report: TrainingReport


def run(job: Job) -> TrainedModel:
    """Train, and write a whole model folder, or nothing.

    Raises:
        EdgeEmoError: All that `edgeemo.train.train` raises.
    """
    make_timestamp()  # refuses a wrong SOURCE_DATE_EPOCH before the slow work
    import_keras()
    check_alone(job.options)  # again: a resumed training may have been given workers,
    check_files(job.options)  # and files may be gone since
    teachers = load_teachers(job.options)
    with (
        _team(job) as team,
        open_data(job.data) as root,
        build_folder(job.out, replace=job.replace) as folder,
    ):
        options = settle_faces(job.options, root, data=job.data, progress=job.progress)
        job = changed(job, options=options)
        detector = build_training_detector(job.options)
        dataset = ingest_folder(
            root,
            options=build_ingest_options(job.options),
            detector=detector,
            progress=job.progress,
        )
        _check_labels(dataset, job)
        check_teachers(teachers, make_spec(dataset.labels, job.options))
        if team:
            team.agree(dataset.samples)
        if job.resumed:
            check_same_teachers(teachers, job.checkpoint.asked().get("teachers", {}), out=job.out)
            job.checkpoint.go_on(dataset.samples)
        else:
            began = {
                "data": str(job.data.absolute()),
                "options": record_options(job.options),
                "teachers": hash_teachers(teachers),
            }
            job.checkpoint.begin(began, dataset.samples)
        with _kept_if_useful(job.checkpoint):
            report = _train(folder, dataset, job, team, teachers, detector=detector)
    job.checkpoint.end()
    return TrainedModel(folder=ModelFolder(job.out), report=report)


@contextmanager
def _kept_if_useful(checkpoint: Checkpoint) -> Iterator[None]:
    """Leave a checkpoint behind only where going on from it can end otherwise."""
    try:
        yield
    except TrainingError:  # the loss ran away, and would again
        checkpoint.end()
        raise
    except BaseException:
        if not checkpoint.exists:
            checkpoint.end()
        raise


def _team(job: Job) -> AbstractContextManager[Coordinator | None]:
    """The others, where several processes train."""
    where = read_rank(job.options.workers)
    if where.workers == 1:
        return nullcontext()
    if where.is_helper:
        raise WorkerError(
            f"this is worker {where.number}, and worker 0 writes the model; name --workers "
            f"{where.workers} here, too"
        )
    return Coordinator(where, options=job.options, data=job.data, progress=job.progress)


def _check_labels(dataset: Dataset, job: Job) -> None:
    if job.options.target_accuracy is not None and NOT_SURE in dataset.labels:
        raise TrainingError(
            f"{job.data}: a class is called {NOT_SURE!r}, which is what the model would answer "
            "for want of confidence; rename the class, or leave out --target-accuracy"
        )


def _train(
    folder: ModelFolder,
    dataset: Dataset,
    job: Job,
    team: Coordinator | None,
    teachers: Sequence[Teacher],
    *,
    detector: FaceDetector | None,
) -> TrainingReport:
    options, progress = job.options, job.progress
    spec = make_spec(dataset.labels, options)
    with decode_splits(
        dataset.root,
        dataset.samples,
        spec=spec,
        detector=detector,
        folder=folder.path,
        progress=progress,
    ) as decoded_splits:
        pixels = _validated(decoded_splits, options)
        if not len(pixels["train"]):
            raise TrainingError(f"{job.data}: no image is left to train with; add images")
        alone = partial(fit, options=options, progress=progress, teachers=teachers)
        together = alone if team is None else team.fit
        model, fitted = together(
            lambda: build_network(spec, options),
            pixels["train"],
            pixels["validation"],
            spec=spec,
            checkpoint=job.checkpoint,
        )
        spec, calibration = calibrate_on_validation(model, pixels["validation"], spec, options)
        if calibration:
            progress.note(calibration.text)
        spec = changed(spec, provenance=save_network(model, folder, options))
        write_file(folder.file(CONFIG), to_toml(options, data=job.data, out=job.out))
        file = read_detector_file(options)
        if file is not None:
            write_file(folder.file(FACE_MODEL), file.content)
        contents = FolderContents(
            name=job.out.name,
            data=job.data,
            dataset=dataset,
            pixels=pixels,
            spec=spec,
            origin=TrainingRun(
                options=options,
                fitted=fitted,
                calibration=calibration,
                teacher_sha256=tuple(teacher.sha256 for teacher in teachers),
            ),
            versions=collect_versions(),
        )
        return complete_folder(folder, contents, progress=progress)


def _validated(pixels: Mapping[Split, Pixels], options: TrainOptions) -> Mapping[Split, Pixels]:
    """The splits, with the test split serving as validation where none was wanted."""
    if options.validates_on_test:
        return {**pixels, "validation": pixels["test"]}
    return pixels
