"""The search: draws and trains trials until the study has the requested number."""

from __future__ import annotations

import dataclasses
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from edgeemo.errors import StudyError, TrainingError
from edgeemo.model.keras import import_keras
from edgeemo.train.data.pipeline import TrainingData
from edgeemo.train.loop.fit import fit
from edgeemo.train.networks.network import build_network, make_spec
from edgeemo.train.options.choices import Weights
from edgeemo.tune.limits import estimate_footprint
from edgeemo.tune.space import merge_choice
from edgeemo.tune.study import Pruned
from edgeemo.tune.trials import rank_trials, select_trained
from edgeemo.utils.serialize import to_plain
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.train.loop.history import Epoch
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.tune.goal import Goal
    from edgeemo.tune.limits import Footprint
    from edgeemo.tune.search_images import SearchImages
    from edgeemo.tune.space import Space
    from edgeemo.tune.study import RunningTrial, Study
    from edgeemo.tune.trials import Trial
    from edgeemo.utils.progress import Progress

_TRIES = 10
"""Number of networks over the limits per requested trial after which the search stops."""


class Search:
    """Search in this process."""

    def __init__(
        self,
        study: Study,
        images: SearchImages,
        *,
        space: Space,
        base: TrainOptions,
        goal: Goal,
        progress: Progress,
    ) -> None:
        self._study, self._images = study, images
        self._space, self._base, self._goal = space, base, goal
        self._progress = progress
        self._footprints: dict[tuple[str, int], Footprint] = {}

    def run(self) -> None:
        """Run trials until the goal is reached.

        Raises:
            KeyboardInterrupt: On Ctrl-C; the running trial counts as interrupted.
            StudyError: If the storage is lost. And all that `edgeemo.train.loop.fit.fit` raises,
                except for a loss that diverges, which makes a trial a poor one.
        """
        goal, end = self._goal, None
        if goal.timeout is not None:
            end = time.monotonic() + goal.timeout * 60
        trials = self._study.read_trials()
        left = goal.trials - len(select_trained(trials))
        if left > 0:
            for size in self._space.sizes:
                self._images.decode(dataclasses.replace(self._base, size=size))
            self._progress.stage(
                f"Searching, {plural(left, 'trial')}", total=left * self._base.epochs
            )
        while len(select_trained(trials)) < goal.trials:
            if end is not None and time.monotonic() >= end:
                self._progress.note(
                    f"The time is up after {plural(len(select_trained(trials)), 'trial')}."
                )
                break
            if sum(each.state == "outside" for each in trials) >= _TRIES * goal.trials:
                self._progress.note("Hardly any network of this search space is within the limits.")
                break
            self._run_trial()
            trials = self._study.read_trials()

    def _run_trial(self) -> None:
        trial = self._study.begin_trial()
        try:
            chosen = self._space.draw(trial)
            options = merge_choice(self._base, chosen)
            size = self._footprint(options)
            trial.save(chosen=chosen, footprint=to_plain(size))
            excesses = self._goal.limits.find_excesses(size)
            if excesses:
                trial.save(outside=True)
                trial.prune("; ".join(excesses), excesses=excesses)
                return
            self._train(trial, options, size)
        except BaseException as error:
            _abandon(trial, error)
            raise
        self._report(trial.number)

    def _train(self, trial: RunningTrial, options: TrainOptions, size: Footprint) -> None:
        pixels = self._images.decode(options)
        spec = make_spec(self._images.dataset.labels, options)
        reporter = _TrialProgress(
            trial, goal=self._goal, epochs=options.epochs, progress=self._progress
        )
        if options.tensorboard:
            options = dataclasses.replace(
                options, tensorboard=options.tensorboard / f"trial-{trial.number}"
            )
        try:
            _, fitted = fit(
                lambda: build_network(spec, options),
                TrainingData(train=pixels["train"], validation=pixels["validation"], spec=spec),
                options=options,
                on_epoch=reporter.on_epoch,
                progress=reporter,
            )
        except Pruned:
            reporter.save_result()
            trial.prune("half of the trials were better at that epoch")
        except TrainingError as error:
            reporter.save_result()
            trial.prune(str(error).partition(":")[0])
        else:
            if fitted.interrupted:
                raise KeyboardInterrupt
            best = reporter.save_result()
            if best is not None:
                trial.complete(self._goal.get_values(best, size))
        finally:
            reporter.finish()
            import_keras().utils.clear_session()

    def _footprint(self, options: TrainOptions) -> Footprint:
        key = (options.arch, options.side)
        if key not in self._footprints:
            spec = make_spec(self._images.dataset.labels, options)
            bare = dataclasses.replace(options, from_=Weights.NONE)
            self._footprints[key] = estimate_footprint(build_network(spec, bare))
        return self._footprints[key]

    def _report(self, number: int) -> None:
        """Note the trial that has just ended, in one line."""
        trials = self._study.read_trials()
        leaders = rank_trials(trials, objective=self._goal.objective, limits=self._goal.limits)
        self._progress.note(describe_trial(trials[number], leaders))


class _TrialProgress:
    """Progress of a trial's training: to the study after each epoch, to the user in between."""

    def __init__(self, trial: RunningTrial, *, goal: Goal, epochs: int, progress: Progress) -> None:
        self._trial, self._goal, self._epochs = trial, goal, epochs
        self._progress = progress
        self._best: Epoch | None = None
        self._done = 0
        self._began = time.monotonic()

    def on_epoch(self, epoch: Epoch) -> None:
        """Report an epoch to the study, which ends the trial if it is poor."""
        self._done += 1
        self._progress.advance()
        if self._best is None or epoch.score < self._best.score:
            self._best = epoch
        self._trial.report(epoch.epoch, self._goal.get_value(self._best))

    def save_result(self) -> Epoch | None:
        """Store the best epoch and return it; None if none has ended."""
        best = self._best
        result: dict[str, Any] = {"epochs_run": self._done}
        result["seconds"] = round(time.monotonic() - self._began, 1)
        if best is not None:
            result.update(accuracy=best.val_accuracy, loss=best.val_loss, epoch=best.epoch)
        self._trial.save(result=result)
        return best

    def finish(self) -> None:
        """Advance by the epochs that will not be trained."""
        self._progress.advance(self._epochs - self._done)

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Do nothing: the search is one stage."""

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        """Show the position of the training, also between epochs."""
        self._progress.advance(0, detail=f"trial {self._trial.number}  {detail}")

    def note(self, text: str) -> None:
        """Do nothing: notes of `fit` are about a training that is kept."""


def describe_trial(trial: Trial, leaders: Sequence[Trial]) -> str:
    """Return the outcome of a trial and the best so far, as a sentence."""
    chosen, size = trial.chosen, trial.footprint
    text = f"trial {trial.number}: {trial.state}"
    if trial.accuracy is not None and trial.loss is not None:
        text += f", validation {trial.accuracy:.3f} (loss {trial.loss:.3f})"
    text += f": {chosen['arch']}, {chosen['size']} px, lr {chosen['lr']:g}, {chosen['augment']}"
    if size:
        text += f"; {size.parameters:,} parameters, {size.multiply_adds / 1e6:.2f} M multiply-adds"
    if leaders and leaders[0].number == trial.number:
        return f"{text}; the best so far"
    return f"{text}; best: trial {leaders[0].number}" if leaders else text


def _abandon(trial: RunningTrial, error: BaseException) -> None:
    """Mark a trial as failed, if the storage can still be reached."""
    with suppress(StudyError):
        trial.fail("interrupted" if isinstance(error, KeyboardInterrupt) else str(error))
