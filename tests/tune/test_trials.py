"""Which trial is best, and what the limits say."""

from __future__ import annotations

import csv

import pytest

from edgeemo.errors import LimitError, StudyError
from edgeemo.tune.limits import Footprint, NetworkLimits
from edgeemo.tune.trials import Trial, find_front, pick_best, rank_trials, write_study

_CHOSEN = {"arch": "cnn", "size": 48, "lr": 0.001, "augment": "none"}


def _trial(number, accuracy=None, *, loss=0.5, params=1000, macs=1000, state="complete"):
    return Trial(
        number=number,
        state=state,
        chosen=_CHOSEN,
        accuracy=accuracy,
        loss=loss,
        footprint=Footprint(parameters=params, multiply_adds=macs, int8_bytes=params + 5000),
    )


def test_the_best_is_accurate_then_sure_then_small():
    trials = [
        _trial(0, 0.8),
        _trial(1, 0.9, loss=0.4),
        _trial(2, 0.9, loss=0.3, params=2000),
        _trial(3, 0.9, loss=0.3),
        _trial(4, 0.95, state="pruned"),
    ]
    order = rank_trials(trials, objective="accuracy", limits=NetworkLimits())
    assert [trial.number for trial in order] == [3, 2, 1, 0]
    by_loss = rank_trials(
        [_trial(0, 0.9), _trial(1, 0.8, loss=0.1)], objective="loss", limits=NetworkLimits()
    )
    assert by_loss[0].number == 1


def test_limits_leave_the_best_of_what_fits():
    trials = [_trial(0, 0.8, params=100), _trial(1, 0.9, params=300), _trial(2, 0.7, params=50)]
    assert pick_best(trials, objective="accuracy", limits=NetworkLimits(max_params=100)).number == 0
    small = NetworkLimits(max_params=10, max_size_kb=5.01)
    with pytest.raises(LimitError, match=r"nearest, trial 2 .* exceeds 2: parameters 50 where 10"):
        pick_best(trials, objective="accuracy", limits=small)


def test_without_a_completed_trial_there_is_no_model():
    with pytest.raises(StudyError, match="no trial was completed"):
        pick_best([_trial(0, 0.5, state="pruned")], objective="accuracy", limits=NetworkLimits())
    with pytest.raises(StudyError, match="no trial was completed"):
        pick_best([], objective="accuracy", limits=NetworkLimits())


def test_the_front_is_what_nothing_beats_in_all():
    trials = [
        _trial(0, 0.9, params=1000),
        _trial(1, 0.8, params=100),
        _trial(2, 0.8, params=200),
        _trial(3, 0.7, params=300, macs=10),
        _trial(4, 0.9, params=1000),
    ]
    assert [trial.number for trial in find_front(trials)] == [0, 1, 3, 4]


def test_the_table_has_a_line_per_trial(tmp_path):
    trials = [_trial(0, 0.9), Trial(number=1, state="running")]
    path = write_study(tmp_path / "study.csv", trials, front=trials[:1])
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0]["val_accuracy"] == "0.9"
    assert rows[0]["front"] == "yes"
    assert rows[1]["state"] == "running"
    assert rows[1]["arch"] == ""
