"""An evaluation against the predictions one by one, and on real images."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from edgeemo.dataset import draw_faces
from edgeemo.errors import DatasetError, MissingExtraError, ModelFolderError
from edgeemo.evaluate import ClassChoice, EvaluationOptions, SliceBy, evaluate
from edgeemo.evaluate.tables import list_warnings
from edgeemo.model.container import unseal
from edgeemo.model.face_request import FaceRequest
from edgeemo.model.tables import Sample, write_samples
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.files import sha256_file
from edgeemo.utils.serialize import to_plain

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MODEL = GOLDEN / "float32.tflite"


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces") / "faces"
    draw_faces(folder, count=40, size=48, seed=3)
    return folder


@pytest.fixture
def copied(faces, tmp_path):
    shutil.copytree(faces, tmp_path / "faces")
    return tmp_path / "faces"


def test_the_figures_are_those_of_the_predictions_one_by_one(faces):
    classifier = Classifier.load(MODEL)
    expected = Counter(
        (path.parent.name, classifier.predict(path).label) for path in faces.glob("*/*.*")
    )
    found = evaluate(MODEL, faces)
    right = expected["happy", "happy"] + expected["sad", "sad"]
    assert found.confusion == {
        truth: {label: expected[truth, label] for label in ("happy", "sad")}
        for truth in ("happy", "sad")
    }
    assert found.overall.n == 40
    assert found.overall.accuracy.value == right / 40
    assert found.overall.accuracy == found.overall.right_of_all == found.guesses
    assert found.overall.coverage.value == 1
    assert found.mistake_count == 40 - right
    assert len(found.mistakes) == min(found.mistake_count, 24)
    assert sorted(found.mistakes, key=lambda each: -each.confidence) == list(found.mistakes)
    assert found.sha256 == sha256_file(MODEL)
    assert (found.trained_on, found.withheld, found.unknown_withheld) == (None, {}, None)
    json.dumps(to_plain(found))


def test_workers_and_the_kind_of_path_change_nothing(faces):
    alone = evaluate(str(MODEL), str(faces), options=EvaluationOptions(workers=1))
    many = evaluate(Classifier.load(MODEL), faces, options=EvaluationOptions(workers=3))
    assert replace(many, images_per_second=alone.images_per_second) == alone


def test_not_sure_lowers_the_coverage_and_not_the_accuracy_of_guesses(faces, hesitant, tmp_path):
    sure = evaluate(MODEL, faces)
    confidences = sorted(Classifier.load(MODEL).predict(path).score for path in faces.glob("*/*.*"))
    threshold = (confidences[9] + confidences[10]) / 2
    found = evaluate(hesitant("float32.tflite", tmp_path, threshold), faces)
    assert found.withheld == {"not sure": 10}
    assert found.overall.coverage.value == 0.75
    assert found.overall.accuracy.n == 30
    assert found.guesses == sure.guesses
    assert found.auc == sure.auc
    assert sum(row["not sure"] for row in found.confusion.values()) == 10


def test_an_unknown_class_is_counted_apart(copied):
    alone = evaluate(MODEL, copied)
    shutil.copytree(copied / "sad", copied / "grim")
    found = evaluate(MODEL, copied)
    assert found.overall == alone.overall
    assert found.unknown == {"grim": found.confusion["sad"]}
    assert found.unknown_withheld.value == 0
    assert found.unknown_withheld.n == 20


def test_a_background_class_is_withheld_and_its_images_count_apart(copied, monkeypatch):
    classifier = Classifier.load(MODEL)
    classifier.spec = replace(
        classifier.spec, labels=("happy", "neither", "sad"), background="neither",
        activation="softmax",
    )  # fmt: skip
    outputs = {"happy": (0.7, 0.1, 0.2), "neither": (0.3, 0.6, 0.1), "sad": (0.2, 0.0, 0.8)}
    predicted = iter([*["happy"] * 15, *["neither"] * 5, *["neither"] * 18, *["sad"] * 22])
    monkeypatch.setattr(classifier.engine, "run", lambda _: outputs[next(predicted)], raising=False)
    shutil.copytree(copied / "sad", copied / "neither")
    found = evaluate(classifier, copied, options=EvaluationOptions(workers=1))
    assert found.labels == ("happy", "sad")
    assert found.withheld == {"neither": 5}
    assert found.overall.coverage.value == 35 / 40
    assert found.overall.accuracy.value == 1
    assert found.guesses.value == 1
    assert found.unknown == {"neither": {"happy": 0, "sad": 2, "neither": 18}}
    assert found.unknown_withheld.value == 0.9
    assert found.calibration.error.n == 40
    assert found.notes == ()


def test_unreadable_images_are_listed_and_not_counted(copied):
    (copied / "happy" / "broken.jpg").write_bytes(b"no image")
    found = evaluate(MODEL, copied)
    assert found.overall.n == 40
    assert [image.path for image in found.unreadable] == ["happy/broken.jpg"]


def test_no_usable_image_is_one_line(tmp_path):
    for label in ("happy", "sad"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(DatasetError, match=r"no usable image: .*happy/broken\.jpg"):
        evaluate(MODEL, tmp_path)


def test_an_archive_is_unpacked(faces, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "faces"), "zip", faces)
    assert evaluate(MODEL, archive).overall == evaluate(MODEL, faces).overall


def test_messages_name_the_archive_and_not_where_it_is_unpacked(faces, tmp_path):
    shutil.copytree(faces / "sad", tmp_path / "inbox")
    archive = shutil.make_archive(str(tmp_path / "inbox"), "zip", tmp_path / "inbox")
    with pytest.raises(DatasetError, match=f"^{archive}: 20 images are unlabelled"):
        evaluate(MODEL, archive)
    shutil.copytree(faces, tmp_path / "faces")
    (tmp_path / "faces" / "sad" / "broken.jpg").touch()
    archive = shutil.make_archive(str(tmp_path / "faces"), "zip", tmp_path / "faces")
    (broken,) = evaluate(MODEL, archive).unreadable
    assert broken.reason.startswith(f"{archive}/sad/broken.jpg: ")


def test_one_class_has_no_auc(faces):
    options = EvaluationOptions(choice=ClassChoice(classes=("happy",)))
    found = evaluate(MODEL, faces, options=options)
    assert found.auc is None
    assert found.notes == ("no image of the label sad",)
    assert found.balanced_accuracy.value == found.overall.accuracy.value


def test_images_that_the_model_was_trained_on_are_counted_and_excluded(faces, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copy(MODEL, folder)
    (folder / "spec.json").write_text(unseal(MODEL).spec.to_json())
    paths = sorted(faces.glob("*/*.*"))
    splits = ("train", "validation", "test", "test")
    write_samples(
        folder / "split.csv",
        [
            Sample(path=f"{at}.jpg", label="sad", split=split, sha256=sha256_file(path))
            for at, (path, split) in enumerate(zip(paths[::10], splits, strict=True))
        ],
    )
    assert evaluate(folder, faces).trained_on == 2
    unseen = evaluate(folder, faces, options=EvaluationOptions(exclude_trained=True))
    assert (unseen.trained_on, unseen.overall.n) == (0, 38)
    assert unseen.notes == ("2 images left out: the model was trained on them",)


def test_a_missing_model_is_one_line(faces):
    with pytest.raises(ModelFolderError, match="no such file or folder"):
        evaluate("models/missing", faces)


def test_photos_are_searched_for_faces_and_crops_are_taken_whole(photos, tmp_path):
    found = evaluate("happy-sad", photos)
    assert found.detects_faces
    assert found.withheld["no face"] >= 2
    assert found.overall.coverage.value < 1
    crops = tmp_path / "crops"
    for path in photos.glob("*/0*"):
        target = crops / path.relative_to(photos)
        target.parent.mkdir(parents=True, exist_ok=True)
        face = Classifier.load("happy-sad").predict(path).face
        with Image.open(path) as photo:
            photo.convert("RGB").crop(
                (face.left, face.top, face.left + face.side, face.top + face.side)
            ).save(target.with_suffix(".png"))
    whole = evaluate("happy-sad", crops)
    assert not whole.detects_faces
    assert whole.notes == ("the images are face crops and are taken whole (--faces detects faces)",)
    chosen = EvaluationOptions(faces=FaceRequest(enabled=True))
    assert evaluate("happy-sad", crops, options=chosen).detects_faces


def test_slices_by_sub_folder_and_by_a_column(copied, tmp_path):
    for label in ("happy", "sad"):
        (copied / label / "indoors").mkdir()
        for path in sorted((copied / label).glob("*.*"))[:8]:
            path.rename(path.parent / "indoors" / path.name)
    by_folder = evaluate(MODEL, copied, options=EvaluationOptions(slice_by=SliceBy.parse("folder")))
    assert {each.name: each.quality.n for each in by_folder.slices} == {"indoors": 16, "(none)": 24}
    assert by_folder.slices[0].quality.accuracy.value <= by_folder.slices[1].quality.accuracy.value
    table = tmp_path / "cameras.csv"
    rows = [
        f"{path.relative_to(copied).as_posix()},{'old' if at % 4 else 'new'},{at}"
        for at, path in enumerate(sorted(copied.glob("[hs]*/**/*.*")))
    ]
    table.write_text("file,camera,age\n" + "\n".join(rows[:-1]))
    options = EvaluationOptions(slice_by=SliceBy.parse(f"{table}:camera"))
    counts = {each.name: each.quality.n for each in evaluate(MODEL, copied, options=options).slices}
    assert counts == {"old": 29, "new": 10, "(none)": 1}


def test_many_numbers_are_cut_into_quarters(faces, tmp_path):
    from edgeemo.evaluate import slices
    from edgeemo.evaluate.labelled import find_labelled_images

    images = find_labelled_images(faces, ("happy", "sad")).images
    table = tmp_path / "ages.csv"
    rows = [f"{Path(image.path).name},{at * 2.5}" for at, image in enumerate(images)]
    table.write_text("path,age\n" + "\n".join(rows))
    monkeypatch = pytest.MonkeyPatch()
    with monkeypatch.context() as patch:
        patch.setattr(slices, "MAX_SLICES", 10)
        slicer = slices.make_slicer(SliceBy(table, "age"), images)
    names = Counter(map(slicer, images))
    assert names == {"0 to 22.5": 10, "25 to 47.5": 10, "50 to 72.5": 10, "75 to 97.5": 10}


@pytest.mark.parametrize(
    ("text", "content", "says"),
    [
        ("t.csv:camera", None, r"t\.csv: No such file"),
        ("t.csv:camra", "file,camera\na,b\n", "did you mean 'camera'"),
        ("t.csv:camera", "picture,camera\na,b\n", "no column of file names"),
        ("t.csv:camera", "file,camera\nz.jpg,b\n", "names none of the images"),
        ("t.csv:camera", "file,camera\nz.jpg\n", "not a CSV table"),
    ],
)
def test_a_wrong_slice_is_one_line(faces, tmp_path, monkeypatch, text, content, says):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("t.csv").write_text(content)
    with pytest.raises(DatasetError, match=says):
        evaluate(MODEL, faces, options=EvaluationOptions(slice_by=SliceBy.parse(text)))


def test_a_slice_is_a_word_or_a_column_of_a_table():
    assert SliceBy.parse("folder") == SliceBy()
    assert SliceBy.parse("a:b.csv:camera") == SliceBy(Path("a:b.csv"), "camera")
    for text in ("camera", "t.csv:", ":camera"):
        with pytest.raises(ValueError, match=r"FILE\.csv:COLUMN"):
            SliceBy.parse(text)


def test_slices_by_sub_folder_require_one(faces):
    with pytest.raises(DatasetError, match="have no sub-folders"):
        evaluate(MODEL, faces, options=EvaluationOptions(slice_by=SliceBy()))


def test_the_page_holds_the_images_of_the_mistakes(photos, tmp_path):
    page = tmp_path / "page.html"
    found = evaluate("happy-sad", photos, html=page)
    text = page.read_text()
    assert text.count("data:image/") == len(found.mistakes) + len(found.withheld_images)
    assert all(
        (each.box is None) == (each.prediction == "no face") for each in found.withheld_images
    )
    assert all(len(each.box) == 4 for each in found.mistakes)
    for title in ("Figures", "Confusion matrix", "Most confident mistakes", "Confidence"):
        assert f"{title}</h2>" in text
    for each in found.mistakes:
        assert each.path in text


def test_a_page_without_jinja2_is_refused_before_any_work(faces, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match="--html needs jinja2, which is not installed"):
        evaluate("gone", faces, html=tmp_path / "page.html")


def test_always_the_same_class_is_a_warning(faces):
    assert any("always predicting" in text for text in list_warnings(evaluate(MODEL, faces)))


def test_the_package_imports_nothing_heavy(faces):
    code = (
        "import sys; from edgeemo.evaluate import compare, evaluate\n"
        "evaluate(sys.argv[1], sys.argv[2])\n"
        "compare([sys.argv[1], sys.argv[3]], sys.argv[2])\n"
        "heavy = {'tensorflow', 'keras', 'typer', 'rich', 'matplotlib', 'onnx', 'scipy', 'jinja2',"
        " 'imagehash'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, MODEL, faces, GOLDEN / "int8.tflite"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (shown.stdout, shown.stderr) == ("[]\n", "")


@pytest.mark.slow
def test_the_shipped_model_on_web_photos(data_dir):
    found = evaluate("happy-sad", data_dir / "web_small")
    assert found.detects_faces
    assert found.overall.n == 301
    assert 0.4 < found.overall.coverage.value < 0.8
    assert found.overall.accuracy.low > 0.75
    assert found.withheld["no face"] > 50


def test_the_shipped_model_on_face_crops_of_seven_classes(data_dir):
    found = evaluate("happy-sad", data_dir / "ckplus48")
    assert not found.detects_faces
    assert found.overall.n == 291
    assert found.overall.accuracy.value > 0.95
    assert set(found.unknown) == {"anger", "contempt", "disgust", "fear", "surprise"}
