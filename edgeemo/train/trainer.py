"""From a folder of pictures to a model folder."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from dataclasses import replace as changed
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from edgeemo import __version__
from edgeemo.dataset import ingest, opened_data
from edgeemo.errors import ModelFolderError, TrainingError, WorkerError
from edgeemo.files import sha256_file, write_file
from edgeemo.folder import CONFIG, KERAS, ModelFolder
from edgeemo.keras_model import import_keras
from edgeemo.progress import Silent
from edgeemo.spec import NOT_SURE, ModelSpec, Provenance
from edgeemo.train.architectures import build
from edgeemo.train.assemble import Work, complete, record
from edgeemo.train.checkpoint import Checkpoint
from edgeemo.train.config import configured, to_toml
from edgeemo.train.distributed import Team, position
from edgeemo.train.evaluation import raw_answers
from edgeemo.train.fit import fit
from edgeemo.train.options import WEIGHTS, TrainOptions, as_plain, converted, differences
from edgeemo.train.pipeline import decoded
from edgeemo.train.place import building, check_place, timestamp
from edgeemo.train.temperature import Confidence, calibrate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from edgeemo.dataset import Dataset
    from edgeemo.progress import Progress
    from edgeemo.records import Split
    from edgeemo.train.pipeline import Pixels
    from edgeemo.train.watch import Fitted


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One training.

    Attributes:
        data: The pictures, as the user said.
        out: The model folder to make.
        options: How to train.
        checkpoint: Where its state is kept.
        resumed: Whether it goes on from there.
        progress: Is told of every stage.
    """

    data: Path
    out: Path
    options: TrainOptions
    checkpoint: Checkpoint
    resumed: bool
    progress: Progress


