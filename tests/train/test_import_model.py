from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from edgeemo.errors import DatasetError, ModelFolderError, TrainingError
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.face_settings import Detector, FaceSettings
from edgeemo.model.keras import find_reference_model, hash_reference_model, import_keras
from edgeemo.model.keras_engine import KerasEngine
from edgeemo.model.scaling import PRESETS
from edgeemo.train import ImportOptions, import_keras_model
from edgeemo.utils.progress import Silent
from edgeemo.utils.redirect import drop_output

pytestmark = pytest.mark.tensorflow

SHAPE = (24, 32, 1)
PLAIN = ImportOptions(labels=("happy", "sad"), scale=1 / 255)


def small(outputs=1, activation="sigmoid", *, shape=SHAPE, batch=None, extra=()):
    """A student's network with drawn weights."""
    keras = import_keras()
    keras.utils.set_random_seed(1)
    inputs = keras.Input(batch_shape=(batch, *shape))
    values = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    for layer in extra:
        values = layer(values)
    values = keras.layers.GlobalAveragePooling2D()(values)
    return keras.Model(inputs, keras.layers.Dense(outputs, activation=activation)(values))


def save(model, path):
    with drop_output():
        model.export(str(path)) if path.suffix == "" else model.save(path)
    return path


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("mine.keras", "model.keras"),
        ("mine.h5", "model.h5"),
        ("mine", "model.savedmodel"),
    ],
)
def test_a_model_is_copied_verbatim_and_answers_with_its_own_scaling(
    images, tmp_path, name, inside
):
    model = small()
    source = save(model, tmp_path / name)
    folder = import_keras_model(
        source,
        tmp_path / "out",
        data=images,
        options=ImportOptions(labels=("sad", "happy"), scale=1 / 127.5, offset=-1.0),
    )
    assert find_reference_model(folder).name == inside
    assert hash_reference_model(find_reference_model(folder)) == hash_reference_model(source)
    spec, said = folder.read_spec(), folder.read_json("training.json")
    assert (spec.labels, spec.input_shape) == (("sad", "happy"), SHAPE)
    assert spec.provenance.source_sha256 == hash_reference_model(source)
    assert (said["arch"], said["scale"], said["offset"]) == ("imported", 1 / 127.5, -1.0)
    assert "pixel × 0.00784313725 − 1." in folder.file("report.md").read_text()
    for row in folder.read_references():
        pixels = preprocess(images / row.path, spec)
        want = model.predict(pixels[None].astype(np.float32) / 127.5 - 1, verbose=0)[0, 0]
        assert row.scores[1] == pytest.approx(want, abs=1e-5)
        assert KerasEngine(folder).run(pixels) == pytest.approx([want], abs=1e-5)


def test_a_model_of_face_crops_finds_the_faces_in_photos(images, tmp_path):
    source = save(small(), tmp_path / "mine.keras")
    faces = FaceSettings(detector=Detector.BLAZE, cropped=True, min_score=0.7)
    folder = import_keras_model(
        source, tmp_path / "out", data=images, options=replace(PLAIN, faces=faces)
    )
    spec = folder.read_spec()
    assert spec.faces == faces
    assert spec.for_photos().crops_faces
    assert folder.read_references()  # of images without a face: crops are taken whole


def test_the_folder_is_complete_but_for_a_training(images, tmp_path):
    source = save(small(2, "softmax", shape=(32, 32, 3)), tmp_path / "mine.keras")
    folder = import_keras_model(source, tmp_path / "out", data=images, options=PLAIN)
    found = {path.name for path in folder.path.iterdir()}
    assert found == {
        "model.keras",
        "spec.json",
        "training.json",
        "split.csv",
        "rejected.csv",
        "reference.csv",
        "report.json",
        "report.md",
        "report.html",
        "plots",
    }
    assert folder.read_spec().activation == "softmax"
    html = folder.file("report.html").read_text()
    assert "The model was imported." in html
    assert "All options" not in html
    assert not (folder.path / "plots" / "curves.png").exists()
    page = folder.file("report.md").read_text()
    assert "The model was imported" in page
    assert "was trained on is unknown" in page


