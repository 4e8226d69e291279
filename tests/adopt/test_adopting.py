"""Finished files of somebody else, with spec and checksum: they predict as their makers meant."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgeemo.adopt import AdoptOptions, adopt, examination
from edgeemo.adopt.metadata import read_tflite_metadata
from edgeemo.bundle import make_bundle
from edgeemo.errors import AdoptError, EngineError, MissingOptionError
from edgeemo.model.container import unseal
from edgeemo.model.scaling import PRESETS
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.child import ChildCrashedError

from .conftest import Net, write_metadata

LABELS = ("happy", "sad")
UNIT = {"scale": (1 / 255,)}


@pytest.fixture(autouse=True)
def in_this_process(request, monkeypatch):
    """Examine in this process, which is faster than starting another for each test."""
    if "in_its_own_process" not in request.fixturenames:
        run = lambda function, *args, **named: function(*args, **named)  # noqa: E731
        monkeypatch.setattr(examination, "run_in_child", run)
        monkeypatch.setattr(examination, "_limit_process", lambda: None)


@pytest.fixture
def in_its_own_process():
    """Examine in a process of its own, as everywhere but in these tests."""


def load(made):
    return Classifier.from_model(unseal(made.folder / made.file), faces=None)


def predict(made, pixels):
    return list(load(made).predict_pixels(pixels).scores.values())


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
@pytest.mark.parametrize(
    ("net", "options", "by_hand"),
    [
        (Net(), UNIT, {}),
        (Net(), {"scale": (1.0,)}, {"scale": 1}),
        (Net(), {"scale": (1 / 127.5,), "offset": (-1,)}, {"scale": 1 / 127.5, "offset": -1}),
        (
            Net(),
            {"scale": (1 / 58, 1 / 57, 1 / 57), "offset": (-2, -2.1, -1.8)},
            {"scale": [1 / 58, 1 / 57, 1 / 57], "offset": [-2, -2.1, -1.8]},
        ),
        (Net(), {**UNIT, "bgr": True}, {"bgr": True}),
        (Net(layout="nchw"), UNIT, {}),
        (Net(layout="nchw"), {**UNIT, "bgr": True, "layout": "nchw"}, {"bgr": True}),
        (Net(outputs=1, head="LOGISTIC"), UNIT, {}),
        (Net(outputs=1, head=""), {**UNIT, "activation": "logit"}, {}),
        (Net(head=""), {**UNIT, "activation": "logit"}, {}),
        (Net(dtype="uint8", quantization=(1.0, 0)), {}, {"scale": 1}),
    ],
    ids=str,
)
def test_it_predicts_as_by_hand(tmp_path, pixels, suffix, net, options, by_hand):
    if net.dtype == "uint8" and suffix == "onnx":
        net = replace(net, quantization=None)
    source = net.write(tmp_path / f"model.{suffix}")
    content = source.read_bytes()
    made = adopt(source, tmp_path / "out", options=AdoptOptions(labels=LABELS, **options))
    assert predict(made, pixels) == pytest.approx(net.predict(pixels, **by_hand), abs=1e-5)
    file = made.folder / made.file
    assert file.read_bytes().startswith(content)
    assert unseal(file).spec == made.spec
    assert json.loads((made.folder / "default.json").read_text())["file"] == made.file


@pytest.mark.parametrize(
    ("dtype", "quantization", "scale", "offset"),
    [
        ("uint8", (1 / 255 + 4.7e-8, 0), 1 / 255, 0),
        ("uint8", (1 / 255.4, 0), 1 / 255, 0),
        ("int8", (1 / 255, -128), 1 / 255, 0),
        ("uint8", (2 / 255, 127), 2 / 255, -127 * 2 / 255),
        ("int8", (2 / 255, -1), 2 / 255, -127 * 2 / 255),
    ],
)
def test_a_quantised_input_takes_each_pixel_as_a_step(
    tmp_path, pixels, dtype, quantization, scale, offset
):
    net = Net(dtype=dtype, quantization=quantization)
    source = net.write(tmp_path / "m.tflite")
    made = adopt(source, tmp_path / "out", options=AdoptOptions(labels=LABELS))
    assert made.scaling_from == "the quantisation of its input"
    assert made.spec.adopted.scale == pytest.approx([scale] * 3, rel=1e-6)
    assert made.spec.adopted.offset == pytest.approx([offset] * 3, abs=1e-6)
    step = quantization[0]
    assert predict(made, pixels) == pytest.approx(
        net.predict(pixels, step, offset / scale * step), abs=1e-4
    )


def test_a_given_scaling_goes_through_the_steps_of_a_quantised_input(tmp_path, pixels):
    net = Net(dtype="int8", quantization=(2 / 255, 0))
    options = AdoptOptions(labels=LABELS, scale=(1 / 127.5,), offset=(-1.0,))
    made = adopt(net.write(tmp_path / "m.tflite"), tmp_path / "out", options=options)
    expected = net.predict(pixels, 1 / 127.5, -1)
    assert predict(made, pixels) == pytest.approx(expected, abs=2 / 255)


def test_an_open_number_of_images_is_one(tmp_path, pixels):
    net = Net(shape=("rows", 8, 8, 3))
    made = adopt(
        net.write(tmp_path / "m.onnx"),
        tmp_path / "out",
        options=AdoptOptions(labels=LABELS, **UNIT),
    )
    assert predict(made, pixels) == pytest.approx(net.predict(pixels), abs=1e-5)


METADATA = {"labels": "labelmap.txt", "mean": [127.5], "std": [127.5]}


def test_tflite_metadata_is_the_default_and_stays_in_the_file(tmp_path, pixels):
    net = Net(metadata=METADATA, members={"labelmap.txt": "0 happy\n1 sad\n", "more.txt": "x"})
    source = net.write(tmp_path / "m.tflite")
    made = adopt(source, tmp_path / "out")
    assert made.spec.labels == LABELS
    assert made.labels_from == made.scaling_from == "its TFLite Metadata"
    expected = net.predict(pixels, 1 / 127.5, -1)
    assert predict(made, pixels) == pytest.approx(expected, abs=1e-5)
    with zipfile.ZipFile(made.folder / made.file) as archive:
        names = ["edgeemo.json", "labels.txt", "labelmap.txt", "more.txt"]
        assert archive.namelist() == names
        assert archive.read("labelmap.txt") == b"0 happy\n1 sad\n"
    options = AdoptOptions(labels=("joy", "grief"), **UNIT)
    again = adopt(source, tmp_path / "other", options=options)
    assert (again.spec.labels, again.labels_from) == (("joy", "grief"), "--labels")
    assert predict(again, pixels) == pytest.approx(net.predict(pixels), abs=1e-5)


ULTRALYTICS = {"task": "classify", "names": "{0: 'happy', 1: 'sad'}", "imgsz": "[8, 8]"}
AS_JSON = json.dumps({**ULTRALYTICS, "names": {"1": "sad", "0": "happy"}})
AS_PYTHON = repr({**ULTRALYTICS, "names": {0: "happy", 1: "sad"}})


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("m.onnx", {"properties": ULTRALYTICS, "layout": "nchw"}),
        ("m.tflite", {"members": {"metadata.json": AS_JSON}}),
        ("m.tflite", {"members": {"temp_meta.txt": AS_PYTHON}}),
    ],
)  # fmt: skip
def test_ultralytics_tells_names_and_scaling(tmp_path, pixels, name, told):
    net = Net(**told)
    made = adopt(net.write(tmp_path / name), tmp_path / "out")
    assert made.spec.labels == LABELS
    assert "Ultralytics" in made.labels_from
    assert predict(made, pixels) == pytest.approx(net.predict(pixels), abs=1e-5)


def test_damaged_metadata_tells_nothing(tmp_path):
    net = Net(metadata=METADATA, members={"labelmap.txt": "happy\nsad\n"})
    content = net.write(tmp_path / "m.tflite").read_bytes()
    begin = content.index(b"M001") - 4
    (tmp_path / "m.tflite").write_bytes(
        content[:begin] + b"\xff\xff\xff\x7f" + content[begin + 4 :]
    )
    with pytest.raises(MissingOptionError, match="does not name its 2 labels"):
        adopt(tmp_path / "m.tflite", tmp_path / "out")


BAD = {
    "m.tflite: has 2 inputs (image, image1); one is needed": Net(inputs=2),
    "m.tflite: has 2 outputs": Net(extra_output=True),
    "m.tflite: takes images of any size, [1, ?, ?, 3]; convert": Net(shape=(1, None, None, 3)),
    "m.tflite: takes 4 images at once": Net(shape=(4, 8, 8, 3)),
    "m.tflite: its TFLite model is faulty: its operator 'FlexErf' is not": Net(custom="FlexErf"),
    "m.tflite: takes int16; float32, uint8 or int8 is needed": Net(dtype="int16"),
    "m.tflite: takes int8 without a quantisation scale": Net(dtype="int8"),
    "m.tflite: takes [1, 2, 8, 8, 3]; an image, [1, height": Net(shape=(1, 2, 8, 8, 3)),
    "m.tflite: takes [1, 8, 8, 4]; 1 or 3 channels": Net(shape=(1, 8, 8, 4), channels=4),
    "m.tflite: its 3 outputs take 3 labels, but --labels has 2 (happy, sad)": Net(outputs=3),
    "m.tflite: gives 2 independent probabilities": Net(head="LOGISTIC"),
    "m.tflite: gives a softmax of one output, which is always 1": Net(outputs=1),
    "m.onnx: has 2 inputs (image, image2); one is needed": Net(inputs=2),
    "m.onnx: has 2 outputs": Net(extra_output=True),
    "m.onnx: takes images of any size, [1, ?, ?, 3]": Net(shape=(1, "h", "w", 3)),
    "m.onnx: takes float16; float32, uint8 or int8": Net(dtype="float16"),
    "m.onnx: takes int8 without a quantisation scale": Net(dtype="int8"),
    "m.onnx: the ONNX engine refuses it": Net(head="Strange", custom="their.domain"),
    "m.onnx: made for 'detect', by its metadata": Net(properties={**ULTRALYTICS, "task": "detect"}),
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_adopted_is_refused_and_leaves_nothing(tmp_path, message):
    source = BAD[message].write(tmp_path / message.partition(":")[0])
    with pytest.raises((AdoptError, EngineError)) as caught:
        adopt(source, tmp_path / "out", options=AdoptOptions(labels=LABELS, **UNIT))
    assert f"{tmp_path}/{message}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [source]


MISSING = [
    ("does not name its 2 labels: add --labels a,b,...", Net(), {}),
    ("it does not say how pixels are scaled: add --scale 1/255", Net(), {}),
    ("its output may be no probability: add --activation logit", Net(outputs=1, head=""), UNIT),
    ("its outputs are no probabilities", Net(head=""), {**UNIT, "labels": LABELS}),
    ("of any layout: add --layout nhwc or nchw", Net(side=3), {**UNIT, "labels": LABELS}),
]


@pytest.mark.parametrize(("message", "net", "options"), MISSING, ids=[row[0] for row in MISSING])
def test_what_the_file_does_not_tell_names_its_option(tmp_path, message, net, options):
    source = net.write(tmp_path / "m.tflite")
    with pytest.raises(MissingOptionError) as caught:
        adopt(source, tmp_path / "out", options=AdoptOptions(**options))
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_layout_that_contradicts_the_shape_is_refused(tmp_path):
    source = Net().write(tmp_path / "m.tflite")
    options = AdoptOptions(labels=LABELS, layout="nchw", **UNIT)
    with pytest.raises(AdoptError, match=r"takes \[1, 8, 8, 3\], which --layout nchw contradicts"):
        adopt(source, tmp_path / "out", options=options)


@pytest.mark.parametrize(
    ("ended_by", "said"),
    [("SIGSEGV", "crash"), ("SIGALRM", "its first predictions take more than 60 seconds")],
)
def test_a_model_that_ends_its_process_is_one_line(tmp_path, monkeypatch, ended_by, said):
    def crash(*_, **__):
        raise ChildCrashedError(ended_by, "")

    monkeypatch.setattr(examination, "run_in_child", crash)
    source = Net().write(tmp_path / "m.tflite")
    with pytest.raises(EngineError, match=said):
        adopt(source, tmp_path / "out", options=AdoptOptions(labels=LABELS, **UNIT))
    assert list(tmp_path.iterdir()) == [source]


def test_it_is_measured_on_labelled_images(tmp_path, folders):
    net = Net()
    data = folders(net)
    made = adopt(
        net.write(tmp_path / "m.tflite"),
        tmp_path / "out",
        options=AdoptOptions(labels=LABELS, **UNIT),
        data=data,
    )
    assert made.evaluation.overall.accuracy.value == 1
    assert made.doubt is None
    recorded = json.loads((made.folder / "adopted.json").read_text())
    assert recorded["accuracy"]["value"] == 1
    assert recorded["accuracy"]["n"] == 40


@pytest.mark.parametrize(
    ("options", "labels", "scaling"),
    [
        ({"labels": ("sad", "happy"), **UNIT}, LABELS, None),
        ({"labels": LABELS, "scale": (1.0,)}, None, PRESETS["[-1,1]"]),
    ],
)
def test_a_clearly_better_scaling_or_order_is_named(tmp_path, folders, options, labels, scaling):
    net = Net()
    true = {"scale": 1 / 127.5, "offset": -1.0} if scaling else {}
    made = adopt(
        net.write(tmp_path / "m.tflite"),
        tmp_path / "out",
        options=AdoptOptions(**options),
        data=folders(net, count=60, **true),
    )
    assert (made.doubt.labels, made.doubt.scaling) == (labels, scaling)
    assert made.doubt.better > made.doubt.accuracy
    assert json.loads((made.folder / "adopted.json").read_text())["doubt"]["n"] == 120


def test_grey_images_of_more_labels_than_folders(tmp_path, folders):
    net = Net(channels=1, outputs=3)
    data = folders(net, names=("happy", "sad", "other"), count=6)
    for path in (data / "other").iterdir():
        path.unlink()
    (data / "other").rmdir()
    made = adopt(
        net.write(tmp_path / "m.onnx"),
        tmp_path / "out",
        options=AdoptOptions(labels=(*LABELS, "other"), **UNIT),
        data=data,
    )
    assert made.evaluation.overall.accuracy.value == 1


@pytest.mark.usefixtures("in_its_own_process")
def test_an_image_file_goes_through_the_one_preprocessing(tmp_path):
    net = Net()
    made = adopt(
        net.write(tmp_path / "m.tflite"),
        tmp_path / "out",
        options=AdoptOptions(labels=LABELS, bgr=True, **UNIT),
    )
    image = Image.new("RGB", (64, 48), (250, 120, 10))
    image.save(tmp_path / "a.png")
    classifier = Classifier.load(made.folder)
    assert not classifier.verified
    scores = classifier.predict(tmp_path / "a.png").scores
    expected = net.predict(np.full((8, 8, 3), (250, 120, 10)), bgr=True)
    assert list(scores.values()) == pytest.approx(expected, abs=1e-5)


@settings(max_examples=100)
@given(place=st.integers(0, 400), value=st.integers(0, 255))
def test_no_byte_of_the_metadata_does_harm(place, value):
    whole = write_metadata(METADATA)
    content = bytearray(whole)
    content[place % len(content)] = value
    model = Net(metadata=METADATA).write_bytes(".tflite").replace(whole, bytes(content))
    found = read_tflite_metadata(model, {"labelmap.txt": b"a\nb"})
    assert len(found.scale) == len(found.offset)


def test_a_bundle_feeds_the_device_as_the_adopted_model_wants(tmp_path, pixels):
    net = Net(layout="nchw", head="")
    scaling = {"scale": (1 / 127.5,), "offset": (-1.0,), "bgr": True}
    options = AdoptOptions(labels=LABELS, activation="logit", **scaling)
    made = adopt(net.write(tmp_path / "m.tflite"), tmp_path / "out", options=options)
    bundle = make_bundle(made.folder, tmp_path / "theirs.pyz").path
    Image.fromarray(pixels).save(tmp_path / "a.png")
    shown = subprocess.run(
        [sys.executable, bundle, "predict", tmp_path / "a.png", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    scores = json.loads(shown.stdout)["scores"]
    expected = net.predict(pixels, 1 / 127.5, -1, bgr=True)
    assert list(scores.values()) == pytest.approx(expected, abs=1e-5)
    assert shown.stderr.endswith("/float32.tflite: adopted, no reference model\n")


def test_a_name_that_is_no_text_is_one_line(tmp_path):
    source = tmp_path / "m.tflite"
    source.write_bytes(Net().write_bytes(".tflite").replace(b"image", b"\xbfmage"))
    with pytest.raises(EngineError, match=r"m\.tflite: cannot be read: .*utf-8"):
        adopt(source, tmp_path / "out", options=AdoptOptions(labels=LABELS, **UNIT))
    assert list(tmp_path.iterdir()) == [source]
