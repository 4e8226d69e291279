"""From photos, and from crops of them, to models that find faces by themselves."""

from __future__ import annotations

import json
import shutil
import tomllib
from dataclasses import asdict, replace

import numpy as np
import pytest

from edgeemo.dataset.write import CropOptions, write_crops
from edgeemo.errors import DatasetError, FaceModelError, TrainingError
from edgeemo.export import ExportOptions, export
from edgeemo.imaging.faces import build_detector
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.detector_file import FACE_MODEL
from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.folder import CONFIG, REJECTED, TRAINING
from edgeemo.runtime.classifier import Classifier
from edgeemo.train import TrainOptions, train
from edgeemo.train.options.checks import check_options
from edgeemo.train.options.faces import build_face_settings, settle_faces
from edgeemo.train.options.record import read_options, record_options
from edgeemo.utils.progress import Silent
from edgeemo.verify import verify

OPTIONS = TrainOptions(mode="plain", size=32, channels=1, epochs=1, batch_size=8, faces=True)


class Notes(Silent):
    def __init__(self):
        self.texts = []

    def note(self, text):
        self.texts.append(text)


@pytest.fixture(scope="module")
def model(photos, tmp_path_factory):
    """Trained on photos; not to be changed."""
    return train(photos, tmp_path_factory.mktemp("models") / "faces", options=OPTIONS).folder


@pytest.fixture(scope="module")
def crops(photos, tmp_path_factory):
    """What `edgeemo data crop` makes of the photos."""
    out = tmp_path_factory.mktemp("cropped") / "crops"
    write_crops(photos, out, options=CropOptions(faces=FaceSettings(margin=0.1)))
    return out


@pytest.mark.tensorflow
def test_photos_without_a_face_are_excluded_with_the_reason(model):
    assert model.file(REJECTED).read_text().splitlines()[1:] == [
        "happy/none.png,no-face,blaze detects none",
        "sad/none.png,no-face,blaze detects none",
    ]
    summary = model.read_json(TRAINING)["ingest"]
    assert summary["rejected"] == {"no-face": 2}
    assert (summary["found"], summary["kept"]) == (30, 28)
    assert model.read_json("report.json")["data"]["excluded"] == {"no-face": 2}
    assert "the faces in a photo (blaze, margin 0)" in model.file("report.md").read_text()


@pytest.mark.tensorflow
def test_the_face_is_learnt_and_the_spec_records_it(model, photos):
    assert model.read_spec().faces == FaceSettings()
    written = tomllib.loads(model.file(CONFIG).read_text())
    assert written["faces"] is True
    assert written["cropped"] is False
    assert written["face_detector"] == "blaze"
    one = model.read_references()[0]
    whole = replace(model.read_spec(), faces=None)
    detector = build_detector(FaceSettings())
    seen = preprocess(photos / one.path, model.read_spec(), detector=detector)
    assert np.abs(seen.astype(int) - preprocess(photos / one.path, whole)).mean() > 8


@pytest.mark.tensorflow
def test_it_is_exported_verified_and_predicts_photos(model, photos, tmp_path):
    folder = replace(model, path=shutil.copytree(model.path, tmp_path / "model"))
    export(folder, options=ExportOptions(int8=True, formats=("tflite",)))
    assert verify(folder).passed
    classifier = Classifier.load(folder.file("float32.tflite"))
    for reference in folder.read_references():
        prediction = classifier.predict(photos / reference.path)
        assert prediction.face is not None
        assert prediction.scores["happy"] == pytest.approx(reference.scores[0], abs=1e-5)
    assert classifier.predict_all(photos / "sad" / "none.png") == ()


@pytest.mark.tensorflow
def test_a_folder_of_crops_turns_faces_on(crops, photos, tmp_path):
    notes = Notes()
    options = replace(OPTIONS, faces=None)
    folder = train(crops, tmp_path / "model", options=options, progress=notes).folder
    assert folder.read_spec().faces == FaceSettings(margin=0.1, cropped=True)
    (note,) = [text for text in notes.texts if "faces.json" in text]
    assert "blaze, margin 0.1; --no-faces excludes that" in note
    written = tomllib.loads(folder.file(CONFIG).read_text())
    names = ("faces", "cropped", "face_detector", "face_margin")
    assert [written[name] for name in names] == [True, True, "blaze", 0.1]
    assert folder.read_json(TRAINING)["ingest"]["found"] == 28
    one = folder.read_references()[0]
    seen = preprocess(crops / one.path, folder.read_spec())
    photo = next(photos.glob(f"{one.path.removesuffix('.png')}.*"))
    np.testing.assert_array_equal(
        seen,
        preprocess(photo, folder.read_spec().for_photos(), detector=build_detector(FaceSettings())),
    )