def train(
    data: Path,
    out: Path,
    *,
    options: TrainOptions | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> ModelFolder:
    """Train a network on a folder of pictures and write a whole model folder, or nothing.

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
        The model folder, at `out`.

    Raises:
        TrainingError: If the options are wrong, or training runs away.
        DatasetError: If the pictures cannot be used.
        ImageError: If a picture vanishes in between.
        ModelFolderError: If `out` exists, or cannot be written.
        MissingExtraError: If the `train` extra is not installed.
    """
    options = options or TrainOptions()
    options.check()
    check_place(out, data=data, replace=replace)
    checkpoint = Checkpoint(out)
    if checkpoint.exists and not replace:
        raise ModelFolderError(
            f"{out}: its training was interrupted; go on with --resume, or begin anew with --force"
        )
    job = _Job(
        data=data,
        out=out,
        options=options,
        checkpoint=checkpoint,
        resumed=False,
        progress=progress or Silent(),
    )
    return _run(job, replace=replace)


def resume(
    out: Path,
    *,
    data: Path | None = None,
    asked: Mapping[str, Any] | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> ModelFolder:
    """Go on with a training that was interrupted, to the weights that it would have reached.

    Args:
        out: The model folder that was to be made.
        data: Where the pictures are now; None for where they were.
        asked: Options that the user names, as `TrainOptions` takes them; none need be.
        replace: Whether an existing model folder gives way.
        progress: Is told of every stage.

    Returns:
        The model folder, at `out`.

    Raises:
        ModelFolderError: If there is no interrupted training, or it is damaged.
        TrainingError: If options or pictures are not those that the training began with; the
            message says what changed. And all that `train` raises.
    """
    checkpoint = Checkpoint(out)
    if not checkpoint.exists:
        raise ModelFolderError(f"{out}: no interrupted training to go on with; leave out --resume")
    began = checkpoint.asked()
    recorded = began["options"]
    if asked and "workers" in asked:  # how many train changes nothing but the rounding
        recorded = {**recorded, "workers": asked["workers"]}
    given = configured(asked or {}).options if asked else None
    if asked and given:
        now = as_plain(given)
        changes = differences({name: now.get(name) for name in asked}, recorded)
        if changes:
            raise TrainingError(
                f"{out}: the training began otherwise: {'; '.join(changes)}; leave that out to go "
                "on, or begin anew with --force"
            )
    options = TrainOptions(**{name: converted(name, value) for name, value in recorded.items()})
    data = data or Path(began["data"])
    check_place(out, data=data, replace=replace)
    job = _Job(
        data=data,
        out=out,
        options=options,
        checkpoint=checkpoint,
        resumed=True,
        progress=progress or Silent(),
    )
    return _run(job, replace=replace)


def _run(job: _Job, *, replace: bool) -> ModelFolder:
    timestamp()  # refuses a wrong SOURCE_DATE_EPOCH before the slow work
    import_keras()
    with (
        _team(job) as team,
        opened_data(job.data) as root,
        building(job.out, replace=replace) as folder,
    ):
        dataset = ingest(root, options=job.options.ingest, progress=job.progress)
        _check_labels(dataset, job)
        if team:
            team.agree(dataset.samples)
        if job.resumed:
            job.checkpoint.go_on(dataset.samples)
        else:
            began = {"data": str(job.data.absolute()), "options": as_plain(job.options)}
            job.checkpoint.begin(began, dataset.samples)
        with _kept_if_useful(job.checkpoint):
            _train(folder, dataset, job, team)
    job.checkpoint.end()
    return ModelFolder(job.out)


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


def _team(job: _Job) -> AbstractContextManager[Team | None]:
    """The others, where several processes train."""
    where = position(job.options.workers)
    if where.workers == 1:
        return nullcontext()
    if where.assists:
        raise WorkerError(
            f"this is worker {where.number}, and worker 0 writes the model; name --workers "
            f"{where.workers} here, too"
        )
    return Team(where, options=job.options, data=job.data, progress=job.progress)


def _check_labels(dataset: Dataset, job: _Job) -> None:
    if job.options.target_accuracy is not None and NOT_SURE in dataset.labels:
        raise TrainingError(
            f"{job.data}: a class is called {NOT_SURE!r}, which is what the model would answer "
            "for want of confidence; rename the class, or leave out --target-accuracy"
        )


def _train(folder: ModelFolder, dataset: Dataset, job: _Job, team: Team | None) -> None:
    options, progress = job.options, job.progress
    spec = spec_of(dataset.labels, options)
    with decoded(
        dataset.root, dataset.samples, spec=spec, folder=folder.path, progress=progress
    ) as decoded_splits:
        pixels = _validated(decoded_splits, options)
        if not len(pixels["train"]):
            raise TrainingError(f"{job.data}: no picture is left to train with; add pictures")
        together = partial(fit, options=options, progress=progress) if team is None else team.fit
        model, fitted = together(
            lambda: network(spec, options),
            pixels["train"],
            pixels["validation"],
            spec=spec,
            checkpoint=job.checkpoint,
        )
        spec, confidence = _confident(model, pixels["validation"], spec, options)
        if confidence:
            progress.note(confidence.text)
        spec = changed(spec, provenance=_save(model, folder, options))
        write_file(folder.file(CONFIG), to_toml(options, data=job.data, out=job.out))
        work = Work(
            name=job.out.name,
            dataset=dataset,
            pixels=pixels,
            spec=spec,
            training={
                **record(dataset, spec, data=job.data, accept=options.accept, seed=options.seed),
                **as_plain(options),
                **_course(fitted),
                "validates_on_test": options.validates_on_test,
                "confidence": confidence.to_dict() if confidence else None,
            },
            fitted=fitted,
        )
        complete(folder, work, progress=progress)


def _validated(pixels: Mapping[Split, Pixels], options: TrainOptions) -> Mapping[Split, Pixels]:
    """The splits, with the test split serving as validation where none was wanted."""
    if options.validates_on_test:
        return {**pixels, "validation": pixels["test"]}
    return pixels


def network(spec: ModelSpec, options: TrainOptions) -> Any:
    """The network that these options ask for, with its first weights, not compiled."""
    named = options.weights in WEIGHTS
    return build(
        options.arch,
        input_shape=spec.input_shape,
        classes=len(spec.labels),
        weights=options.weights if named else Path(options.weights),
    )


def spec_of(labels: tuple[str, ...], options: TrainOptions) -> ModelSpec:
    """The spec of a model with these classes that these options ask for."""
    return ModelSpec(
        labels=labels,
        height=options.side,
        width=options.side,
        channels=cast("Literal[1, 3]", options.channels),
        activation="sigmoid" if len(labels) == 2 else "softmax",
        threshold=options.threshold,
    )


def _confident(
    model: Any, validation: Pixels, spec: ModelSpec, options: TrainOptions
) -> tuple[ModelSpec, Confidence | None]:
    """Calibrate on pictures that are neither trained nor tested on; without any, leave it."""
    if options.validates_on_test or not len(validation):
        return spec, None
    outputs = raw_answers(model, validation, spec=spec)
    scores = np.array([spec.scores(row) for row in outputs.tolist()])
    return calibrate(
        model, scores, validation.truth, spec=spec, target_accuracy=options.target_accuracy
    )


def _save(model: Any, folder: ModelFolder, options: TrainOptions) -> Provenance:
    """Write the weights without the optimiser's, which would treble the file."""
    bare = build(
        options.arch, input_shape=model.input_shape[1:], classes=max(2, model.output_shape[-1])
    )
    bare.set_weights(model.get_weights())
    path = folder.file(KERAS)
    bare.save(path)
    if options.save_keras and options.save_keras != KERAS:
        folder.file(options.save_keras).hardlink_to(path)
    return Provenance(
        edgeemo_version=__version__, source_sha256=sha256_file(path), date=timestamp()
    )


def _course(fitted: Fitted) -> dict[str, Any]:
    return {
        "epochs_run": len(fitted.history),
        "best_epoch": fitted.best_epoch,
        "interrupted": fitted.interrupted,
        "stopped_early": fitted.stopped_early,
    }
