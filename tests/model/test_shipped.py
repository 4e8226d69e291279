"""The models that come with edgeemo: what was recorded of them holds for the files there."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from edgeemo.bundle.device.checks import check_golden
from edgeemo.bundle.device.contents import GoldenImage
from edgeemo.dataset import IngestOptions, ingest_folder
from edgeemo.model.face_request import FaceRequest
from edgeemo.model.folder import SHIPPED_MODELS, ModelFolder, find_newest_folder, shipped_folder
from edgeemo.runtime.classifier import Classifier

REPOSITORY = Path(__file__).resolve().parents[2]
HAPPY_SAD = REPOSITORY / "models" / "happy-sad"
FOLDERS = [shipped_folder(name) for name in SHIPPED_MODELS]
FILES = ("int8.tflite", "float32.tflite", "int8.onnx", "float32.onnx")
LABELS = {"happy-sad": {"happy", "neither"}, "emotions": {"happiness", "sadness"}}
"""Labels that the drawn images have at least."""


def test_a_checkout_has_it_in_models():
    assert shipped_folder().path.resolve() == HAPPY_SAD
    files = [path for path in HAPPY_SAD.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1.5e6


@pytest.mark.parametrize("folder", FOLDERS, ids=SHIPPED_MODELS)
def test_every_file_is_verified_and_int8_is_what_answers(folder):
    assert {path.name for path in folder.list_exported()} == set(FILES)
    assert all(Classifier.load(path).verified for path in folder.list_exported())
    assert folder.choose_default_file().name == "int8.tflite"
    assert folder.file("int8.tflite").stat().st_size <= 120_000


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("folder", FOLDERS, ids=SHIPPED_MODELS)
def test_the_drawn_images_are_answered_as_recorded(folder, name):
    classifier = Classifier.load(folder.file(name))
    recorded = json.loads(folder.file("golden/answers.json").read_text())[name]
    assert len(recorded["golden"]) >= 16
    labels = set()
    for entry in recorded["golden"]:
        golden = GoldenImage(
            **{
                **entry,
                "outputs": tuple(entry["outputs"]),
                "faces": tuple(map(tuple, entry["faces"])),
            }
        )
        image = folder.file(golden.file).read_bytes()
        found = check_golden(classifier, golden, image=image, tolerance=recorded["tolerance"])
        assert found.differs is None, golden.file
        labels.add(golden.label)
    assert labels >= LABELS[folder.path.name]


def test_it_is_not_taken_for_a_model_that_was_trained_here(tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    (models / "happy-sad").symlink_to(HAPPY_SAD)
    mine = models / "mine"
    mine.mkdir()
    (mine / "spec.json").write_bytes((HAPPY_SAD / "spec.json").read_bytes())
    assert find_newest_folder(models) == ModelFolder(mine)


@pytest.mark.slow
def test_int8_is_right_on_94_of_100_faces(data_dir):
    """FER2013's true pixels, happy against sad, its own test split."""
    classifier = Classifier.load(HAPPY_SAD / "int8.tflite", faces=FaceRequest(enabled=False))
    fer = data_dir / "fer2013_original"
    test = ingest_folder(fer, options=IngestOptions(classes=("happy", "sad"))).in_split("test")
    right = sum(classifier.predict(fer / sample.path).guess == sample.label for sample in test)
    assert right / len(test) >= 0.935


@pytest.mark.slow
def test_emotions_names_what_most_voters_name(data_dir):
    """The first 600 of FER2013's test images with a majority of FER+'s votes for an emotion."""
    classifier = Classifier.load(
        shipped_folder("emotions").file("int8.tflite"), faces=FaceRequest(enabled=False)
    )
    fer, labels = data_dir / "fer2013_original", classifier.spec.labels
    files = {path.name: path for path in (fer / "test").glob("*/*.png")}
    right = []
    with (fer / "votes.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            votes = {label: int(row[label]) for label in labels}
            most = max(votes, key=votes.__getitem__)
            if row["file"] in files and 2 * votes[most] > sum(votes.values()):
                right.append(classifier.predict(files[row["file"]]).guess == most)
            if len(right) == 600:
                break
    assert np.mean(right) >= 0.8
