from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeemo.errors import ModelFolderError, TrainingError
from edgeemo.model.keras import import_keras, load_keras
from edgeemo.model.spec import ModelSpec
from edgeemo.train import resume, train
from edgeemo.train.data.pipeline import TrainingData
from edgeemo.train.loop.checkpoint import Checkpoint
from edgeemo.train.loop.distillation import make_distillation_loss, make_student
from edgeemo.train.loop.fit import fit
from edgeemo.train.loop.teachers import (
    Teacher,
    check_teacher_outputs,
    check_teachers,
    load_teachers,
)
from edgeemo.train.networks.architectures import build
from edgeemo.utils.files import sha256_file

pytestmark = pytest.mark.tensorflow

TWO = ModelSpec(labels=("happy", "sad"), height=32, width=32, channels=1)
THREE = ModelSpec(labels=("a", "b", "c"), height=32, width=32, channels=1, activation="softmax")
IMAGES = np.random.default_rng(0).random((4, 32, 32, 1), np.float32)
OF_TWO = np.array([[0.9], [0.2], [0.6], [0.3]], np.float32)
OF_THREE = np.array(
    [[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]], np.float32
)


def model(classes=2, seed=0, arch="edge-c4d"):
    import_keras().utils.set_random_seed(seed)
    made = build(arch, input_shape=(32, 32, 1), classes=classes)
    head = made.get_layer("prob")  # answers that differ
    head.set_weights([each * 5 + 0.1 for each in head.get_weights()])
    return made


def teacher(classes=2, seed=0, **said):
    made = {"path": Path("large"), "sha256": "", "labels": None, "model": model(classes, seed)}
    return Teacher(**(made | said))


def full(answers):
    """A probability for every class."""
    return np.hstack([1 - answers, answers]) if answers.shape[1] == 1 else answers


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
@pytest.mark.parametrize(("spec", "answers"), [(TWO, OF_TWO), (THREE, OF_THREE)])
def test_the_lesson_is_the_cross_entropy_with_the_mean_answer(spec, answers, temperature):
    teachers = [teacher(len(spec.labels), seed) for seed in (1, 2)]
    counts = np.array([1.0, 0.5, 2.0, 0.0], np.float32)

    def softened(probabilities):
        raised = full(probabilities).astype(float) ** (1 / temperature)
        return raised / raised.sum(axis=1, keepdims=True)

    taught = [each.model.predict(IMAGES, verbose=0) for each in teachers]
    assert not np.allclose(taught[0], taught[1], atol=0.01)
    entropy = -(softened(np.mean(taught, axis=0)) * np.log(softened(answers))).sum(axis=1)
    told = make_distillation_loss(teachers, temperature=temperature, spec=spec)
    expected = temperature**2 * entropy
    assert float(told(IMAGES, answers, None)) == pytest.approx(expected.mean(), rel=1e-4)
    weighed = float(told(IMAGES, answers, counts))
    assert weighed == pytest.approx((expected * counts).mean(), rel=1e-4)


def test_labels_and_teachers_share_the_training_loss_and_validation_is_of_the_labels(options):
    keras = import_keras()
    teachers, criterion = [teacher(seed=1)], keras.losses.BinaryCrossentropy()
    asked = replace(options, teacher_weight=0.3)
    learner = make_student(model(), options=asked, spec=TWO, ema=None, teachers=teachers)
    learner.compile(loss=criterion)
    truth = np.array([[1.0], [0.0], [0.0], [1.0]], np.float32)
    told = float(make_distillation_loss(teachers, temperature=1, spec=TWO)(IMAGES, OF_TWO, None))
    label = float(criterion(truth, OF_TWO))
    assert told != pytest.approx(label, rel=0.01)
    found = float(learner.compute_loss(IMAGES, truth, OF_TWO, None, training=True))
    assert found == pytest.approx(0.7 * label + 0.3 * told, rel=1e-5)
    found = float(learner.compute_loss(IMAGES, truth, OF_TWO, None, training=False))
    assert found == pytest.approx(label, rel=1e-5)


def test_a_step_changes_the_network_alone(noise, options, tmp_path):
    path = tmp_path / "teacher.keras"
    model(seed=1).save(path)
    asked = replace(options, teacher=(path,))
    (loaded,) = load_teachers(asked)
    before = [each.copy() for each in loaded.model.get_weights()]
    network = model()
    layers = [layer.name for layer in network.layers]
    data = TrainingData(train=noise(16, 1), validation=noise(8, 2), spec=TWO)
    trained, _ = fit(lambda: network, data, options=asked, teachers=[loaded])
    assert [layer.name for layer in trained.layers] == layers
    for after, was in zip(loaded.model.get_weights(), before, strict=True):
        assert np.array_equal(after, was)


