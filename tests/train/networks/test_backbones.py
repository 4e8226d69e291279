from __future__ import annotations

import urllib.request

import numpy as np
import pytest

from edgeemo.errors import TrainingError
from edgeemo.model.keras import import_keras
from edgeemo.train.networks.architectures import build, get_architecture, set_frozen
from edgeemo.train.networks.backbones import BACKBONES, PREPROCESSING

SMALL = ("mobilenet-v3-small", "mobilenet-v2")
"""The others are the same code on larger tables; one look at their preprocessing each is enough."""

SHAPE = (32, 32, 3)


def _keras_own(name):
    return getattr(import_keras().applications, name).preprocess_input


def _pixels(channels=3):
    return np.random.default_rng(1).integers(0, 256, (4, 32, 32, channels)).astype(np.float32)


@pytest.fixture(scope="module")
def shaken():
    """Function (name): the source of a backbone with every weight drawn, statistics included."""

    def shake(name):
        source = BACKBONES[name].build_application(SHAPE)
        drawn = np.random.default_rng(2)
        for weight in source.weights:
            if "float" in weight.dtype:
                weight.assign(drawn.uniform(0.05, 0.3, weight.shape).astype(np.float32))
        return source

    return shake


@pytest.fixture(scope="module")
def published(shaken, tmp_path_factory):
    """Function (name): a source, and its weights in a file as keras.applications publishes them."""
    folder, made = tmp_path_factory.mktemp("published"), {}

    def save(name):
        if name not in made:
            source = shaken(name)
            source.save_weights(folder / f"{name}.weights.h5")
            made[name] = (source, folder / f"{name}.weights.h5")
        return made[name]

    return save


@pytest.mark.parametrize("name", BACKBONES)
def test_what_every_architecture_says_of_itself(name):
    network = get_architecture(name)
    assert (network.size, network.min_side, network.is_backbone) == (96, 32, True)
    assert not get_architecture("cnn-bn-64").is_backbone


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("name", "preprocess"),
    [
        ("mobilenet-v3-small", lambda pixels: pixels / 127.5 - 1),
        ("mobilenet-v2", lambda pixels: pixels / 127.5 - 1),
        (
            "efficientnet-b0",
            lambda pixels: (pixels / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225),
        ),
        ("resnet50", None),
        ("vgg16", None),
    ],
)
def test_preprocessing_is_the_applications_own(name, preprocess):
    pixels = _pixels()
    preprocess = preprocess or _keras_own(name)
    kernel, bias = BACKBONES[name].preprocessing.weights(3)
    ours = (pixels / np.float32(255)) @ kernel[0, 0] + bias
    assert np.allclose(ours, preprocess(pixels.copy()), atol=1e-6 * np.abs(ours).max())


@pytest.mark.parametrize("name", ["mobilenet-v2", "vgg16"])
def test_grey_is_three_equal_channels(name):
    grey = _pixels(1)
    (kernel, bias), (three, _) = (BACKBONES[name].preprocessing.weights(n) for n in (1, 3))
    assert np.array_equal(grey @ kernel[0, 0] + bias, np.repeat(grey, 3, 3) @ three[0, 0] + bias)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", SMALL)
def test_features_are_the_applications_own(name, published):
    source, file = published(name)
    model = build(name, input_shape=SHAPE, classes=2, weights=file)
    pixels = _pixels()
    theirs = np.asarray(source(pixels / 127.5 - 1, training=False)).mean((1, 2))
    features = import_keras().Model(model.input, model.get_layer("pool").output)
    ours = np.asarray(features(pixels / 255, training=False))
    assert np.abs(theirs).max() > 0.01
    assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-5 * np.abs(theirs).max())


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", SMALL)
def test_every_tensor_of_a_weights_file_arrives(name, published):
    source, file = published(name)
    model = build(name, input_shape=(32, 32, 1), classes=3, weights=file)
    theirs = [weight for layer in source.layers for weight in layer.get_weights()]
    ours = [
        weight
        for layer in model.layers
        if layer.name not in (PREPROCESSING, "prob")
        for weight in layer.get_weights()
    ]
    assert len(ours) == len(theirs) > 50
    assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.tensorflow
