"""The study: the trials of a search, kept where several processes reach them.

The one file that knows Optuna. Whatever Optuna or a database says in an exception becomes one line,
and its warnings about what may change in its next version stay here.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import MissingExtraError, StudyError
from edgeemo.train.options.options import TrainOptions
from edgeemo.train.options.record import find_differences, record_options
from edgeemo.tune.limits import Footprint
from edgeemo.tune.record import Trial
from edgeemo.tune.storage import describe_cause, opened, shown
from edgeemo.utils.serialize import from_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


_IDENTITY = "edgeemo"
_STARTUP = 5
"""Completed trials before a poor one is ended early."""


class Pruned(Exception):  # noqa: N818 - it ends a trial, and nothing went wrong
    """A trial is poor: its training ends here."""


class Study:
    """A study in its storage.

    Args:
        storage: A file or a URL, see `edgeemo.tune.storage.opened`.
        name: The study's name in there; one of that name is gone on with.
        identity: What makes it this search and no other: JSON types, by name.
        directions: "maximize" or "minimize" for each value of a trial.
        seed: Fixes what each trial draws, given its number and the trials before it.
        patient: Epochs that every trial may run.

    Raises:
        StudyError: If the storage cannot be reached, or holds another search of that name.
        MissingExtraError: If the `tune` extra, or the storage's driver, is not installed.
    """

    def __init__(
        self,
        storage: str,
        *,
        name: str,
        identity: Mapping[str, Any],
        directions: Sequence[str],
        seed: int,
        patient: int,
    ) -> None:
        self._optuna = _optuna()
        self.name, self.place, self._seed = name, shown(storage), seed
        self.prunes = len(directions) == 1
        with self._asking():
            self._study = self._optuna.create_study(
                storage=opened(self._optuna, storage),
                study_name=name,
                directions=list(directions),
                pruner=self._optuna.pruners.MedianPruner(
                    n_startup_trials=_STARTUP, n_warmup_steps=patient
                ),
                load_if_exists=True,
            )
        self._identify(identity)

    def ask(self) -> Running:
        """Begin a trial.

        What it draws follows from the seed, its number and the trials before it alone: a search
        that is gone on with draws what it would have drawn, and two processes never the same.
        """
        with self._asking():
            trial = self._study.ask()
            seed = int(np.random.SeedSequence([self._seed, trial.number]).generate_state(1)[0])
            self._study.sampler = self._optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        return Running(self, trial)

    def trials(self) -> list[Trial]:
        """All trials by number, those of other processes too."""
        with self._asking():
            return [_record(trial) for trial in self._study.get_trials(deepcopy=False)]

    def importances(self) -> dict[str, float]:
        """How much each choice mattered for the first value, the greatest first; they add up to 1.

        PED-ANOVA (S. Watanabe, A. Bansal and F. Hutter, IJCAI 2023). Empty where too few trials
        were completed to tell.
        """
        with self._asking():
            done = self._study.get_trials(deepcopy=False, states=[self._state("COMPLETE")])
            names = sorted(
                {
                    name
                    for trial in done
                    for name, choice in trial.distributions.items()
                    if not choice.single()
                }
            )
            if not names or len({trial.values[0] for trial in done}) < 2:
                return {}
            found = self._optuna.importance.get_param_importances(
                self._study, params=names, target=lambda trial: trial.values[0]
            )
        return {name: float(share) for name, share in found.items()}

    def _identify(self, identity: Mapping[str, Any]) -> None:
        with self._asking():
            recorded = self._study.user_attrs.get(_IDENTITY)
            foreign = recorded is None and bool(self._study.get_trials(deepcopy=False))
            if recorded is None and not foreign:
                self._study.set_user_attr(_IDENTITY, dict(identity))
                recorded = self._study.user_attrs[_IDENTITY]  # or what another process wrote
        if foreign:
            raise StudyError(
                f"{self.place}: its study {self.name!r} was not made by edgeemo; choose another "
                "--name or --storage"
            )
        usual = record_options(TrainOptions())  # of options that are younger than the study
        recorded = {name: usual[name] for name in identity if name in usual} | dict(recorded)
        changes = find_differences({**dict.fromkeys(recorded), **identity}, recorded)
        if changes:
            raise StudyError(
                f"{self.place}: the study {self.name!r} began otherwise: {'; '.join(changes)}; "
                "search as before to go on, or choose another --name for a new study"
            )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Translate what goes wrong between here and the storage."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except (StudyError, MissingExtraError, Pruned):
            raise
        except Exception as error:  # each database and file system has exceptions of its own
            raise StudyError(
                f"{self.place}: the study cannot be kept there: {describe_cause(error)}; "
                "check --storage, and that the place can be reached and written to"
            ) from None

    def _state(self, name: str) -> Any:
        return self._optuna.trial.TrialState[name]


class Running:
    """A trial that was begun. `complete`, `prune` or `fail` ends it."""

    def __init__(self, study: Study, trial: Any) -> None:
        self._study, self._trial = study, trial
        self.number = int(trial.number)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """See `edgeemo.tune.space.Draws`."""
        with self._study._asking():
            return self._trial.suggest_categorical(name, choices)

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """See `edgeemo.tune.space.Draws`."""
        with self._study._asking():
            return float(self._trial.suggest_float(name, low, high, log=log))

    def note(self, **values: Any) -> None:
        """Keep something with the trial, as JSON types: fields of `Trial`."""
        with self._study._asking():
            for name, value in values.items():
                self._trial.set_user_attr(name, value)

    def report(self, epoch: int, value: float) -> None:
        """Tell what an epoch came to.

        Raises:
            Pruned: If half of the completed trials were better by then, and the study may prune:
                with two values it may not, for then a trial can be poor in one and good in another.
        """
        if not self._study.prunes:
            return
        with self._study._asking():
            self._trial.report(value, epoch)
            if self._trial.should_prune():
                raise Pruned

    def complete(self, values: Sequence[float]) -> None:
        """The trial came to these values."""
        self._tell("COMPLETE", list(values))

    def prune(self, why: str, *, excesses: Mapping[str, float] | None = None) -> None:
        """The trial is not worth going on with.

        Args:
            why: In words.
            excesses: By how much it misses which limit, each more than 0; the sampler keeps away.
        """
        self.note(why=why)
        with self._study._asking():
            for number, excess in enumerate((excesses or {}).values()):
                self._trial.set_constraint(f"limit_{number}", excess)
        self._tell("PRUNED", None)

    def fail(self, why: str) -> None:
        """The trial was interrupted; nothing follows from it."""
        self.note(why=why)
        self._tell("FAIL", None)

    def _tell(self, state: str, values: list[float] | None) -> None:
        with self._study._asking():
            self._study._study.tell(self._trial, values, state=self._study._state(state))


def _record(trial: Any) -> Trial:
    attrs = trial.user_attrs
    footprint: Footprint | None = None
    if "footprint" in attrs:
        footprint = from_plain(Footprint, attrs["footprint"])
    state = trial.state.name.lower()
    if state == "pruned" and attrs.get("outside"):
        state = "outside"
    return Trial(
        number=trial.number,
        state={"fail": "failed", "waiting": "running"}.get(state, state),
        chosen=attrs.get("chosen", {}),
        footprint=footprint,
        **attrs.get("result", {}),
        why=attrs.get("why", ""),
    )


def _optuna() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import optuna
    except ImportError:
        raise MissingExtraError("optuna", extra="tune", purpose="edgeemo tune") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