@pytest.mark.parametrize(("batch", "scale"), [(1, 1.0), (4, 1 / 255)])
def test_a_fixed_batch_size_is_no_obstacle(images, tmp_path, batch, scale):
    source = save(small(batch=batch), tmp_path / "mine.keras")
    folder = import_keras_model(
        source, tmp_path / "out", data=images, options=replace(PLAIN, scale=scale)
    )
    assert len(folder.read_references()) > 0


def refused(error, match, source, images, tmp_path, labels=("happy", "sad"), **options):
    out = tmp_path / "out"
    options = replace(PLAIN, labels=labels, **options)
    with pytest.raises(error, match=match) as caught:
        import_keras_model(source, out, data=images, options=options)
    assert "\n" not in str(caught.value)
    assert not out.exists()
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize(("outputs", "wanted"), [(1, "sigmoid"), (2, "softmax")])
def test_logits_are_refused(images, tmp_path, outputs, wanted):
    model = small(outputs, None)
    *_, bias = model.weights
    bias.assign(np.full(outputs, 3.0))
    source = save(model, tmp_path / "mine.keras")
    refused(TrainingError, f"end the model with a {wanted}", source, images, tmp_path)


def test_several_independent_sigmoids_are_refused(images, tmp_path):
    source = save(small(2, "sigmoid"), tmp_path / "mine.keras")
    refused(TrainingError, "a sigmoid of each of 2 outputs", source, images, tmp_path)


@pytest.mark.parametrize(
    ("outputs", "activation", "message"),
    [
        (1, "tanh", r"is tanh \(layer '\w+'\), which gives no probability; give --head logit if"),
        (1, "relu", "is ReLU .*, which gives no probability; end the model with a sigmoid"),
        (2, "relu", "is ReLU .*; give --head logit if it is the logit of a softmax"),
        (1, "softmax", "a softmax over one output, which is always 1"),
    ],
)
def test_a_head_that_is_no_probability_is_refused(images, tmp_path, outputs, activation, message):
    source = save(small(outputs, activation), tmp_path / "mine.keras")
    refused(TrainingError, message, source, images, tmp_path)


@pytest.mark.parametrize(
    ("activation", "message"),
    [("sigmoid", "probabilities already"), ("relu", "never below 0: .* every image would get")],
)
def test_what_is_no_logit_gets_no_sigmoid(images, tmp_path, activation, message):
    source = save(small(1, activation), tmp_path / "mine.keras")
    refused(TrainingError, f"--head logit, but .*{message}", source, images, tmp_path, head="logit")


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_logit_gets_its_sigmoid_or_softmax(images, tmp_path, outputs):
    model = small(outputs, None)
    folder = import_keras_model(
        save(model, tmp_path / "mine.keras"),
        tmp_path / "out",
        data=images,
        options=replace(PLAIN, head="logit"),
    )
    assert folder.read_json("training.json")["head"] == "logit"
    assert "It gives logits." in folder.file("report.md").read_text()
    for row in folder.read_references():
        pixels = preprocess(images / row.path, folder.read_spec())
        logits = model.predict(pixels[None].astype(np.float32) / 255, verbose=0)[0]
        logits = np.append(0, logits) if outputs == 1 else logits
        assert row.scores == pytest.approx(np.exp(logits) / np.exp(logits).sum(), abs=1e-5)


def test_grey_images_have_one_number(images, tmp_path):
    source = save(small(), tmp_path / "mine.keras")
    message = "takes grey images, which have one channel"
    refused(TrainingError, message, source, images, tmp_path, bgr=True)
    refused(TrainingError, message, source, images, tmp_path, scale=(1.0, 1.0, 1.0))


def test_labels_without_images_are_said(images, tmp_path):
    notes = []

    class Notes(Silent):
        def note(self, text):
            notes.append(text)

    labels = ("angry", "sad", "fear", "happy", "calm")
    folder = import_keras_model(
        save(small(5, "softmax"), tmp_path / "mine.keras"),
        tmp_path / "out",
        data=images,
        options=replace(PLAIN, labels=labels),
        progress=Notes(),
    )
    missing = "no image of angry, fear, calm; accuracy is that on images of sad, happy"
    assert [text for text in notes if missing in text]
    assert folder.read_spec().labels == labels
    assert {row.label for row in folder.read_references()} == {"happy", "sad"}
    report = folder.read_json("report.json")["test"]
    assert report["n"] == len(folder.read_references())


