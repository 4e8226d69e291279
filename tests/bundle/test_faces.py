"""Bundles that detect faces: their members, the commands on the device, the self-test."""

from __future__ import annotations

import json
import sys
import zipfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from edgeemo import Classifier
from edgeemo.bench.sample_frame import draw_camera_frame
from edgeemo.bench.sample_photo import FACES, draw_detectable_photo, draw_photo
from edgeemo.bundle import BundleOptions, make_bundle
from edgeemo.bundle.device.checks import check_golden
from edgeemo.bundle.device.contents import PHOTO, Contents
from edgeemo.bundle.device.load import load_classifier
from edgeemo.bundle.device.selftest import run, run_selftest
from edgeemo.bundle.faces import detector_members
from edgeemo.bundle.modules import collect_modules
from edgeemo.bundle.wheels import _list_packages
from edgeemo.errors import BundleError, MissingExtraError
from edgeemo.imaging.faces import build_detector
from edgeemo.model.container import seal, unseal
from edgeemo.model.detector_file import FACE_MODEL, DetectorFile
from edgeemo.model.face_request import FaceRequest
from edgeemo.model.face_settings import FaceSettings

FIND = FaceRequest(enabled=True)
GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MODEL = GOLDEN / "int8.tflite"
BLAZE = "edgeemo/imaging/faces/blazeface.tflite"
FULL_RANGE = "edgeemo/imaging/faces/blazeface_full_range.tflite"


@pytest.fixture(scope="module")
def finding(tmp_path_factory):
    """The bundle of a model without face settings, made with --faces."""
    return make_bundle(
        MODEL, tmp_path_factory.mktemp("finding") / "faces.pyz", options=BundleOptions(faces=FIND)
    )


@pytest.fixture
def contents(finding):
    return Contents(str(finding.path))


