"""Output of ``edgeemo tune``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.cli.output.console import note, print_facts, print_json, print_table, warn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.train import TrainedModel
    from edgeemo.tune import Goal, TuneJob, TuneResult
    from edgeemo.tune.trials import Trial

_SHOWN = 10
_NETWORK = "network and options"
_COLUMNS = ("trial", _NETWORK, "accuracy", "loss", "parameters", "MMACs", "int8 kB")


def finish(found: TuneResult, *, job: TuneJob, goal: Goal, json: bool) -> None:
    """Show the trials and the model folder, as tables or as one JSON object."""
    from edgeemo.tune.storage import hide_password

    if json:
        print_json(
            {
                "storage": hide_password(job.storage),
                "study": job.name,
                **_build_content(found, goal),
            }
        )
        return
    _print_trials(found, goal)
    if found.importances:
        shares = (f"{name} {share:.0%}" for name, share in found.importances.items())
        note(f"importance: {', '.join(shares)}")
    if found.model is None:
        note(f"study: {job.name} in {hide_password(job.storage)}")
        note(f"the best is trial {found.best.number}; omit --search-only to make its model folder")
        return
    _print_model(found.model, name=found.best.name)


def _print_trials(found: TuneResult, goal: Goal) -> None:
    from edgeemo.tune.trials import rank_trials

    best = rank_trials(found.trials, objective=goal.objective, limits=goal.limits)
    front = {trial.number for trial in found.front}
    rows = best[:_SHOWN] + [trial for trial in best[_SHOWN:] if trial.number in front]
    print_table(
        _COLUMNS,
        [_build_row(trial, on_front=trial.number in front) for trial in rows],
        title=f"The best of {_count_states(found.trials)}",
        numbers_from=2,
        prose=[_NETWORK],
    )
    note(
        "accuracy and loss: of the validation images. MMACs: million multiply-adds. int8 kB: "
        "estimate of int8.tflite. *: no other trial is better in accuracy, parameters and MMACs"
    )


def _build_row(trial: Trial, *, on_front: bool) -> list[str]:
    size = trial.footprint
    chosen = trial.chosen
    return [
        f"{trial.number}{' *' if on_front else ''}",
        f"{chosen['arch']}, {chosen['size']} px, {chosen['augment']}, lr {chosen['lr']:g}",
        f"{trial.accuracy:.3f}",
        f"{trial.loss:.3f}",
        f"{size.parameters:,}" if size else "",
        f"{size.multiply_adds / 1e6:.2f}" if size else "",
        f"{size.int8_bytes / 1000:,.0f}" if size else "",
    ]


def _count_states(trials: Sequence[Trial]) -> str:
    """Return the number of trials by state, in words."""
    from edgeemo.utils.text import plural

    words = {
        "complete": "completed",
        "pruned": "stopped early",
        "outside": "over the limits",
        "failed": "interrupted",
        "running": "running, or killed",
    }
    counts = {state: sum(trial.state == state for trial in trials) for state in words}
    return f"{plural(len(trials), 'trial')}: " + ", ".join(
        f"{count} {words[state]}" for state, count in counts.items() if count
    )


def _print_model(model: TrainedModel, *, name: str) -> None:
    from edgeemo.model.folder import CONFIG
    from edgeemo.tune.tuner import STUDY_CSV

    folder, test = model.folder, model.report.test
    facts: dict[str, str | Path] = {
        "made of": name,
        "test accuracy": f"{test.accuracy}, n = {test.n:,}",
        "all trials": folder.file(STUDY_CSV),
        "train again": f"edgeemo train --config {folder.file(CONFIG)} --out models/again",
    }
    print_facts(facts, title=folder.path)
    for warning in model.report.warnings:
        warn(warning)


def _build_content(found: TuneResult, goal: Goal) -> dict[str, Any]:
    return {
        "folder": found.folder.path if found.folder else None,
        "objective": goal.objective,
        "second": goal.second,
        "limits": goal.limits,
        "best": found.best.to_dict(),
        "front": [trial.number for trial in found.front],
        "importances": found.importances,
        "trials": [trial.to_dict() for trial in found.trials],
        "test": found.model.report.test if found.model else None,
    }
