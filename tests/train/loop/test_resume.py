from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from edgeemo.errors import ModelFolderError, TrainingError
from edgeemo.model.keras import load_keras
from edgeemo.train import resume, train
from edgeemo.train.loop.checkpoint import Checkpoint, find_interrupted
from edgeemo.train.options.faces import build_ingest_options
from edgeemo.train.training import train_or_resume
from edgeemo.utils.files import new_folder, sha256_file
from edgeemo.utils.progress import Silent

pytestmark = pytest.mark.tensorflow

KILLED = """
import json, os, pathlib, signal, sys
from edgeemo.train import TrainOptions, train

class Killer:
    def stage(self, name, *, total=None):
        self.now, self.steps = name, 0
    def advance(self, steps=1, *, detail=""):
        self.steps += steps
        if self.now == "Training" and self.steps == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
    def note(self, text): pass

data, out = map(pathlib.Path, sys.argv[1:3])
options = TrainOptions(**json.loads(sys.argv[4]))
train(data, out, options=options, progress=Killer())
"""


class Notes(Silent):
    """The notes of a training."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.fixture(scope="module")
def asked(options):
    return replace(options, epochs=4, augment="light")


def steps_per_epoch(data, options) -> int:
    from edgeemo.dataset import ingest_folder

    samples = ingest_folder(data, options=build_ingest_options(options)).samples
    return -(-sum(sample.split == "train" for sample in samples) // options.batch_size)


@pytest.fixture(scope="module")
def killed(images, asked, tmp_path_factory):
    """A folder with a training that was killed in the middle of its third epoch."""
    place = tmp_path_factory.mktemp("killed")
    step = 2 * steps_per_epoch(images, asked) + 1
    said = {
        "mode": "plain",
        "size": 32,
        "channels": 1,
        "epochs": 4,
        "batch_size": 8,
        "augment": "light",
    }
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, images, place / "model", str(step), json.dumps(said)],
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    return place


@pytest.fixture
def place(killed, tmp_path):
    """A copy of it, to go on with."""
    return shutil.copytree(killed, tmp_path / "models")


def weights(folder):
    return [each.tobytes() for each in load_keras(folder.file("model.keras")).get_weights()]


def test_killed_and_resumed_is_as_never_killed(place, images, asked, tmp_path):
    whole = train(images, tmp_path / "whole", options=asked).folder
    assert len(Checkpoint(place / "model").read().history) in (1, 2)  # 1 where writing is slow
    resumed = resume(place / "model").folder
    assert weights(resumed) == weights(whole)
    for name in ("history.csv", "reference.csv", "split.csv"):
        assert sha256_file(resumed.file(name)) == sha256_file(whole.file(name))
    assert [path.name for path in place.iterdir()] == ["model"]


def test_the_latest_interrupted_training_is_found(place):
    assert find_interrupted(place) == place / "model"
    shutil.rmtree(place / ".model.training")
    with pytest.raises(ModelFolderError, match="no interrupted training here"):
        find_interrupted(place)


def test_beginning_anew_would_lose_it_and_is_refused(place, images, asked):
    with pytest.raises(ModelFolderError, match=r"continue it with --resume.*--force"):
        train(images, place / "model", options=asked)
    assert Checkpoint(place / "model").exists


def test_a_search_continues_the_training_of_its_model(place, images, asked):
    """The same command goes on, wherever it was killed; with other options nothing is lost."""
    other = replace(asked, epochs=5)
    with pytest.raises(ModelFolderError, match=r"continue it with --resume.*--force"):
        train_or_resume(images, place / "model", options=other)
    assert Checkpoint(place / "model").exists
    notes = Notes()
    train_or_resume(images, place / "model", options=asked, progress=notes)
    assert f"Resuming {place / 'model'}" in notes.notes
    assert not Checkpoint(place / "model").exists


def test_another_configuration_is_refused_and_named(place):
    with pytest.raises(TrainingError, match="epochs 4 before, 9 now; batch size 8 before, 2 now"):
        resume(place / "model", requested={"epochs": 9, "batch_size": 2, "augment": "light"})
    assert Checkpoint(place / "model").exists


def test_a_training_that_another_version_started_is_refused_in_one_line(place):
    request = place / ".model.training" / "training.json"
    content = json.loads(request.read_text())
    content["options"]["average"] = 0.9
    request.write_text(json.dumps(content))
    with pytest.raises(TrainingError, match=r"another version.*average.*--force") as caught:
        resume(place / "model")
    assert "\n" not in str(caught.value)
    assert Checkpoint(place / "model").exists


def test_changed_images_are_refused_and_counted(place, images, tmp_path):
    data = shutil.copytree(images, tmp_path / "data")
    (data / "happy" / "000.jpg").unlink()
    shutil.copy(data / "sad" / "000.jpg", data / "sad" / "new.jpg")
    (data / "sad" / "000.jpg").unlink()
    with pytest.raises(TrainingError, match=r"1 new, 2 gone.*restore them"):
        resume(place / "model", data=data)
    assert Checkpoint(place / "model").exists


def test_images_that_were_moved_are_found_where_one_says(place, images, tmp_path):
    data = shutil.copytree(images, tmp_path / "moved")
    assert resume(place / "model", data=data).folder.file("model.keras").exists()


def test_a_damaged_checkpoint_is_one_clear_line(place):
    state = place / ".model.training" / "state.npz"
    state.write_bytes(state.read_bytes()[:5000])
    with pytest.raises(ModelFolderError, match=r"state\.npz: damaged.*--force") as caught:
        resume(place / "model")
    assert "\n" not in str(caught.value)


def test_two_processes_do_not_train_one_folder(place):
    with new_folder(place / "model"), pytest.raises(ModelFolderError, match="another process"):
        resume(place / "model")


def test_an_interrupted_training_of_a_long_name_is_found(tmp_path):
    checkpoint = Checkpoint(tmp_path / ("n" * 255))
    checkpoint.start({}, [])
    checkpoint.state_path.touch()
    assert find_interrupted(tmp_path) == checkpoint.out


def test_nothing_to_go_on_with(tmp_path):
    with pytest.raises(ModelFolderError, match="leave out --resume"):
        resume(tmp_path / "model")


def test_ctrl_c_while_answering_loses_no_training(images, tmp_path, options, stopper):
    with pytest.raises(KeyboardInterrupt):
        train(
            images,
            tmp_path / "model",
            options=options,
            progress=stopper("Predicting the test images", 1),
        )
    assert resume(tmp_path / "model").folder.file("model.keras").exists()