def test_weights_of_a_model_with_another_head_and_colour(tmp_path):
    grey = build("mobilenet-v2", input_shape=(32, 32, 1), classes=7)
    grey.save(tmp_path / "seven.keras")
    model = build("mobilenet-v2", input_shape=SHAPE, classes=2, weights=tmp_path / "seven.keras")
    assert model.output_shape == (None, 1)
    for name in ("Conv1", "block_3_depthwise", "Conv_1_bn"):
        for ours, theirs in zip(
            model.get_layer(name).get_weights(), grey.get_layer(name).get_weights(), strict=True
        ):
            assert np.array_equal(ours, theirs)


@pytest.mark.tensorflow
def test_a_tutorial_network_starts_from_a_whole_model(tmp_path):
    old = build("cnn-bn-64", input_shape=(32, 32, 1), classes=3)
    old.save(tmp_path / "old.keras")
    new = build(
        "cnn-bn-64", input_shape=(32, 32, 1), classes=2, weights=str(tmp_path / "old.keras")
    )
    kernels = [model.get_layer("dense").get_weights()[0] for model in (old, new)]
    assert np.array_equal(*kernels)
    with pytest.raises(TrainingError, match=r"'dense' expected 768x128 .*, found 512x128"):
        build("cnn-bn-64", input_shape=(40, 32, 1), classes=2, weights=tmp_path / "old.keras")
    with pytest.raises(TrainingError, match=r"old\.keras: not a model of mobilenet-v2 .* no such"):
        build("mobilenet-v2", input_shape=SHAPE, classes=2, weights=tmp_path / "old.keras")


