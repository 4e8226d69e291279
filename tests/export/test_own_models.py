"""One's own Keras models: other files, other scalings, other outputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeemo.errors import EngineError, ExportError, PartialExportError, describe_crash
from edgeemo.export import ExportOptions, convert, export, file_checks
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.keras import load_reference_model
from edgeemo.runtime.classifier import Classifier

pytestmark = pytest.mark.tensorflow

INT8 = ExportOptions(int8=True, calibration_count=20)


@pytest.fixture
def lacking(monkeypatch):
    """ONNX lacks an operator of every network."""

    def refuse(*_):
        raise ExportError("float32.onnx cannot be made: it has an odd operator")

    monkeypatch.setattr(convert, "translate_to_onnx", refuse)


def _assert_agrees(folder, files, ask, images):
    spec = folder.read_spec()
    pixels = [preprocess(path, spec) for path in sorted(images.rglob("2*.png"))]
    wanted = ask(load_reference_model(folder), np.stack(pixels))
    assert np.ptp(wanted) > 0.01
    bounds = {"float32": 1e-5, "int8": 0.06}
    for file in files:
        engine = Classifier.load(file.path).engine
        predictions = np.array([engine.run(image) for image in pixels])
        assert predictions == pytest.approx(wanted, abs=bounds[file.kind]), file.path.name


def _network(keras, spec, *, padding="valid"):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(spec.input_shape),
            layers.Conv2D(4, 3, padding=padding, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(spec.output_count, activation="softmax"),
        ]
    )


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_h5_with_another_scaling_takes_raw_pixels(
    make_folder, keras, shaken, spec, ask, images, tmp_path, padding
):
    """With "same" padding the scaling cannot be folded into the convolution."""
    two = replace(spec, activation="softmax")
    model = shaken(_network(keras, two, padding=padding))
    folder = make_folder(
        tmp_path / "mine",
        two,
        lambda place: model.save(place / "model.h5"),
        scale=1 / 127.5,
        offset=-1.0,
    )
    files = export(folder, options=INT8)
    _assert_agrees(folder, files, ask, images)
    engine = Classifier.load(folder.file("int8.tflite")).engine
    scale, zero_point = engine._input["quantization"]
    assert (np.float32(scale), zero_point) == (np.float32(1 / 255), 0)
    assert not [t["name"] for t in engine.tensors if np.issubdtype(t["dtype"], np.floating)]


def test_a_saved_model_with_three_classes(make_folder, keras, shaken, spec, ask, images, tmp_path):
    three = replace(spec, activation="softmax", labels=("calm", "happy", "sad"))
    model = shaken(_network(keras, three))
    folder = make_folder(
        tmp_path / "mine",
        three,
        lambda place: model.export(place / "model.savedmodel", verbose=False),
    )
    files = export(folder, options=INT8)
    _assert_agrees(folder, files, ask, images)
    assert [file.partitions for file in files] == [1, 1, None, None]
    operations = Classifier.load(folder.file("float32.tflite")).engine.operations
    assert not {"SHAPE", "STRIDED_SLICE", "PACK"} & set(operations)


def test_a_model_that_splits_is_exported_with_its_count(make_folder, keras, shaken, spec, tmp_path):
    """XNNPACK has no floor division, so it takes what is before and what is after."""
    layers = keras.layers
    image = keras.Input(spec.input_shape)
    found = layers.Conv2D(4, 3, activation="relu")(image)
    found = layers.Conv2D(4, 3, activation="relu")(keras.ops.floor_divide(found, 0.1))
    row = layers.GlobalAveragePooling2D()(found)
    model = shaken(keras.Model(image, layers.Dense(1, activation="sigmoid")(row)))
    folder = make_folder(tmp_path / "mine", spec, lambda place: model.save(place / "model.keras"))
    (file,) = export(folder, options=ExportOptions(formats=("tflite",)))
    assert file.partitions == 2


def test_an_operator_that_tflite_lacks_writes_nothing(make_folder, keras, spec, tmp_path):
    """A SavedModel may hold any operator of TensorFlow."""
    import tensorflow as tf

    class Odd(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, *spec.input_shape), tf.float32)])
        def predict(self, image):
            return {"out": tf.reduce_mean(tf.math.digamma(image + 1), (1, 2))}

    odd = Odd()
    folder = make_folder(
        tmp_path / "mine",
        spec,
        lambda place: tf.saved_model.save(
            odd, str(place / "model.savedmodel"), signatures={"serving_default": odd.predict}
        ),
    )
    before = sorted(folder.path.iterdir())
    with pytest.raises(ExportError, match="TFLite has no operator for Digamma") as caught:
        export(folder, options=ExportOptions())
    assert "\n" not in str(caught.value)
    assert sorted(folder.path.iterdir()) == before


def test_what_one_format_lacks_does_not_cost_the_other(make_folder, plain, spec, tmp_path, lacking):
    folder = make_folder(
        tmp_path / "mine", spec, lambda place: plain.save(place / "model.keras"), arch="imported"
    )
    message = r"^float32\.onnx cannot be made: .* \(the TFLite files are kept: --format tflite"
    with pytest.raises(PartialExportError, match=message) as caught:
        export(folder, options=ExportOptions())
    (file,) = caught.value.files
    assert [path.name for path in folder.list_exported()] == [file.path.name] == ["float32.tflite"]
    assert [entry["file"] for entry in folder.read_json("export.json")["files"]] == [file.path.name]
    assert not list(folder.path.glob(".*.partial-*"))


def test_where_both_formats_fail_both_reasons_are_given(
    make_folder, plain, spec, tmp_path, lacking, monkeypatch
):
    """An engine may abort while it loads a file, as ONNX Runtime does with a loop in int8."""
    tried = []

    def crash(model):
        tried.append(model.format)
        raise EngineError(f"{model.path}: {describe_crash('SIGABRT')}")

    monkeypatch.setattr(file_checks, "try_model", crash)
    folder = make_folder(
        tmp_path / "mine", spec, lambda place: plain.save(place / "model.keras"), arch="imported"
    )
    before = sorted(folder.path.iterdir())
    with pytest.raises(ExportError) as caught:
        export(folder, options=ExportOptions())
    assert tried == ["tflite"]
    first, second = str(caught.value).split("; float32.onnx ")
    assert first.startswith("float32.tflite cannot be made: the engine or numpy crashed (SIGABRT)")
    assert second == "cannot be made: it has an odd operator"
    assert sorted(folder.path.iterdir()) == before
