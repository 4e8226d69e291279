"""The study: poor trials end early, and storages that fail say so in one line."""

from __future__ import annotations

import pytest

from edgeemo.errors import StudyError
from edgeemo.tune.storage import hide_password
from edgeemo.tune.study import Pruned, Study


def _study(storage, **changes):
    options = {"name": "s", "identity": {"a": 1}, "directions": ["maximize"], "seed": 0}
    return Study(str(storage), **{**options, "warmup_epochs": 1, **changes})


def test_a_poor_trial_is_pruned_once_others_were_better(tmp_path):
    study = _study(tmp_path / "s.journal")
    for number in range(5):
        trial = study.begin_trial()
        trial.suggest_float("x", 0.0, 1.0)
        for epoch in (1, 2):
            trial.report(epoch, 0.8 + number / 100)
        trial.complete([0.8 + number / 100])
    poor = study.begin_trial()
    with pytest.raises(Pruned):
        poor.report(1, 0.5)
    good = study.begin_trial()
    good.report(1, 0.9)
    poor.prune("half of the trials were better at that epoch")
    good.complete([0.9])
    assert [trial.state for trial in study.read_trials()] == [
        *["complete"] * 5,
        "pruned",
        "complete",
    ]
    assert study.read_trials()[5].reason == "half of the trials were better at that epoch"
    assert set(study.compute_importances()) == {"x"}


def test_with_two_objectives_nothing_is_pruned(tmp_path):
    study = _study(tmp_path / "s.db", directions=["maximize", "minimize"])
    trial = study.begin_trial()
    trial.report(1, 0.0)
    trial.complete([0.5, 100.0])
    assert study.read_trials()[0].state == "complete"


def test_a_trial_beyond_the_limits_is_marked_as_such(tmp_path):
    study = _study(tmp_path / "s.db")
    trial = study.begin_trial()
    trial.save(outside=True)
    trial.prune("too large", excesses={"too large": 0.5})
    assert study.read_trials()[0].state == "outside"


@pytest.mark.parametrize(
    ("storage", "reason"),
    [
        ("missing/s.journal", "no such file or directory"),
        ("missing/s.db", "unable to open database file"),
        ("sqlite:///missing/s.db", "unable to open database file"),
        ("text.db", "file is not a database"),
        ("text.txt", "not the file of a study"),
        ("damaged.journal", "the study cannot be stored"),
        (".", "is a directory"),
        ("nothing://here", "can't load plugin"),
        ("postgresql+nodriver://me:secret@127.0.0.1:1/x", "can't load plugin"),
    ],
)
def test_a_storage_that_cannot_be_reached_is_one_line(storage, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.db").write_text("a shopping list, long enough to look like a file\n" * 9)
    (tmp_path / "text.txt").write_text("a shopping list\n")
    (tmp_path / "damaged.journal").write_text('{"half\n{"a": 1}\n')
    with pytest.raises(StudyError) as refused:
        _study(storage)
    text = str(refused.value)
    assert reason in text.lower()
    assert "secret" not in text
    assert "\n" not in text
    assert (tmp_path / "text.txt").read_text() == "a shopping list\n"


def test_a_study_of_somebody_else_is_left_alone(tmp_path):
    import optuna

    other = optuna.create_study(storage=f"sqlite:///{tmp_path / 's.db'}", study_name="s")
    other.tell(other.ask(), 1.0)
    with pytest.raises(StudyError, match="was not made by edgeemo"):
        _study(tmp_path / "s.db")


def test_a_password_is_not_shown():
    assert hide_password("mysql://me:se/cr:et@host/x") == "mysql://me:***@host/x"
    assert hide_password("redis://:secret@host:6379/0") == "redis://:***@host:6379/0"
    assert hide_password("postgresql://me@host:5432/x") == "postgresql://me@host:5432/x"
    assert hide_password("models/a.study") == "models/a.study"


def test_a_study_older_than_an_option_goes_on_with_its_default(tmp_path):
    _study(tmp_path / "old.db")
    _study(tmp_path / "old.db", identity={"a": 1, "ema": 0.0})
    with pytest.raises(StudyError, match=r"of another search: ema 0.0 before, 0.9 now"):
        _study(tmp_path / "old.db", identity={"a": 1, "ema": 0.9})