def _tell_brightness(keras, flip):
    """A model of images in [-1, 1] that tells bright from dark ones."""
    inputs = keras.Input(SHAPE)
    mean = keras.layers.GlobalAveragePooling2D()(inputs)
    dense = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Model(inputs, dense(mean))
    dense.set_weights([np.full((1, 1), -20.0 if flip else 20.0), np.zeros(1)])
    return model


@pytest.mark.parametrize(
    ("flip", "scale", "offset", "labels", "scaling"),
    [
        (False, 1 / 127.5, -1.0, None, None),
        (True, 1 / 127.5, -1.0, ("sad", "happy"), None),
        (False, 1 / 255, 0.0, None, "[-1,1]"),
        (True, 1 / 255, 0.0, ("sad", "happy"), "[-1,1]"),
    ],
)
def test_wrong_labels_or_scaling_are_doubted(
    images, tmp_path, flip, scale, offset, labels, scaling
):
    source = save(_tell_brightness(import_keras(), flip), tmp_path / "mine.keras")
    options = replace(PLAIN, scale=scale, offset=offset)
    folder = import_keras_model(source, tmp_path / "out", data=images, options=options)
    doubt = folder.read_training().doubt
    assert (doubt is None) == (labels is None and scaling is None)
    if doubt:
        assert doubt.labels == labels
        assert doubt.scaling == (PRESETS[scaling] if scaling else None)
        assert doubt.accuracy < 0.6 < 0.9 < doubt.better
        assert "in another order" in folder.file("report.md").read_text() or not labels


@pytest.mark.parametrize(("outputs", "labels"), [(1, ("a", "b", "c")), (3, ("happy", "sad"))])
def test_labels_must_match_the_outputs(draw_classes, tmp_path, outputs, labels):
    model = small(outputs, "softmax" if outputs > 1 else "sigmoid")
    source = save(model, tmp_path / "mine.keras")
    data = draw_classes(tmp_path / "images", labels, 4)
    refused(TrainingError, "name one per class", source, data, tmp_path, labels=labels)


@pytest.mark.parametrize("labels", [("happy",), ("happy", "calm")])
def test_labels_must_be_the_class_folders(images, tmp_path, labels):
    source = save(small(), tmp_path / "mine.keras")
    message = "the labels are not the class folders"
    refused(DatasetError, message, source, images, tmp_path, labels=labels)


def test_any_size_is_refused(images, tmp_path):
    source = save(small(shape=(None, None, 3)), tmp_path / "mine.keras")
    refused(TrainingError, "images of any size", source, images, tmp_path)


@pytest.mark.parametrize("shape", [(16, 16, 4), (16, 16, 2)])
def test_odd_channels_are_refused(images, tmp_path, shape):
    source = save(small(shape=shape), tmp_path / "mine.keras")
    refused(TrainingError, "× 1 or 3 is needed", source, images, tmp_path)


def test_integer_pixels_as_input_are_refused(images, tmp_path):
    keras = import_keras()
    inputs = keras.Input(SHAPE, dtype="uint8")
    values = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(values))
    refused(TrainingError, "takes uint8", save(model, tmp_path / "mine.keras"), images, tmp_path)


@pytest.mark.parametrize("kind", ["uint8", "float64"])
def test_a_saved_model_of_other_numbers_is_refused(images, tmp_path, kind):
    import tensorflow as tf

    class Odd(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, *SHAPE), kind)])
        def predict(self, image):
            mean = tf.reduce_mean(tf.cast(image, tf.float32), (1, 2))
            return {"out": tf.sigmoid(mean)}

    odd, source = Odd(), tmp_path / "odd"
    tf.saved_model.save(odd, str(source), signatures={"serving_default": odd.predict})
    message = rf"odd: it takes {kind}; save it with a float32 input"
    refused(ModelFolderError, message, source, images, tmp_path)


def test_channels_first_are_refused(images, tmp_path):
    keras = import_keras()
    inputs = keras.Input((3, 16, 16))
    output = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Flatten()(inputs))
    source = save(keras.Model(inputs, output), tmp_path / "mine.keras")
    refused(TrainingError, "takes 3×16×16, channels first", source, images, tmp_path)


