"""The search as a whole: resumed, shared, repeatable, interrupted, and made a model of."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest
from PIL import Image

from edgeemo.errors import LimitError, StudyError
from edgeemo.train import TrainOptions, train
from edgeemo.train.options.config import merge_options, read_config
from edgeemo.tune import Goal, NetworkLimits, Space, tuner
from edgeemo.tune.search import Search

pytestmark = pytest.mark.tensorflow


def _chosen(found):
    return [(trial.state, trial.chosen, trial.accuracy, trial.loss) for trial in found.trials]


def test_the_best_trial_becomes_the_model_folder(found):
    best = found.best
    assert [trial.state for trial in found.trials] == ["complete"] * 3
    assert best.accuracy == max(trial.accuracy for trial in found.trials)
    with found.folder.file("history.csv").open() as stream:
        epoch = next(csv.DictReader(stream))
    assert float(epoch["val_loss"]) == pytest.approx(best.loss, rel=1e-6)
    assert float(epoch["val_accuracy"]) == pytest.approx(best.accuracy, rel=1e-6)


def test_the_config_file_alone_repeats_the_model(found, images, tmp_path):
    said = read_config(found.folder.file("config.toml"))
    assert said["arch"] == found.best.chosen["arch"]
    assert said["lr"] == found.best.chosen["lr"]
    again = train(images, tmp_path / "again", options=merge_options(said).options).folder
    column = "\n".join(found.folder.file("history.csv").read_text().splitlines())
    assert again.file("history.csv").read_text().strip() == column


def test_the_folder_holds_table_and_images(found):
    with found.folder.file("study.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["state"] for row in rows] == ["complete"] * 3
    assert {row["trial"] for row in rows if row["front"]} == {str(t.number) for t in found.front}
    assert int(rows[0]["parameters"]) == found.trials[0].footprint.parameters
    for name in (tuner.HISTORY_PNG, tuner.IMPORTANCE_PNG):
        with Image.open(found.folder.file("plots") / name) as image:
            assert image.width > 400


def test_a_search_that_goes_on_draws_what_it_would_have_drawn(found, search, tmp_path):
    search(tmp_path / "study.journal", 1)
    resumed = search(tmp_path / "study.journal", 3)
    assert _chosen(resumed) == _chosen(found)


def test_enough_trials_train_no_more(found, search, monkeypatch):
    monkeypatch.setattr(Search, "_run_trial", None)
    storage = found.folder.path.parent / "study.db"
    assert search(storage, 3).best == found.best
    taken = search(storage, 3, take=2)
    assert taken.best.number == 2
    with pytest.raises(StudyError, match="trial 7 is no completed trial of this study"):
        search(storage, 3, take=7)


def test_another_search_is_refused_in_one_line(found, search, images, tmp_path):
    storage = found.folder.path.parent / "study.db"
    other = Space(arch=("cnn",), sizes=(24,), filters=(2, 4), augment=("none",))
    with pytest.raises(StudyError, match=r"of another search: arch \['cnn-4-4-4-d16', 'cnn'\] be"):
        search(storage, 4, space=other)
    data = tmp_path / "faces"
    for path in images.glob("*/*.png"):
        if path.stem != "3":
            (data / path.parent.name).mkdir(parents=True, exist_ok=True)
            (data / path.parent.name / path.name).hardlink_to(path)
    with pytest.raises(StudyError, match=r"of another search: images [0-9a-f]+ before"):
        search(storage, 4, data=data)


def test_two_processes_share_one_sqlite_file(images, tmp_path):
    words = [
        sys.executable, "-m", "edgeemo.cli.start", "tune", "--data", images, "--trials", "4",
        "--epochs", "1", "--sizes", "24", "--channels", "1", "--arch", "cnn", "--filters", "2,4",
        "--augment", "none", "--storage", "study.db", "--search-only", "--json",
    ]  # fmt: skip
    both = [
        subprocess.Popen(
            list(map(str, words)), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    shown = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], shown
    seen = [json.loads(out)["trials"] for out, _ in shown]
    longest = max(seen, key=len)
    assert 4 <= len(longest) <= 5  # each ends the trial that it has begun
    drawn = [(trial["arch"], trial["lr"]) for trial in longest]
    assert len(set(drawn)) == len(drawn)
    begun = [err.count(b"trial ") for _, err in shown]
    assert min(begun) >= 1


def test_networks_beyond_the_limits_are_not_trained(search, tmp_path):
    goal = Goal(trials=1, limits=NetworkLimits(max_params=1))
    with pytest.raises(LimitError) as refused:
        search(tmp_path / "study.db", 1, goal=goal)
    assert "no network is within the limits; the nearest, trial " in str(refused.value)
    assert "where 1 is allowed" in str(refused.value)
    assert refused.value.exit_code == 3


def test_a_second_objective_keeps_costs_small(search, tmp_path):
    goal = Goal(trials=2, second="params", objective="loss")
    found = search(tmp_path / "study.journal", 2, goal=goal)
    assert {trial.state for trial in found.trials} == {"complete"}
    assert found.best.loss == min(trial.loss for trial in found.trials)


def test_ctrl_c_keeps_what_was_found(found, search, stopper, tmp_path):
    storage = tmp_path / "study.journal"
    stop = stopper("trial 1: ")
    with pytest.raises(KeyboardInterrupt):
        search(storage, 3, progress=stop)
    assert "Interrupted: 1 trial is kept" in stop.notes[-1]
    assert "with --trials 1 it makes the model folder of that trial" in stop.notes[-1]
    kept = search(storage, 1, out=tmp_path / "best")
    assert [trial.state for trial in kept.trials] == ["complete", "failed"]
    assert kept.best.number == 0
    assert not list(tmp_path.glob(".near*"))


@pytest.fixture
def stopper():
    """Function (text): a `Progress` that presses Ctrl-C once a detail begins with the text."""

    class Stopper:
        def __init__(self, text: str) -> None:
            self.text, self.notes = text.rstrip(": "), []

        def stage(self, name, *, total=None):
            pass

        def advance(self, steps=1, *, detail=""):
            if detail.startswith(self.text):
                raise KeyboardInterrupt

        def note(self, text):
            self.notes.append(text)

    return Stopper


def test_what_cannot_be_searched_is_refused_before_any_work(search, tmp_path):
    base = TrainOptions(mode="plain", epochs=1, ratios=(0.8, 0.0, 0.2))
    with pytest.raises(StudyError, match="requires a validation split"):
        search(tmp_path / "study.db", 1, base=base)
    with pytest.raises(StudyError, match="trainings of a search are not distributed"):
        search(tmp_path / "study.db", 1, base=TrainOptions(workers=2))
    assert list(tmp_path.iterdir()) == []