@pytest.mark.tensorflow
def test_the_published_form_of_file_loads(shaken, tmp_path):
    """keras.applications' own files are of the older ``.h5`` form, by the order of layers."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    source = shaken("vgg16")
    with h5py.File(tmp_path / "vgg16_notop.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, source)
    model = build("vgg16", input_shape=SHAPE, classes=2, weights=tmp_path / "vgg16_notop.h5")
    for layer in source.layers:
        for ours, theirs in zip(
            model.get_layer(layer.name).get_weights() if layer.weights else [],
            layer.get_weights(),
            strict=True,
        ):
            assert np.array_equal(ours, theirs)


@pytest.mark.tensorflow
def test_a_file_of_another_architecture_is_one_line(published):
    _, file = published("mobilenet-v3-small")
    with pytest.raises(
        TrainingError,
        match=r"small\.weights\.h5: not the weights of mobilenet-v2 without its head: "
        r"expected 260 tensors of 2,257,984 numbers, found 206 tensors of 939,120 numbers",
    ) as caught:
        build("mobilenet-v2", input_shape=SHAPE, classes=2, weights=file)
    assert "\n" not in str(caught.value)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("arch", "weights", "message"),
    [
        ("mobilenet-v2", "missing.h5", "missing.h5: no such weights file"),
        ("mobilenet-v2", "weights.npz", "end in .keras or .h5|ends in .keras or .h5"),
        ("cnn-16-32-16", "imagenet", "has no ImageNet weights"),
        ("cnn-16-32-16", "old.h5", "ends in .keras, happy-sad, imagenet or none"),
    ],
)
def test_weights_that_cannot_be(arch, weights, message):
    with pytest.raises(TrainingError, match=message):
        build(arch, input_shape=SHAPE, classes=2, weights=weights)


@pytest.mark.tensorflow
def test_a_damaged_file_is_one_line(tmp_path):
    (tmp_path / "cut.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(TrainingError, match=r"cut\.h5: not a file of Keras weights"):
        build("vgg16", input_shape=SHAPE, classes=2, weights=tmp_path / "cut.h5")


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", BACKBONES)
def test_without_internet_it_says_how_to_fetch(name, tmp_path, monkeypatch):
    """A closed port of this machine stands for the missing network."""
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)  # it remembers the proxies
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(TrainingError) as caught:
        build(name, input_shape=(96, 96, 3), classes=2, weights="imagenet")
    text = str(caught.value)
    assert "\n" not in text
    assert "fetch https://storage.googleapis.com/" in text
    assert BACKBONES[name].weights_filename((96, 96, 3)) in text
    assert f"put it into {tmp_path / 'models'}, or name the file with --from FILE" in text


def test_the_published_file_depends_on_the_size_for_one_backbone_alone():
    network = BACKBONES["mobilenet-v2"]
    assert network.weights_filename((96, 96, 3)).endswith("_1.0_96_no_top.h5")
    assert network.weights_filename((100, 100, 3)).endswith("_1.0_224_no_top.h5")
    assert BACKBONES["vgg16"].weights_filename((96, 96, 3)) == BACKBONES["vgg16"].weights_filename(
        (64, 64, 3)
    )


@pytest.mark.tensorflow
def test_two_built_in_one_process_have_the_same_names():
    name = "mobilenet-v3-small"  # whose activations Keras numbers
    first, second = (build(name, input_shape=SHAPE, classes=2) for _ in range(2))
    assert first.get_config() == second.get_config()
    assert [one.path for one in first.weights] == [other.path for other in second.weights]
    assert (first.inputs[0].name, first.layers[-1].name) == ("image", "prob")
    keras = import_keras()
    assert not any(isinstance(layer, keras.Model) for layer in first.layers)


@pytest.mark.tensorflow
def test_freezing():
    model = build("mobilenet-v2", input_shape=SHAPE, classes=2)
    keras = import_keras()
    norms = [each for each in model.layers if isinstance(each, keras.layers.BatchNormalization)]
    assert all(each.trainable and each.momentum == 0.99 for each in norms)  # from scratch
    set_frozen(model, frozen=True, pretrained=True)
    assert [weight.path for weight in model.trainable_weights] == ["prob/kernel", "prob/bias"]
    set_frozen(model, frozen=False, pretrained=True)
    assert not any(each.trainable for each in norms)
    assert model.get_layer("Conv1").trainable
    assert not model.get_layer(PREPROCESSING).trainable
    set_frozen(model, frozen=False, pretrained=False)
    assert all(each.trainable for each in norms)
    assert not model.get_layer(PREPROCESSING).trainable


@pytest.mark.tensorflow
def test_fine_tuning_leaves_the_statistics_and_the_preprocessing_alone(published):
    _, file = published("mobilenet-v2")
    model = build("mobilenet-v2", input_shape=SHAPE, classes=2, weights=file)
    before = model.get_weights()
    model.compile(optimizer="sgd", loss="binary_crossentropy", jit_compile=False)
    model.fit(_pixels() / 255, np.array([[0.0], [0], [0], [1]]), verbose=0)
    changed = {
        weight.path.partition("/")[2]
        for weight, old, new in zip(model.weights, before, model.get_weights(), strict=True)
        if not np.array_equal(old, new)
    }
    assert "bias" in changed  # of the head, whose layer's name is before the "/"
    assert not changed & {"gamma", "beta", "moving_mean", "moving_variance"}
    kept = model.get_layer(PREPROCESSING).get_weights()
    wanted = BACKBONES["mobilenet-v2"].preprocessing.weights(3)
    assert all(np.array_equal(old, new) for old, new in zip(kept, wanted, strict=True))


@pytest.mark.parametrize("name", BACKBONES)
def test_too_small_an_image_is_refused(name):
    with pytest.raises(TrainingError, match="at least 32 pixels, not 31"):
        build(name, input_shape=(32, 31, 3), classes=2)