@pytest.fixture
def photos(tmp_path):
    for name, content in {
        "people.jpg": draw_photo(seed=1),
        "none.jpg": draw_camera_frame(),
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path / "people.jpg", tmp_path / "none.jpg"


def _of_faces(folder, settings, name="int8.tflite"):
    """A golden model with face settings."""
    golden = unseal(GOLDEN / name)
    content = Path(golden.path).read_bytes()
    text = content.decode("latin-1").split('"model_bytes": ')[1]
    model = content[: int(text[: text.index(",")])]
    path = folder / name
    path.write_bytes(seal(model, replace(golden.spec, faces=settings), format=golden.format))
    return path


def _members(bundle):
    with zipfile.ZipFile(bundle.path) as archive:
        return set(archive.namelist())


def test_the_face_detector_is_included_only_where_faces_are_detected(int8, finding):
    faces = {name for name in _members(finding) if name.startswith("edgeemo/imaging/faces/")}
    modules = collect_modules("edgeemo.bundle.device.main")
    assert {name for name in faces if name.endswith(".py")} == {
        name for name in modules if name.startswith("edgeemo/imaging/faces/")
    }
    assert {BLAZE, FULL_RANGE} <= faces
    assert not {name for name in _members(int8) if name.startswith("edgeemo/imaging/faces/")}
    assert int8.size_bytes + 229_032 + 680_736 < finding.size_bytes
    assert (finding.detector, finding.detected_faces, finding.golden_images) == ("blaze", 2, 17)
    assert (int8.detector, int8.detected_faces, int8.golden_images) == ("", 0, 16)


def test_the_same_model_gives_the_same_bytes(finding, tmp_path):
    assert (
        make_bundle(MODEL, tmp_path / "a.pyz", options=BundleOptions(faces=FIND)).sha256
        == finding.sha256
    )


def test_faces_are_detected_from_the_archive_alone(finding, device, photos):
    """No edgeemo is installed there: the network is read out of the .pyz."""
    paths = [path for path in sys.path if path.endswith("site-packages")]
    code = (
        f"import sys, runpy; sys.path += {paths!r}; sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    ran = device("-c", code, finding.path, "predict", "--json", *photos, python=("-I", "-S"))
    assert ran.status == 0, ran.err
    people, none = (json.loads(line) for line in ran.out.splitlines())
    expected = Classifier.load(MODEL, faces=FIND).predict_all(photos[0])
    assert len(expected) == 2
    assert [(face["box"], face["scores"]) for face in people["faces"]] == [
        (list(each.face.box), each.scores) for each in expected
    ]
    assert none["faces"] == []


def test_a_person_reads_where_the_faces_are(finding, device, photos):
    ran = device(finding.path, "predict", *photos)
    assert ran.status == 0
    people, none = ran.out.splitlines()
    assert people.count(" at ") == 2
    assert f"{photos[1]}: no face (" in none


def test_detection_can_be_turned_off_on_the_device(finding, int8, device, photos):
    whole = device(finding.path, "predict", "--no-faces", "--json", photos[0])
    plain = device(int8.path, "predict", "--json", photos[0])
    one, other = (json.loads(ran.out) for ran in (whole, plain))
    assert one["scores"] == other["scores"]
    ran = device(int8.path, "predict", "--faces", photos[0])
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == (
        "error: this bundle holds no face detector (blaze); make one that does: edgeemo bundle "
        "--faces\n"
    )


def test_info_shows_the_face_detector(finding, int8, device):
    assert (
        "faces         detected by blaze, margin 0; each predicted"
        in device(finding.path, "info").out
    )
    shown = json.loads(device(finding.path, "info", "--json", python=("-I", "-S")).out)
    assert (shown["detector"], shown["faces"]["detector"]) == ("blaze", "blaze")
    assert "detected by" not in device(int8.path, "info").out
    assert json.loads(device(int8.path, "info", "--json").out)["faces"] is None


def test_a_prediction_without_faces_imports_no_detector(finding, device, photos):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from edgeemo.bundle.device.contents import Contents\n"
        "from edgeemo.bundle.device.load import load_classifier\n"
        "model = load_classifier(Contents(sys.argv[1]), faces=sys.argv[3] == 'yes')\n"
        "model.predict_all(sys.argv[2])\n"
        "print([name for name in sys.modules if name.startswith('edgeemo.imaging.faces')])"
    )
    without = device("-c", code, finding.path, photos[0], "no")
    assert (without.status, without.out) == (0, "[]\n"), without.err
    found = device("-c", code, finding.path, photos[0], "yes")
    assert "edgeemo.imaging.faces.blaze" in found.out


def test_the_selftest_finds_the_faces_of_the_photo(finding, device):
    ran = device(finding.path, "selftest")
    assert ran.status == 0, ran.err
    assert "1 of 1 images with faces: detected in the same places, to within 2 pixels" in ran.out
    assert "PASSED: outputs of all 17 images are identical to" in ran.out
    shown = json.loads(device(finding.path, "selftest", "--json").out)["checks"][-1]
    assert (shown["file"], len(shown["faces"])) == (PHOTO, 2)
    assert shown["faces"] == shown["expected_faces"]


@pytest.mark.parametrize(
    ("moved", "stage"),
    [
        (lambda faces: faces, None),
        (lambda faces: tuple(reversed(faces)), "resizing"),  # another face is predicted
        (lambda faces: (faces[0], tuple(value + 2 for value in faces[1])), None),
        (lambda faces: (faces[0], tuple(value + 3 for value in faces[1])), "face detection"),
        (lambda faces: faces[:1], "face detection"),
        (lambda faces: (*faces, (5, 5, 50)), "face detection"),
    ],
)
def test_another_place_or_number_of_faces_is_named(contents, moved, stage):
    golden = contents.manifest.golden[-1]
    odd = replace(golden, faces=moved(golden.faces))
    image = contents.member(PHOTO)
    assert check_golden(load_classifier(contents), odd, image=image, tolerance=0).differs == stage


@pytest.mark.parametrize(
    ("changed", "stage"),
    [
        ({"outputs": (0.1,)}, "engine"),
        ({"pixels_sha256": "0"}, "resizing"),
        ({"pixels_sha256": "0", "decoded_sha256": "0"}, "image decoding"),
    ],
)
def test_the_other_stages_of_the_photo_are_named(contents, changed, stage):
    golden = replace(contents.manifest.golden[-1], **changed)
    image = contents.member(PHOTO)
    assert (
        check_golden(load_classifier(contents), golden, image=image, tolerance=0).differs == stage
    )


def test_a_failure_shows_the_bounding_boxes(contents, capsys):
    golden = contents.manifest.golden[-1]
    odd = replace(golden, faces=((10, 20, 30), golden.faces[1]))
    built_with = {**contents.manifest.built_with, "ai-edge-litert": "9.9"}
    contents.manifest = replace(contents.manifest, golden=(odd,), built_with=built_with)
    assert run(contents, threads=1, json=False) == 3
    *_, detail, verdict = capsys.readouterr().out.splitlines()
    here = " and ".join(f"{side}x{side}+{left}+{top}" for left, top, side in golden.faces)
    assert f"{PHOTO}: face detection differs; {here} here, 30x30+10+20 and " in detail
    litert = version("ai-edge-litert")
    assert f"face detection (ai-edge-litert {litert} here, 9.9 on the workstation)" in verdict


def test_a_model_of_whole_photos_gets_golden_images_with_faces(tmp_path, device):
    """Its preprocessing crops the largest face of every golden image."""
    model = _of_faces(tmp_path, FaceSettings(margin=0.1))
    made = make_bundle(model, tmp_path / "photos.pyz")
    manifest = Contents(str(made.path)).manifest
    assert manifest.faces == FaceSettings(margin=0.1)
    assert (manifest.detector, made.golden_images) == ("blaze", 17)
    assert all(golden.faces for golden in manifest.golden)
    assert device(made.path, "selftest").status == 0
    assert "detected by blaze, margin 0.1; each predicted" in device(made.path, "info").out


@pytest.mark.slow
def test_of_a_detector_that_finds_few_drawn_faces_those_are_taken(tmp_path):
    pytest.importorskip("cv2")
    made = make_bundle(
        _of_faces(tmp_path, FaceSettings(detector="cascade")), tmp_path / "cascade.pyz"
    )
    contents = Contents(str(made.path))
    assert (made.detector, made.detected_faces) == ("cascade", 2)
    assert 4 <= made.golden_images <= 17
    assert all(golden.faces for golden in contents.manifest.golden)
    assert BLAZE not in contents.manifest.members
    assert "opencv-python-headless" in contents.manifest.built_with
    assert not run_selftest(contents).failures
    assert _list_packages(made) == ["numpy", "pillow", "ai-edge-litert", "opencv-python-headless"]


def test_drawn_images_without_a_face_are_an_error(tmp_path, monkeypatch):
    from edgeemo.imaging.faces.blaze import BlazeFace

    monkeypatch.setattr(BlazeFace, "detect", lambda self, image: ())
    model = _of_faces(tmp_path, FaceSettings())
    with pytest.raises(
        BundleError, match="no face is detected in any of the drawn images; --golden"
    ):
        make_bundle(model, tmp_path / "a.pyz")
    assert not (tmp_path / "a.pyz").exists()
    assert draw_detectable_photo(build_detector(FaceSettings())) is None


def test_a_model_of_faces_may_be_bundled_without(tmp_path, device, photos):
    model = _of_faces(tmp_path, FaceSettings(cropped=True))
    made = make_bundle(
        model, tmp_path / "plain.pyz", options=BundleOptions(faces=FaceRequest(enabled=False))
    )
    manifest = Contents(str(made.path)).manifest
    assert (manifest.faces, manifest.detector, made.golden_images) == (None, "", 16)
    assert not {name for name in _members(made) if name.startswith("edgeemo/imaging/faces")}
    shown = json.loads(device(made.path, "predict", "--json", photos[0]).out)
    assert "scores" in shown


def test_other_settings_than_the_models_are_recorded(tmp_path, device, photos):
    model = _of_faces(tmp_path, FaceSettings(cropped=True))
    request = FaceRequest(margin=0.3)
    made = make_bundle(model, tmp_path / "wide.pyz", options=BundleOptions(faces=request))
    assert Contents(str(made.path)).manifest.faces == FaceSettings(margin=0.3, cropped=True)
    shown = json.loads(device(made.path, "predict", "--json", photos[0]).out)
    expected = Classifier.load(model, faces=request).predict(photos[0])
    assert shown["faces"][0]["scores"] == expected.scores
    narrow = Classifier.load(model).predict(photos[0])
    assert expected.scores != narrow.scores


def test_a_fallback_finds_the_same_faces(tmp_path):
    made = make_bundle(
        MODEL,
        tmp_path / "two.pyz",
        options=BundleOptions(fallback=GOLDEN / "float32.onnx", faces=FIND),
    )
    contents = Contents(str(made.path))
    contents.use_fallback()
    result = run_selftest(contents)
    assert not result.failures
    assert result.manifest.detector == "blaze"
    assert len(result.checks[-1].faces) == 2


def test_a_missing_face_detector_is_reported_with_its_remedy(tmp_path, device, photos):
    pytest.importorskip("cv2")
    made = make_bundle(
        MODEL, tmp_path / "c.pyz", options=BundleOptions(faces=FaceRequest(detector="cascade"))
    )
    for words in (("selftest",), ("predict", photos[0])):
        ran = device(made.path, *words, python=("-I", "-S"))
        assert (ran.status, ran.err.count("\n")) == (1, 1)
        number = version("opencv-python-headless")
        assert f"pip install numpy=={version('numpy')} " in ran.err
        assert f" opencv-python-headless=={number}" in ran.err
    ran = device(made.path, "predict", "--no-faces", photos[0], python=("-I", "-S"))
    assert "opencv" not in ran.err


def test_a_detectors_own_file_is_included():
    file = DetectorFile(content=b"\x08\x07 a network", name="x.onnx")
    settings = FaceSettings(detector="yunet", file_sha256=file.sha256)
    assert detector_members(settings, file) == {FACE_MODEL: file.content}


def test_what_is_not_installed_here_cannot_be_bundled(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"pip install .*\[faces\]'"):
        make_bundle(
            MODEL, tmp_path / "c.pyz", options=BundleOptions(faces=FaceRequest(detector="cascade"))
        )


def test_the_drawn_photo_is_always_the_same():
    assert draw_photo() == draw_photo()
    assert draw_photo(seed=1) != draw_photo()
    assert draw_detectable_photo(build_detector(FaceSettings())) == draw_photo()
    assert FACES == 2
