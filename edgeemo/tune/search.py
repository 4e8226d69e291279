"""The search itself: draw, train, tell the study, until it holds the trials that were asked for."""

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
from edgeemo.tune.limits import footprint
from edgeemo.tune.record import ranked, trained
from edgeemo.tune.space import merge_choice
from edgeemo.tune.study import Pruned
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.train.loop.history import Epoch
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.tune.goal import Goal
    from edgeemo.tune.images import Images
    from edgeemo.tune.limits import Footprint
    from edgeemo.tune.record import Trial
    from edgeemo.tune.space import Space
    from edgeemo.tune.study import Running, Study
    from edgeemo.utils.progress import Progress

_TRIES = 10
"""Networks beyond the limits, for each trial asked for, after which the search gives up."""


class Search:
    """A search that runs in this process."""

    def __init__(
        self,
        study: Study,
        images: Images,
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
        """Begin trials until the goal is reached.

        Raises:
            KeyboardInterrupt: On Ctrl-C; the trial under way counts as interrupted.
            StudyError: If the storage is lost. And all that `edgeemo.train.loop.fit.fit` raises,
                apart from a loss that runs away, which makes a trial a poor one.
        """
        goal, end = self._goal, None
        if goal.timeout is not None:
            end = time.monotonic() + goal.timeout * 60
        trials = self._study.trials()
        left = goal.trials - len(trained(trials))
        if left > 0:
            for size in self._space.sizes:
                self._images.at(dataclasses.replace(self._base, size=size))
            self._progress.stage(f"Searching, {left} trials", total=left * self._base.epochs)
        while len(trained(trials)) < goal.trials:
            if end is not None and time.monotonic() >= end:
                self._progress.note(f"The time is up after {len(trained(trials))} trials.")
                break
            if sum(each.state == "outside" for each in trials) >= _TRIES * goal.trials:
                self._progress.note("Hardly any network of this space keeps to the limits.")
                break
            self._one()
            trials = self._study.trials()

    def _one(self) -> None:
        trial = self._study.ask()
        try:
            chosen = self._space.draw(trial)
            options = merge_choice(self._base, chosen)
            size = self._footprint(options)
            trial.note(chosen=chosen, footprint=to_plain(size))
            excesses = self._goal.limits.excesses(size)
            if excesses:
                trial.note(outside=True)
                trial.prune("; ".join(excesses), excesses=excesses)
                return
            self._train(trial, options, size)
        except BaseException as error:
            _leave(trial, error)
            raise
        self._tell(trial.number)

    def _train(self, trial: Running, options: TrainOptions, size: Footprint) -> None:
        pixels = self._images.at(options)
        spec = make_spec(self._images.dataset.labels, options)
        course = _Course(trial, goal=self._goal, epochs=options.epochs, shown=self._progress)
        if options.tensorboard:
            options = dataclasses.replace(
                options, tensorboard=options.tensorboard / f"trial-{trial.number}"
            )
        try:
            _, fitted = fit(
                lambda: build_network(spec, options),
                TrainingData(train=pixels["train"], validation=pixels["validation"], spec=spec),
                options=options,
                on_epoch=course.on_epoch,
                progress=course,
            )
        except Pruned:
            course.keep()
            trial.prune("half of the trials were better by then")
        except TrainingError as error:
            course.keep()
            trial.prune(str(error).partition(":")[0])
        else:
            if fitted.interrupted:
                raise KeyboardInterrupt
            best = course.keep()
            if best is not None:
                trial.complete(self._goal.values(best, size))
        finally:
            course.finish()
            import_keras().utils.clear_session()

    def _footprint(self, options: TrainOptions) -> Footprint:
        key = (options.arch, options.side)
        if key not in self._footprints:
            spec = make_spec(self._images.dataset.labels, options)
            bare = dataclasses.replace(options, weights=Weights.NONE)
            self._footprints[key] = footprint(build_network(spec, bare))
        return self._footprints[key]

    def _tell(self, number: int) -> None:
        """One line for the trial that has just ended."""
        trials = self._study.trials()
        leaders = ranked(trials, objective=self._goal.objective, limits=self._goal.limits)
        self._progress.note(sentence(trials[number], leaders))


class _Course:
    """A trial's training: told to the study after each epoch, and to the user in between."""

    def __init__(self, trial: Running, *, goal: Goal, epochs: int, shown: Progress) -> None:
        self._trial, self._goal, self._epochs, self._shown = trial, goal, epochs, shown
        self._best: Epoch | None = None
        self._done = 0
        self._began = time.monotonic()

    def on_epoch(self, epoch: Epoch) -> None:
        """Keep what the epoch came to, and end the trial if it is poor."""
        self._done += 1
        self._shown.advance()
        if self._best is None or epoch.score < self._best.score:
            self._best = epoch
        self._trial.report(epoch.epoch, self._goal.value(self._best))

    def keep(self) -> Epoch | None:
        """Write down the best epoch and give it; None if none has ended."""
        best = self._best
        result: dict[str, Any] = {"epochs_run": self._done}
        result["seconds"] = round(time.monotonic() - self._began, 1)
        if best is not None:
            result.update(accuracy=best.val_accuracy, loss=best.val_loss, epoch=best.epoch)
        self._trial.note(result=result)
        return best

    def finish(self) -> None:
        """Count the epochs that will not be trained."""
        self._shown.advance(self._epochs - self._done)

    def stage(self, name: str, *, total: int | None = None) -> None:
        """The search is one stage."""

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        """Show where the training is, between epochs too."""
        self._shown.advance(0, detail=f"trial {self._trial.number}  {detail}")

    def note(self, text: str) -> None:
        """What `fit` notes is of a training that is kept; a trial's is not."""


def sentence(trial: Trial, leaders: Sequence[Trial]) -> str:
    """What became of a trial, and which is the best so far."""
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


def _leave(trial: Running, error: BaseException) -> None:
    """Mark a trial that cannot be finished, if the storage is still there to be told."""
    with suppress(StudyError):
        trial.fail("interrupted" if isinstance(error, KeyboardInterrupt) else str(error))
