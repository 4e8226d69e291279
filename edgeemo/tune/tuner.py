"""From a folder of images to the best of many trainings, as a model folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.errors import StudyError
from edgeemo.model.folder import PLOTS
from edgeemo.model.keras import import_keras
from edgeemo.train.options.faces import FACE_OPTIONS
from edgeemo.train.options.record import record_options
from edgeemo.train.output_folder import check_output_folder
from edgeemo.train.training import train
from edgeemo.tune import plots, record
from edgeemo.tune.images import images
from edgeemo.tune.search import Search
from edgeemo.tune.space import SEARCHED, merge_choice
from edgeemo.tune.study import Study
from edgeemo.utils.progress import Silent
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgeemo.model.folder import ModelFolder
    from edgeemo.train import TrainedModel
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.tune.goal import Goal
    from edgeemo.tune.record import Trial
    from edgeemo.tune.space import Space
    from edgeemo.utils.progress import Progress

STUDY_CSV = "study.csv"
HISTORY_PNG = "tune-history.png"
IMPORTANCE_PNG = "tune-importance.png"

_NOT_OF_THE_SEARCH = (*SEARCHED, "tensorboard", "save_keras", "target_accuracy")
"""Options that the study does not depend on, or that it keeps as its space."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A search.

    Attributes:
        data: The images, as of `edgeemo.train.train`.
        out: The model folder to make of the best trial; None for the search alone.
        storage: Where the study is kept, as of `edgeemo.tune.storage.opened`.
        name: The study's name there.
        near: Beside this path the decoded images lie while the search runs.
    """

    data: Path
    out: Path | None
    storage: str
    name: str
    near: Path


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search came to.

    Attributes:
        trials: All trials of the study.
        best: The best completed one within the limits, or the one that was named.
        front: The completed trials within the limits that none beats in all.
        importances: How much each choice mattered; empty where that cannot be told.
        model: The model of the best trial; None for the search alone.
    """

    trials: tuple[Trial, ...]
    best: Trial
    front: tuple[Trial, ...]
    importances: Mapping[str, float]
    model: TrainedModel | None

    @property
    def folder(self) -> ModelFolder | None:
        """Return the model folder of the best trial; None for the search alone."""
        return self.model.folder if self.model else None


def tune(
    job: Job,
    *,
    space: Space,
    base: TrainOptions,
    goal: Goal,
    take: int | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> Found:
    """Search for the options that validate best, and train with them once more for a model folder.

    A study of that name in the storage is gone on with, by as many processes as wish. Every choice
    is made on the validation split; the test split is answered once, by the model folder.

    Args:
        job: What is searched with, and what for.
        space: What may be chosen.
        base: Options that are not searched.
        goal: What is best, and how long to search.
        take: Number of the trial to make the model of; None for the best.
        replace: Whether an existing model folder gives way.
        progress: Is told of every stage.

    Returns:
        What was found.

    Raises:
        StudyError: If the storage cannot be reached or holds another study of that name, the
            options leave nothing to validate with, or no trial was completed.
        LimitError: If no network keeps to the limits; the text names the nearest.
        KeyboardInterrupt: On Ctrl-C; the study keeps what was found, and a note says how to go on.
        MissingExtraError: If the `tune` extra is not installed. And all that `train` raises.
    """
    progress = progress or Silent()
    _check(job, space, base, replace=replace)
    import_keras()
    with images(job.data, base, near=job.near, sizes=space.sizes, progress=progress) as prepared:
        base = prepared.base
        study = Study(
            job.storage,
            name=job.name,
            identity=_identity(prepared.fingerprint, space, base, goal),
            directions=goal.directions,
            seed=base.seed,
            patient=max(1, base.epochs // 4),
        )
        progress.note(f"Study {study.name!r} in {study.place}")
        search = Search(study, prepared, space=space, base=base, goal=goal, progress=progress)
        try:
            search.run()
        except KeyboardInterrupt:
            progress.note(_interrupted(study, goal))
            raise
    return _finish(job, study, base=base, goal=goal, take=take, replace=replace, shown=progress)


def _check(job: Job, space: Space, base: TrainOptions, *, replace: bool) -> None:
    space.check(base)
    if base.workers > 1:
        raise StudyError(
            "a search trains in one process; leave workers out, and start the command again on "
            "each further machine, with the same --storage"
        )
    if base.validates_on_test:
        raise StudyError(
            "a search chooses by the validation split, and ratios leave it nothing; give it a "
            "share, such as 0.7,0.2,0.1"
        )
    if job.out is not None:
        check_output_folder(job.out, data=job.data, replace=replace)


def _identity(images: str, space: Space, base: TrainOptions, goal: Goal) -> dict[str, Any]:
    left_out = (*_NOT_OF_THE_SEARCH, *(() if base.faces else FACE_OPTIONS))
    fixed = {k: v for k, v in record_options(base).items() if k not in left_out}
    return {
        **fixed,
        **to_plain(space),
        "objective": goal.objective,
        "second": goal.second,
        "images": images[:12],
    }


def _finish(
    job: Job,
    study: Study,
    *,
    base: TrainOptions,
    goal: Goal,
    take: int | None,
    replace: bool,
    shown: Progress,
) -> Found:
    trials = study.trials()
    fitting = record.ranked(trials, objective=goal.objective, limits=goal.limits)
    best = _taken(trials, take, goal)
    front = record.front(fitting)
    model = None
    if job.out is not None:
        shown.note(
            f"Training {best.name} once more for its model folder; as a trial it took "
            f"{best.seconds or 0:.0f} s"
        )
        options = merge_choice(base, best.chosen)
        model = train(job.data, job.out, options=options, replace=replace, progress=shown)
    found = Found(
        trials=tuple(trials),
        best=best,
        front=tuple(front),
        importances=study.importances(),
        model=model,
    )
    if model:
        _write(model.folder, found, goal)
    return found


def _taken(trials: list[Trial], take: int | None, goal: Goal) -> Trial:
    if take is None:
        return record.best(trials, objective=goal.objective, limits=goal.limits)
    complete = {trial.number: trial for trial in trials if trial.state == "complete"}
    if take not in complete:
        raise StudyError(
            f"trial {take} is no completed trial of this study; there are: "
            f"{', '.join(map(str, complete)) or 'none'}"
        )
    return complete[take]


def _write(folder: ModelFolder, found: Found, goal: Goal) -> None:
    """The table and the images, into a model folder that is there already."""
    record.write_study(folder.file(STUDY_CSV), found.trials, best_of=found.front)
    place = folder.file(PLOTS)
    place.mkdir(exist_ok=True)
    plots.plot_history(
        place / HISTORY_PNG,
        found.trials,
        best=found.best,
        front=found.front,
        objective=goal.objective,
    )
    completed = sum(trial.state == "complete" for trial in found.trials)
    plots.plot_importances(place / IMPORTANCE_PNG, found.importances, completed=completed)


def _interrupted(study: Study, goal: Goal) -> str:
    """What to do after Ctrl-C."""
    trials = study.trials()
    count = len(record.trained(trials))
    leaders = record.ranked(trials, objective=goal.objective, limits=goal.limits)
    text = f"Interrupted: {count} trials are kept in {study.place}"
    if not leaders:
        return f"{text}; the same command goes on with them."
    return (
        f"{text}, the best is {leaders[0].name} with {leaders[0].accuracy:.3f}; the same command "
        f"goes on, and with --trials {count} it makes that one's model folder."
    )