def test_with_all_its_weight_the_teacher_is_what_is_learnt(noise, options, tmp_path):
    """Labels the wrong way round teach nothing where the teacher alone counts."""
    right, test = noise(96, 1), noise(64, 3)
    images = test.rows * np.float32(1 / 255)

    def learnt(pixels, **more):
        import_keras().utils.set_random_seed(4)
        fresh = build("cnn-16-32-16", input_shape=(32, 32, 1), classes=2)
        asked = replace(options, epochs=5, **more)
        data = TrainingData(train=pixels, validation=noise(0, 2), spec=TWO)
        made, _ = fit(lambda: fresh, data, options=asked)
        answers = made.predict(images, verbose=0)[:, 0] >= 0.5
        return made, np.mean(answers == test.truth)

    good, accuracy = learnt(right)
    assert accuracy > 0.95
    path = tmp_path / "good.keras"
    good.save(path)
    wrong = replace(right, truth=1 - right.truth)
    assert learnt(wrong)[1] < 0.05
    assert learnt(wrong, teacher=(path,), teacher_weight=1.0)[1] > 0.95


@pytest.mark.parametrize(
    ("said", "spec", "message"),
    [
        ({"labels": ("sad", "happy")}, TWO, "a teacher of sad, happy, where the network learns"),
        ({"classes": 3}, TWO, r"outputs of shape \(3,\), where the network has \(1,\)"),
        ({}, THREE, r"outputs of shape \(1,\), where the network has \(3,\)"),
    ],
)
def test_a_teacher_of_other_classes_is_one_clear_line(said, spec, message):
    with pytest.raises(TrainingError, match=message) as caught:
        check_teachers([teacher(**said)], spec)
    assert str(caught.value).startswith("large: ")
    assert "\n" not in str(caught.value)


def test_a_teacher_of_logits_is_one_clear_line(noise):
    keras = import_keras()
    logits = model()
    logits.get_layer("prob").activation = keras.activations.linear
    with pytest.raises(TrainingError, match=r"large: .*not probabilities"):
        check_teacher_outputs([teacher(model=logits)], noise(8, 1), TWO)


def test_a_teacher_of_another_size_or_that_is_none_is_one_clear_line(options, tmp_path):
    path = tmp_path / "teacher.keras"
    model().save(path)
    with pytest.raises(TrainingError, match=r"shape \(32, 32, 1\), where the network takes \(48, "):
        load_teachers(replace(options, size=48, teacher=(path,)))
    path.write_bytes(b"nothing")
    with pytest.raises(ModelFolderError, match=r"teacher\.keras: "):
        load_teachers(replace(options, teacher=(path,)))
    with pytest.raises(ModelFolderError, match="is missing"):
        load_teachers(replace(options, teacher=(tmp_path,)))


@pytest.fixture(scope="module")
def taught(images, trained, options, tmp_path_factory):
    """A model folder that all three options made, with two teachers."""
    place = tmp_path_factory.mktemp("taught")
    file = place / "second.keras"
    model(seed=1).save(file)
    asked = replace(
        options, teacher=(trained.path, file), teacher_temperature=2.0, ema=0.9, mixup=0.2
    )
    return train(images, place / "model", options=asked).folder, asked


def _without_id(node):
    """A node of a Keras configuration without the address that its object had in memory."""
    return {key: value for key, value in node.items() if key != "shared_object_id"}


def test_the_model_file_is_the_plain_network_and_the_folder_says_who_taught_it(taught, trained):
    folder, asked = taught
    said = folder.read_json("training.json")
    assert said["teacher"] == [str(path) for path in asked.teacher]
    files = (trained.file("model.keras"), asked.teacher[1])
    assert said["teacher_sha256"] == [sha256_file(path) for path in files]
    assert f'"{asked.teacher[1]}"' in folder.file("config.toml").read_text()
    with (
        zipfile.ZipFile(folder.file("model.keras")) as ours,
        zipfile.ZipFile(trained.file("model.keras")) as plain,
    ):
        first, second = (
            json.loads(file.read("config.json"), object_hook=_without_id) for file in (ours, plain)
        )
        assert first == second
    assert len(load_keras(folder.file("model.keras")).weights) == len(
        load_keras(trained.file("model.keras")).weights
    )


def test_going_on_with_a_changed_or_missing_teacher_is_refused(images, options, tmp_path, stopper):
    file = tmp_path / "teacher.keras"
    model(seed=1).save(file)
    asked = replace(options, teacher=(file,))
    with pytest.raises(KeyboardInterrupt):
        train(
            images,
            tmp_path / "model",
            options=asked,
            progress=stopper("Predicting the test images", 1),
        )
    kept = tmp_path / "kept.keras"
    file.rename(kept)
    with pytest.raises(TrainingError, match=r"teacher\.keras: no such model"):
        resume(tmp_path / "model")
    model(seed=2).save(file)
    with pytest.raises(TrainingError, match=r"teacher\.keras changed since the training started"):
        resume(tmp_path / "model")
    assert Checkpoint(tmp_path / "model").exists
    shutil.copy(kept, file)
    assert resume(tmp_path / "model").folder.file("model.keras").exists()


def test_workers_named_on_resuming_are_refused_and_lose_nothing(images, options, tmp_path, stopper):
    with pytest.raises(KeyboardInterrupt):
        train(
            images,
            tmp_path / "model",
            options=replace(options, minutes=9),
            progress=stopper("Predicting the test images", 1),
        )
    with pytest.raises(TrainingError, match="--workers 2 excludes --minutes"):
        resume(tmp_path / "model", requested={"workers": 2})
    assert Checkpoint(tmp_path / "model").exists