def settled(options, folder, **more):
    notes = Notes()
    result = settle_faces(options, folder, data=more.get("data", folder), progress=notes)
    return result, notes.texts


def test_given_options_override_the_folder(crops, photos):
    result, notes = settled(replace(OPTIONS, faces=False), crops)
    assert (result.faces, build_face_settings(result), notes) == (False, None, [])
    result, notes = settled(replace(OPTIONS, cropped=True, face_margin=0.3), crops)
    assert (build_face_settings(result), notes) == (FaceSettings(margin=0.3, cropped=True), [])
    result, _ = settled(OPTIONS, crops)
    assert build_face_settings(result) == FaceSettings(margin=0.1, cropped=True)
    again = read_options(record_options(result))
    assert settled(again, crops) == (again, [])
    result, notes = settled(replace(OPTIONS, faces=None), photos)
    assert (result.faces, notes) == (None, [])


@pytest.mark.tensorflow
def test_a_detectors_file_travels_with_the_crops_and_into_the_model(crops, tmp_path):
    file = tmp_path / "yunet.onnx"
    file.write_bytes(b"\x08\x07 for the test")
    named = replace(OPTIONS, face_model=file, cropped=True)
    folder = train(crops, tmp_path / "model", options=named).folder
    assert folder.read_spec().faces == build_face_settings(named)
    assert folder.file(FACE_MODEL).read_bytes() == file.read_bytes()
    other = tmp_path / "crops"
    shutil.copytree(crops, other)
    sha256 = build_face_settings(named).file_sha256
    recorded = FaceSettings(detector="yunet", cropped=True, file_sha256=sha256)
    (other / "faces.json").write_text(json.dumps(asdict(recorded)))
    with pytest.raises(TrainingError, match=r"a YuNet file cropped these faces; name it"):
        settled(replace(OPTIONS, faces=None), other)
    shutil.copy(file, other / FACE_MODEL)
    result, _ = settled(replace(OPTIONS, faces=None), other)
    assert result.face_model == other / FACE_MODEL
    with pytest.raises(TrainingError, match=r"faces\.zip: a YuNet file cropped these faces"):
        settled(replace(OPTIONS, faces=None), other, data=tmp_path / "faces.zip")


@pytest.mark.tensorflow
def test_too_few_faces_say_so(photos, tmp_path):
    folder = tmp_path / "photos"
    shutil.copytree(photos, folder)
    for path in sorted((folder / "sad").glob("[01]*"))[1:]:
        path.unlink()
    with pytest.raises(DatasetError, match=r"class sad has 1 usable .* \(no face in 1\)"):
        train(folder, tmp_path / "model", options=OPTIONS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"face_detector": "blase"},
            "blaze, cascade or yunet, not 'blase'; did you mean",
        ),
        ({"face_margin": 3.0}, "margin must be -0.3 to 2, not 3"),
        ({"face_margin": float("nan")}, "margin must be"),
        ({"face_detector": "yunet"}, "face detector yunet requires its file: --face-model FILE"),
        ({"faces": None, "cropped": True}, "--cropped requires --faces"),
        ({"faces": False, "face_margin": 0.1}, "--face-margin requires --faces"),
    ],
)
def test_options_that_make_no_sense(changes, message):
    with pytest.raises(TrainingError, match=message):
        check_options(replace(OPTIONS, **changes))


def test_files_that_make_no_sense(tmp_path):
    file = tmp_path / "yunet.onnx"
    with pytest.raises(FaceModelError, match=r"yunet\.onnx: cannot be read"):
        check_options(replace(OPTIONS, face_model=file))
    file.write_bytes(b"\x08\x07")
    check_options(replace(OPTIONS, face_model=file))
    with pytest.raises(TrainingError, match="blaze takes no file"):
        check_options(replace(OPTIONS, face_model=file, face_detector="blaze"))
