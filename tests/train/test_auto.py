"""Mode auto: options that are chosen from the images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeemo.dataset import FaceSample, draw_faces
from edgeemo.model.tables import Sample
from edgeemo.train import TrainOptions, train
from edgeemo.train.auto import choose_faces, choose_network, choose_training
from edgeemo.train.options.config import merge_options, read_config
from edgeemo.train.options.options import DECIDED
from edgeemo.utils.progress import Silent


class Notes(Silent):
    """The notes of a training."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


class Images:
    """A dataset of so many training images of each class."""

    def __init__(self, labels=("happy", "sad"), counts=(100, 100)):
        self.labels = labels
        self.samples = [
            Sample(path=f"{label}/{number}", label=label, split="train", sha256=f"{label}{number}")
            for label, count in zip(labels, counts, strict=True)
            for number in range(count)
        ]

    def in_split(self, split):
        return [each for each in self.samples if each.split == split]


def found(**numbers):
    usual = {"images": 100, "with_face": 80, "face_area": 0.1, "shorter_side": 200, "grey": 0.0}
    return FaceSample(**{**usual, "seconds": 1.0, **numbers})


NO_FACES = {"with_face": 0, "face_area": 0.0}


def choose(given, sample, images=None):
    """Return the options that are chosen, and the notes."""
    notes = Notes()
    options = merge_options(given).options
    if options.faces is None:
        options = choose_faces(options, sample, notes)
    options = choose_network(options, sample, notes)
    return choose_training(options, images or Images(), notes), notes.notes


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ({}, "auto"),
        ({"epochs": 5}, "auto"),
        ({"arch": "cnn-16-32-16"}, "plain"),
        ({"recipe": "focal"}, "plain"),
        ({"workers": 2}, "auto"),
        ({"arch": "edge", "mode": "auto"}, "auto"),
    ],
)
def test_a_network_or_a_recipe_is_plain(given, mode):
    options = merge_options(given).options
    assert options.mode == mode
    assert bool(options.undecided) == (mode == "auto")
    assert TrainOptions(**given).mode == mode


def test_given_options_are_decided_even_with_their_default():
    assert merge_options({"epochs": 20}).options.undecided == DECIDED - {"epochs"}
    assert TrainOptions(epochs=5).undecided == DECIDED - {"epochs"}


def test_photos_with_faces():
    options, notes = choose({}, found())
    assert (options.faces, options.cropped, options.face_score) == (True, False, 0.7)
    assert (options.from_, options.arch) == ("happy-sad", "edge")
    assert (options.side, options.channels) == (48, 1)
    assert options.frozen_epochs > 0
    assert options.early_stopping > 0
    assert not options.class_weights
    assert options.undecided == frozenset()
    assert all(note.startswith("auto: --") for note in notes)
    assert "80 of 100 sampled images (80%) have a face" in notes[0]
    assert len(notes) < 12


def test_crops_of_faces():
    options, _ = choose({}, found(face_area=0.8))
    assert (options.faces, options.cropped, options.face_margin) == (True, True, 0.05)
    assert options.from_ == "happy-sad"


def test_images_of_anything_else():
    options, notes = choose({}, found(**NO_FACES))
    assert (options.faces, options.from_, options.arch) == (False, "none", "edge")
    assert (options.side, options.channels, options.frozen_epochs) == (96, 3, 0)
    assert any("images are taken whole" in note for note in notes)
    options, _ = choose({}, found(**NO_FACES, shorter_side=28, grey=1.0))
    assert (options.side, options.channels) == (48, 1)


def test_classes_of_different_sizes_get_weights():
    options, _ = choose({}, found(), Images(counts=(30, 90)))
    assert options.class_weights


def test_classes_that_the_start_knows_take_smaller_steps():
    same, _ = choose({}, found())
    other, _ = choose({}, found(), Images(("angry", "happy"), (90, 90)))
    assert same.lr < other.lr


def test_what_is_given_stays():
    given = {
        "faces": False, "size": 64, "channels": 3, "epochs": 20, "augment": "none", "lr": 0.1,
        "from_": "none", "class_weights": False,
    }  # fmt: skip
    options, notes = choose(given, found(), Images(counts=(10, 90)))
    for name, value in given.items():
        assert getattr(options, name) == value
    assert not any("--size" in note or "--epochs" in note for note in notes)


@pytest.mark.parametrize(
    "given", [{"size": 96}, {"channels": 3}, {"mode": "auto", "arch": "cnn-8"}]
)
def test_no_start_that_does_not_fit(given):
    options, notes = choose(given, found())
    assert (options.faces, options.from_) == (True, "none")
    assert any("happy-sad does not fit" in note for note in notes)


def test_a_given_start_gives_its_shape():
    options, _ = choose({"from_": "happy-sad"}, found(**NO_FACES))
    assert (options.arch, options.side, options.channels) == ("edge", 48, 1)
    assert options.faces is False


def test_mode_plain_says_what_it_found_and_chooses_nothing():
    notes = Notes()
    plain = TrainOptions(mode="plain")
    assert choose_faces(plain, found(), notes) == replace(plain, faces=False)
    assert notes.notes == [f"{found().text}: images are taken whole; --faces takes the faces"]
    assert choose_faces(plain, found(**NO_FACES), Silent()) == replace(plain, faces=False)


@pytest.mark.tensorflow
def test_a_training_writes_what_it_chose_and_the_file_repeats_it(tmp_path):
    faces = draw_faces(tmp_path / "faces", count=40, size=96, seed=0)
    notes = Notes()
    options = merge_options({"epochs": 4, "frozen_epochs": 1}).options
    folder = train(faces, tmp_path / "auto", options=options, progress=notes).folder
    assert sum(note.startswith("auto: ") for note in notes.notes) > 5
    spec = folder.read_spec()
    assert (spec.input_shape, spec.faces.cropped) == ((48, 48, 1), True)
    recorded = merge_options(read_config(folder.file("config.toml"))).options
    assert "\n# auto: --from happy-sad" in folder.file("config.toml").read_text()
    assert (recorded.mode, recorded.from_, recorded.epochs) == ("auto", "happy-sad", 4)
    again = train(faces, tmp_path / "again", options=recorded).folder
    assert again.file("history.csv").read_bytes() == folder.file("history.csv").read_bytes()


@pytest.mark.tensorflow
def test_minutes_end_it_with_its_best_epoch(images, options, tmp_path):
    notes = Notes()
    short = replace(options, epochs=1000, minutes=0.001)
    model = train(images, tmp_path / "short", options=short, progress=notes)
    assert model.report.fit.epochs_run == 1
    assert any("0.001 minutes are over after epoch 1 of 1000" in note for note in notes.notes)
