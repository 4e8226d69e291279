"""Study of a search: its trials, in a storage that several processes share.

The only file that imports Optuna. Exceptions of Optuna and of databases become one line, and
Optuna's warnings about its next version are dropped.
"""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.errors import MissingExtraError, StudyError
from edgeemo.train.options.choices import Mode
from edgeemo.train.options.options import TrainOptions
from edgeemo.train.options.record import find_differences, record_options
from edgeemo.tune.limits import Footprint
from edgeemo.tune.storage import describe_cause, hide_password, open_storage
from edgeemo.tune.trials import Trial
from edgeemo.utils.extras import make_missing_error
from edgeemo.utils.serialize import from_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


_IDENTITY = "edgeemo"
_STARTUP = 5
"""Number of completed trials before poor ones are stopped early."""


class Pruned(Exception):  # noqa: N818 - it ends a trial and is no error
    """End of the training of a poor trial."""


def check_storage(storage: str) -> None:
    """Open a storage, to find out before any slow work that it cannot be used.

    Args:
        storage: As of `edgeemo.tune.storage.open_storage`.

    Raises:
        StudyError: If it cannot be reached or written to.
        MissingExtraError: If the `tune` extra is not installed.
    """
    optuna = _import_optuna()
    with _translate_errors(hide_password(storage)):
        open_storage(optuna, storage)


class Study:
    """A study in its storage.

    Args:
        storage: A file or a URL, see `edgeemo.tune.storage.open_storage`.
        name: Name of the study in the storage; an existing one is resumed.
        identity: Properties that distinguish the search from others, as JSON types by name.
        directions: "maximize" or "minimize" for each objective.
        seed: Seed of the draws of each trial, with its number and the trials before it.
        warmup_epochs: Number of epochs before a trial can be stopped early.

    Attributes:
        name: See above.
        place: The storage without its password.
        prunes: Whether poor trials are stopped early.

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
        warmup_epochs: int,
    ) -> None:
        self._optuna = _import_optuna()
        self.name, self.place, self._seed = name, hide_password(storage), seed
        self.prunes = len(directions) == 1
        with self._translate_errors():
            self._study = self._optuna.create_study(
                storage=open_storage(self._optuna, storage),
                study_name=name,
                directions=list(directions),
                pruner=self._optuna.pruners.MedianPruner(
                    n_startup_trials=_STARTUP, n_warmup_steps=warmup_epochs
                ),
                load_if_exists=True,
            )
        self._check_identity(identity)

    def begin_trial(self) -> RunningTrial:
        """Begin a trial.

        Its draws depend on the seed, its number and the trials before it: a resumed search draws
        what an uninterrupted one would have drawn, and no two processes draw the same.
        """
        with self._translate_errors():
            trial = self._study.ask()
            seed = int(np.random.SeedSequence([self._seed, trial.number]).generate_state(1)[0])
            self._study.sampler = self._optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        return RunningTrial(self, trial)

    def read_trials(self) -> list[Trial]:
        """Return all trials by number, including those of other processes."""
        with self._translate_errors():
            return [_to_trial(trial) for trial in self._study.get_trials(deepcopy=False)]

    def compute_importances(self) -> dict[str, float]:
        """Return the importance of each option for the first objective, the greatest first.

        They add up to 1. Empty if too few trials were completed. PED-ANOVA (S. Watanabe, A. Bansal
        and F. Hutter, IJCAI 2023).
        """
        with self._translate_errors():
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

    def _check_identity(self, identity: Mapping[str, Any]) -> None:
        with self._translate_errors():
            recorded = self._study.user_attrs.get(_IDENTITY)
            foreign = recorded is None and bool(self._study.get_trials(deepcopy=False))
            if recorded is None and not foreign:
                self._study.set_user_attr(_IDENTITY, dict(identity))
                recorded = self._study.user_attrs[_IDENTITY]  # or that of another process
        if foreign:
            raise StudyError(
                f"{self.place}: the study {self.name!r} there was not made by edgeemo; choose "
                "another --name or --storage"
            )
        usual = record_options(TrainOptions(mode=Mode.PLAIN))  # for newer options
        recorded = {name: usual[name] for name in identity if name in usual} | dict(recorded)
        changes = find_differences({**dict.fromkeys(recorded), **identity}, recorded)
        if changes:
            raise StudyError(
                f"{self.place}: the study {self.name!r} is of another search: "
                f"{'; '.join(changes)}; repeat that search to continue it, or choose another "
                "--name for a new study"
            )

    def _translate_errors(self) -> AbstractContextManager[None]:
        return _translate_errors(self.place)

    def _state(self, name: str) -> Any:
        return self._optuna.trial.TrialState[name]


class RunningTrial:
    """A trial that was begun; `complete`, `prune` or `fail` ends it.

    Attributes:
        number: Number in the study, from 0.
    """

    def __init__(self, study: Study, trial: Any) -> None:
        self._study, self._trial = study, trial
        self.number = int(trial.number)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of the choices; see `edgeemo.tune.space.Draws`."""
        with self._study._translate_errors():
            return self._trial.suggest_categorical(name, choices)

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return a number from low to high; see `edgeemo.tune.space.Draws`."""
        with self._study._translate_errors():
            return float(self._trial.suggest_float(name, low, high, log=log))

    def save(self, **values: Any) -> None:
        """Store fields of `Trial` with the trial, as JSON types."""
        with self._study._translate_errors():
            for name, value in values.items():
                self._trial.set_user_attr(name, value)

    def report(self, epoch: int, value: float) -> None:
        """Report the first objective after an epoch.

        Raises:
            Pruned: If half of the completed trials were better at that epoch, and the study prunes.
                With two objectives it does not: a trial can be poor in one and good in the other.
        """
        if not self._study.prunes:
            return
        with self._study._translate_errors():
            self._trial.report(value, epoch)
            if self._trial.should_prune():
                raise Pruned

    def complete(self, values: Sequence[float]) -> None:
        """End the trial with the values of its objectives."""
        self._tell("COMPLETE", list(values))

    def prune(self, reason: str, *, excesses: Mapping[str, float] | None = None) -> None:
        """End the trial because it is poor or over a limit.

        Args:
            reason: The reason in words.
            excesses: Excess over each limit, more than 0; the sampler learns to avoid them.
        """
        self.save(reason=reason)
        with self._study._translate_errors():
            for number, excess in enumerate((excesses or {}).values()):
                self._trial.set_constraint(f"limit_{number}", excess)
        self._tell("PRUNED", None)

    def fail(self, reason: str) -> None:
        """End the trial because it was interrupted; it does not count."""
        self.save(reason=reason)
        self._tell("FAIL", None)

    def _tell(self, state: str, values: list[float] | None) -> None:
        with self._study._translate_errors():
            self._study._study.tell(self._trial, values, state=self._study._state(state))


def _to_trial(trial: Any) -> Trial:
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
        reason=attrs.get("reason", ""),
    )


@contextmanager
def _translate_errors(place: str) -> Iterator[None]:
    """Turn any exception of the storage into a `StudyError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (StudyError, MissingExtraError, Pruned):
        raise
    except Exception as error:  # each database and file system has exceptions of its own
        raise StudyError(
            f"{place}: the study cannot be stored: {describe_cause(error)}; "
            "check --storage, and that it can be reached and written to"
        ) from None


def _import_optuna() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import optuna
    except ImportError:
        raise make_missing_error("optuna", purpose="edgeemo tune") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
