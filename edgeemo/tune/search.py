"""The search: draws and trains trials until the study has the requested number."""

from __future__ import annotations

import dataclasses
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from edgeemo.errors import StudyError
from edgeemo.train.networks.network import build_network, make_spec
from edgeemo.train.options.choices import Weights
from edgeemo.tune.limits import estimate_footprint
from edgeemo.tune.space import merge_choice
from edgeemo.tune.trial_training import train_trial
from edgeemo.tune.trials import rank_trials, select_trained
from edgeemo.utils.serialize import to_plain
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.train.options.options import TrainOptions
    from edgeemo.tune.goal import Goal
    from edgeemo.tune.limits import Footprint
    from edgeemo.tune.search_images import DecodedImages
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
        images: DecodedImages,
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
        self._noted: set[str] = set()

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
        self._run_trials(end)

    def _run_trials(self, end: float | None) -> None:
        while not self._is_over(self._study.read_trials(), end):
            self._run_trial()

    def _is_over(self, trials: Sequence[Trial], end: float | None, *, running: int = 0) -> bool:
        """Return whether no further trial is to begin."""
        count = len(select_trained(trials))
        if count + running >= self._goal.trials:
            return True
        if end is not None and time.monotonic() >= end:
            self._note_once(f"The time is up after {plural(count, 'trial')}.")
            return True
        if sum(each.state == "outside" for each in trials) >= _TRIES * self._goal.trials:
            self._note_once("Hardly any network of this search space is within the limits.")
            return True
        return False

    def _note_once(self, text: str) -> None:
        if text not in self._noted:
            self._progress.note(text)
            self._noted.add(text)

    def _run_trial(self) -> None:
        begun = self._begin_trial()
        if begun is None:
            return
        trial, options, footprint = begun
        try:
            train_trial(
                trial,
                options,
                footprint=footprint,
                splits=self._images.decode(options),
                labels=self._images.labels,
                goal=self._goal,
                progress=self._progress,
            )
        except BaseException as error:
            abandon(trial, error)
            raise
        self._report(trial.number)

    def _begin_trial(self) -> tuple[RunningTrial, TrainOptions, Footprint] | None:
        """Begin a trial and draw its options; None if its network is over a limit."""
        trial = self._study.begin_trial()
        try:
            chosen = self._space.draw(trial)
            options = merge_choice(self._base, chosen)
            footprint = self._footprint(options)
            trial.save(chosen=chosen, footprint=to_plain(footprint))
            excesses = self._goal.limits.find_excesses(footprint)
            if not excesses:
                return trial, options, footprint
            trial.save(outside=True)
            trial.prune("; ".join(excesses), excesses=excesses)
        except BaseException as error:
            abandon(trial, error)
            raise
        self._report(trial.number)
        return None

    def _footprint(self, options: TrainOptions) -> Footprint:
        key = (options.arch, options.side)
        if key not in self._footprints:
            spec = make_spec(self._images.labels, options)
            bare = dataclasses.replace(options, from_=Weights.NONE)
            self._footprints[key] = estimate_footprint(build_network(spec, bare))
        return self._footprints[key]

    def _report(self, number: int) -> None:
        """Note the trial that has just ended, in one line."""
        trials = self._study.read_trials()
        leaders = rank_trials(trials, objective=self._goal.objective, limits=self._goal.limits)
        self._progress.note(describe_trial(trials[number], leaders))


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


def abandon(trial: RunningTrial, error: BaseException) -> None:
    """Mark a trial as failed, if the storage can still be reached."""
    with suppress(StudyError):
        trial.fail("interrupted" if isinstance(error, KeyboardInterrupt) else str(error))
