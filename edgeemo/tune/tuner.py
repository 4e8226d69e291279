"""Tuning: from a folder of images to the model folder of the best of many trainings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from edgeemo.errors import StudyError
from edgeemo.model.folder import PLOTS
from edgeemo.model.keras import import_keras
from edgeemo.model.output_folder import check_output_folder
from edgeemo.train.data.source import convert_source, list_paths
from edgeemo.train.options.checks import check_files, check_images, check_packages
from edgeemo.train.options.faces import FACE_OPTIONS
from edgeemo.train.options.record import record_options
from edgeemo.train.training import train_or_resume
from edgeemo.tune.parallel_search import SearchRequest, search_on_ray
from edgeemo.tune.placement import Placement
from edgeemo.tune.search import Search
from edgeemo.tune.search_images import prepare_images
from edgeemo.tune.search_plots import plot_history, plot_importances
from edgeemo.tune.space import SEARCHED, merge_choice
from edgeemo.tune.study import Study, check_storage
from edgeemo.tune.trials import find_front, pick_best, rank_trials, select_trained, write_study
from edgeemo.utils.cluster import check_cluster
from edgeemo.utils.extras import TUNING, require_packages, require_packages_of_options
from edgeemo.utils.paths import convert_paths
from edgeemo.utils.progress import Silent
from edgeemo.utils.serialize import to_plain
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.model.folder import ModelFolder
    from edgeemo.train import TrainedModel
    from edgeemo.train.data.source import ImageSource
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.tune.goal import Goal
    from edgeemo.tune.space import Space
    from edgeemo.tune.trials import Trial
    from edgeemo.utils.progress import Progress

STUDY_CSV = "study.csv"
HISTORY_PNG = "tune-history.png"
IMPORTANCE_PNG = "tune-importance.png"

_EXCLUDED = (*SEARCHED, "tensorboard", "track", "save_keras", "target_accuracy")
"""Options that the study does not depend on, or that it records as its search space."""


@dataclass(frozen=True, kw_only=True)
class TuneJob:
    """Inputs and outputs of a search.

    Attributes:
        data: The images, as of `edgeemo.train.train`.
        out: Model folder to make of the best trial; None for the search only.
        storage: Storage of the study, as of `edgeemo.tune.storage.open_storage`.
        name: Name of the study in the storage.
        beside: Path beside which a hidden folder holds the decoded images during the search.
    """

    data: ImageSource
    out: Path | None
    storage: str
    name: str
    beside: Path

    def __post_init__(self) -> None:
        convert_paths(self, "out", "beside")
        object.__setattr__(self, "data", convert_source(self.data))


@dataclass(frozen=True, kw_only=True)
class TuneResult:
    """Result of a search.

    Attributes:
        trials: All trials of the study.
        best: The best completed trial within the limits, or the requested one.
        front: The Pareto front of the completed trials within the limits.
        importances: Importance of each option, adding up to 1; empty with too few trials.
        model: The model of the best trial; None for the search only.
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
    job: TuneJob,
    *,
    space: Space,
    base: TrainOptions,
    goal: Goal,
    take: int | None = None,
    placement: Placement | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> TuneResult:
    """Search for the options that validate best, and train with them again for a model folder.

    An existing study of that name is resumed, by any number of processes. Every choice is made on
    the validation split; the test split is used once, for the model folder.

    Args:
        job: Inputs and outputs.
        space: Search space.
        base: Options that are not searched.
        goal: Objectives, limits, and when to stop.
        take: Number of the trial to make the model of; None for the best.
        placement: Number of trials side by side, and where; None for this process alone.
        replace: Whether an existing model folder is replaced.
        progress: Receiver of the progress.

    Raises:
        ClusterError: If Ray cannot be used or is lost.
        StudyError: If the storage cannot be reached or holds another study of that name, the
            validation split is empty, or no trial was completed.
        LimitError: If no network is within the limits; the text names the nearest.
        KeyboardInterrupt: On Ctrl-C; the study keeps all trials, and a note names the remedy.
        MissingExtraError: If the `tune` extra is not installed. And all that `train` raises.
    """
    progress = progress or Silent()
    _check(job, space, base, replace=replace)
    placement = placement or Placement()
    if placement.is_distributed:
        require_packages_of_options(placement)
        purpose = f"--workers {placement.workers}"
        check_cluster(placement.cluster, cpus=placement.workers, purpose=purpose)
    import_keras()
    with prepare_images(
        job.data, base, beside=job.beside, sizes=space.sizes, progress=progress
    ) as prepared:
        base = prepared.base
        arguments: dict[str, Any] = {
            "storage": job.storage,
            "name": job.name,
            "identity": _build_identity(prepared.fingerprint, space, base, goal),
            "directions": goal.directions,
            "seed": base.seed,
            "warmup_epochs": max(1, base.epochs // 4),
        }
        study = Study(**arguments)
        progress.note(f"Study {study.name!r} in {study.place}")
        try:
            if not placement.is_distributed:
                Search(study, prepared, space=space, base=base, goal=goal, progress=progress).run()
            else:
                request = SearchRequest(
                    study=arguments, space=space, base=base, goal=goal, placement=placement
                )
                with TemporaryDirectory(prefix="edgeemo-ray-", ignore_cleanup_errors=True) as name:
                    search_on_ray(request, prepared, Path(name), progress=progress)
        except KeyboardInterrupt:
            progress.note(_describe_interruption(study, goal))
            raise
    return _finish(job, study, base=base, goal=goal, take=take, replace=replace, progress=progress)


def check_search(space: Space, base: TrainOptions) -> None:
    """Refuse options that no search can have.

    Args:
        space: Search space.
        base: Options that are not searched.

    Raises:
        StudyError: If an option has no choice, or the search could not choose by validation.
        TrainingError: As `edgeemo.train.options.checks.check_choices`. So does DatasetError.
    """
    space.check(base)
    if base.is_distributed:
        raise StudyError(
            "the trainings of a search are not distributed: leave workers, cluster and gpu out of "
            "the file; 'edgeemo tune --workers N' trains several trials at the same time"
        )
    if base.validates_on_test:
        raise StudyError(
            "a search requires a validation split; give it a share, such as ratios 0.7,0.2,0.1"
        )


def _check(job: TuneJob, space: Space, base: TrainOptions, *, replace: bool) -> None:
    check_search(space, base)
    require_packages(TUNING, purpose="edgeemo tune", extra="tune")
    check_packages(base)
    for options in space.list_options(base):
        check_files(options)
    check_images(job.data, base)
    if job.out is not None:
        check_output_folder(job.out, data=list_paths(job.data), replace=replace)
    check_storage(job.storage)


def _build_identity(images: str, space: Space, base: TrainOptions, goal: Goal) -> dict[str, Any]:
    left_out = (*_EXCLUDED, *(() if base.faces else FACE_OPTIONS))
    fixed = {k: v for k, v in record_options(base).items() if k not in left_out}
    return {
        **fixed,
        **to_plain(space),
        "objective": goal.objective,
        "second": goal.second,
        "images": images[:12],
    }


def _finish(
    job: TuneJob,
    study: Study,
    *,
    base: TrainOptions,
    goal: Goal,
    take: int | None,
    replace: bool,
    progress: Progress,
) -> TuneResult:
    trials = study.read_trials()
    within = rank_trials(trials, objective=goal.objective, limits=goal.limits)
    best = _pick_trial(trials, take, goal)
    front = find_front(within)
    model = None
    if job.out is not None:
        progress.note(
            f"Training {best.name} again for its model folder; as a trial it took "
            f"{best.seconds or 0:.0f} s"
        )
        options = merge_choice(base, best.chosen)
        model = train_or_resume(
            job.data, job.out, options=options, replace=replace, progress=progress
        )
    result = TuneResult(
        trials=tuple(trials),
        best=best,
        front=tuple(front),
        importances=study.compute_importances(),
        model=model,
    )
    if model:
        _write_results(model.folder, result, goal)
    return result


def _pick_trial(trials: list[Trial], take: int | None, goal: Goal) -> Trial:
    if take is None:
        return pick_best(trials, objective=goal.objective, limits=goal.limits)
    complete = {trial.number: trial for trial in trials if trial.state == "complete"}
    if take not in complete:
        raise StudyError(
            f"trial {take} is no completed trial of this study; choose from "
            f"{', '.join(map(str, complete)) or 'none'}"
        )
    return complete[take]


def _write_results(folder: ModelFolder, result: TuneResult, goal: Goal) -> None:
    """Write table and plots into an existing model folder."""
    write_study(folder.file(STUDY_CSV), result.trials, front=result.front)
    place = folder.file(PLOTS)
    place.mkdir(exist_ok=True)
    plot_history(
        place / HISTORY_PNG,
        result.trials,
        best=result.best,
        front=result.front,
        objective=goal.objective,
    )
    completed = sum(trial.state == "complete" for trial in result.trials)
    plot_importances(place / IMPORTANCE_PNG, result.importances, completed=completed)


def _describe_interruption(study: Study, goal: Goal) -> str:
    """Return the note after Ctrl-C."""
    trials = study.read_trials()
    count = len(select_trained(trials))
    leaders = rank_trials(trials, objective=goal.objective, limits=goal.limits)
    text = f"Interrupted: {plural(count, 'trial is', 'trials are')} kept in {study.place}"
    if not leaders:
        return f"{text}; the same command continues the search."
    return (
        f"{text}, the best is {leaders[0].name} with {leaders[0].accuracy:.3f}; the same command "
        f"continues, and with --trials {count} it makes the model folder of that trial."
    )
