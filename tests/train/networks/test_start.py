"""The pretrained model that a training starts from."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import numpy as np
import pytest

from edgeemo.errors import ModelFolderError, TrainingError
from edgeemo.model.folder import shipped_folder, shipped_weights
from edgeemo.model.keras import load_keras
from edgeemo.train import TrainOptions, build, train
from edgeemo.train.networks.start import find_start
from edgeemo.train.options.checks import check_files


def predict(model, images):
    return model.predict(images, verbose=0)


def test_the_shipped_weights_are_small():
    assert shipped_weights().stat().st_size < 1_000_000


@pytest.mark.parametrize("source", ["happy-sad", shipped_folder().path])
def test_the_shipped_model_is_one(source):
    start = find_start(source)
    assert start.labels == ("happy", "neither", "sad")
    assert (start.input_shape, start.arch) == ((48, 48, 1), "edge")


@pytest.mark.parametrize("source", ["emotions", shipped_folder("emotions").path])
def test_the_other_shipped_model_is_none(source):
    with pytest.raises(TrainingError, match="is shipped without its reference model"):
        find_start(source)


def test_a_folder_says_its_labels_and_its_shape(trained):
    for source in (trained.path, trained.file("model.keras")):
        start = find_start(source)
        assert (start.labels, start.input_shape) == (("happy", "sad"), (32, 32, 1))
        assert start.arch == "cnn-16-32-16"


def test_a_file_alone_says_its_shape(trained, tmp_path):
    (tmp_path / "other.keras").write_bytes(trained.file("model.keras").read_bytes())
    start = find_start(tmp_path / "other.keras")
    assert (start.labels, start.input_shape) == (None, (32, 32, 1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 48}, "its images are 32x32, not 48x48; give --size 32"),
        ({"channels": 3}, "its images have 1 channel, not 3; give --channels 1"),
        ({"arch": "edge"}, "its network is cnn-16-32-16, not edge; give --arch cnn-16-32-16"),
    ],
)
def test_another_shape_is_refused_before_any_slow_work(trained, changes, message):
    options = TrainOptions(arch="cnn-16-32-16", size=32, channels=1, from_=trained.path)
    check_files(options)
    with pytest.raises(TrainingError, match=message) as caught:
        check_files(replace(options, **changes))
    assert "\n" not in str(caught.value)


def test_damaged_ones_are_one_line(trained, tmp_path):
    whole = trained.file("model.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[:1000])
    with pytest.raises(TrainingError, match=r"cut\.keras: not a \.keras file"):
        check_files(TrainOptions(arch="cnn-16-32-16", from_=tmp_path / "cut.keras"))
    with pytest.raises(ModelFolderError, match=r"model\.keras is missing"):
        check_files(TrainOptions(arch="cnn-16-32-16", from_=tmp_path))


@pytest.mark.tensorflow
def test_a_file_with_damaged_weights_is_one_line(trained, tmp_path):
    broken = tmp_path / "broken.keras"
    with zipfile.ZipFile(trained.file("model.keras")) as old, zipfile.ZipFile(broken, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"\0" * 99 if name.endswith(".h5") else old.read(name))
    with pytest.raises(TrainingError, match=r"broken\.keras: not a Keras model") as caught:
        build("cnn-16-32-16", input_shape=(32, 32, 1), classes=2, weights=broken)
    assert "\n" not in str(caught.value)


@pytest.mark.tensorflow
def test_happy_sad_is_taken_to_the_bit_with_the_classes_that_it_knows():
    images = np.random.default_rng(0).random((8, 48, 48, 1), np.float32)
    happy, neither, sad = predict(load_keras(shipped_weights()), images).T
    given = {"input_shape": (48, 48, 1), "weights": "happy-sad"}
    two = build("edge", classes=2, labels=("happy", "sad"), **given)
    np.testing.assert_allclose(predict(two, images)[:, 0], sad / (happy + sad), atol=1e-6)
    three = build("edge", classes=3, labels=("sad", "happy", "neither"), **given)
    np.testing.assert_allclose(
        predict(three, images), np.stack([sad, happy, neither], 1), atol=1e-6
    )
    assert [each.path for each in two.weights][-2:] == ["prob/kernel", "prob/bias"]


@pytest.mark.tensorflow
@pytest.mark.parametrize("labels", [("angry", "happy"), ()])
def test_other_classes_get_a_new_last_layer(labels):
    built = [
        build("edge", input_shape=(48, 48, 1), classes=2, weights="happy-sad", labels=labels)
        for _ in range(2)
    ]
    one, other = (model.get_layer("prob").get_weights()[0] for model in built)
    assert not np.array_equal(one, other)
    body = [model.get_layer("s4b1_conv_1").get_weights()[0] for model in built]
    assert np.array_equal(*body)


@pytest.mark.tensorflow
def test_two_classes_of_two_keep_the_last_layer(trained):
    given = {"input_shape": (32, 32, 1), "classes": 2, "weights": trained.path}
    images = np.random.default_rng(0).random((8, 32, 32, 1), np.float32)
    theirs = predict(load_keras(trained.file("model.keras")), images)
    same, swapped = (
        predict(build("cnn-16-32-16", labels=labels, **given), images)
        for labels in (("happy", "sad"), ("sad", "happy"))
    )
    np.testing.assert_allclose(same, theirs, atol=1e-6)
    np.testing.assert_allclose(swapped, 1 - theirs, atol=1e-6)


@pytest.mark.tensorflow
def test_a_training_starts_from_a_folder_and_records_it(images, trained, options, tmp_path):
    begun = replace(options, from_=trained.path, frozen_epochs=1, lr=1e-6)
    model = train(images, tmp_path / "next", options=begun)
    assert model.folder.read_json("training.json")["from"] == str(trained.path)
    assert f'from = "{trained.path}"' in model.folder.file("config.toml").read_text()
    ours, theirs = (
        load_keras(folder.file("model.keras")).get_layer("conv_1").get_weights()[0]
        for folder in (model.folder, trained)
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