def test_several_inputs_or_outputs_are_refused(images, tmp_path):
    keras = import_keras()
    one, other = keras.Input(SHAPE), keras.Input(SHAPE)
    flat = keras.layers.Flatten()
    answer = keras.layers.Dense(1, activation="sigmoid")
    both = keras.Model([one, other], answer(flat(keras.layers.Add()([one, other]))))
    source = save(both, tmp_path / "mine.keras")
    refused(TrainingError, "2 inputs; exactly one", source, images, tmp_path)
    twice = keras.Model(one, [answer(flat(one)), keras.layers.Dense(2)(flat(one))])
    source = save(twice, tmp_path / "mine.keras")
    refused(TrainingError, "2 outputs; exactly one", source, images, tmp_path)
    source = save(twice, tmp_path / "mine")
    refused(ModelFolderError, "1 inputs and 2 outputs", source, images, tmp_path)


def test_a_map_of_probabilities_is_refused(images, tmp_path):
    keras = import_keras()
    inputs = keras.Input(SHAPE)
    model = keras.Model(inputs, keras.layers.Conv2D(1, 3, activation="sigmoid")(inputs))
    source = save(model, tmp_path / "mine.keras")
    refused(TrainingError, "gives 22×30×1", source, images, tmp_path)


def test_code_in_a_file_is_refused(images, tmp_path):
    keras = import_keras()
    source = save(
        small(extra=[keras.layers.Lambda(lambda values: values * 2)]), tmp_path / "mine.keras"
    )
    refused(ModelFolderError, "Lambda layer", source, images, tmp_path)


def test_a_layer_of_ones_own_is_named(images, tmp_path):
    keras = import_keras()

    class Mine(keras.layers.Layer):
        def call(self, values):
            return values

    source = save(small(extra=[Mine()]), tmp_path / "mine.keras")
    refused(ModelFolderError, "its layer Mine is not one of Keras", source, images, tmp_path)


def test_what_is_no_model_is_refused(images, tmp_path):
    for name, content, match in (
        ("notes.txt", b"hello", "not a .keras or .h5"),
        ("mine.keras", b"hello", "not a .keras file"),
        ("mine.h5", b"hello", "not a Keras model that loads"),
    ):
        (tmp_path / name).write_bytes(content)
        refused(ModelFolderError, match, tmp_path / name, images, tmp_path)
    (tmp_path / "empty").mkdir()
    refused(ModelFolderError, "not a SavedModel", tmp_path / "empty", images, tmp_path)
    refused(ModelFolderError, "no such model", tmp_path / "none.keras", images, tmp_path)


@pytest.mark.parametrize("name", ["MINE.KERAS", "mine", "mine.h5"])
def test_a_keras_file_is_told_by_its_content(images, tmp_path, name):
    source = save(small(), tmp_path / "saved.keras").rename(tmp_path / name)
    folder = import_keras_model(source, tmp_path / "out", data=images, options=PLAIN)
    assert folder.file("model.keras").read_bytes() == source.read_bytes()


def test_weights_alone_and_pointers_are_told(images, tmp_path):
    weights = tmp_path / "mine.weights.h5"
    small().save_weights(weights)
    refused(ModelFolderError, "weights alone, without the network", weights, images, tmp_path)
    pointer = tmp_path / "mine.h5"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    refused(
        ModelFolderError,
        "a Git LFS pointer, not the model: git lfs pull",
        pointer,
        images,
        tmp_path,
    )


@pytest.mark.parametrize(("scale", "offset"), [(0, 0), (float("nan"), 0), (1, float("inf"))])
def test_a_scaling_without_sense_is_refused(images, tmp_path, scale, offset):
    source = tmp_path / "never-read.keras"
    refused(TrainingError, "is not possible", source, images, tmp_path, scale=scale, offset=offset)


def test_an_existing_folder_is_refused_without_force(images, trained, tmp_path):
    source = save(small(), tmp_path / "mine.keras")
    with pytest.raises(ModelFolderError, match="exists already"):
        import_keras_model(source, trained.path, data=images, options=PLAIN)


def test_force_replaces_a_whole_model_folder(images, trained, tmp_path):
    old = tmp_path / "model"
    shutil.copytree(trained.path, old)
    (old / "int8.tflite").write_bytes(b"of the old model")
    source = save(small(), tmp_path / "mine.h5")
    folder = import_keras_model(source, old, data=images, options=PLAIN, replace=True)
    assert find_reference_model(folder).name == "model.h5"
    assert not (old / "int8.tflite").exists()
    assert not (old / "history.csv").exists()
