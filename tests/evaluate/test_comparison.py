"""A comparison against the predictions one by one, and the images that models share."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import edgeemo
from edgeemo.dataset import draw_faces
from edgeemo.errors import DatasetError, ModelFolderError
from edgeemo.evaluate import ClassChoice, EvaluationOptions, compare, evaluate
from edgeemo.evaluate.comparison_report import PairedComparison
from edgeemo.metrics import compare_accuracy
from edgeemo.model.container import unseal
from edgeemo.model.tables import Sample, write_samples
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.files import sha256_file
from edgeemo.utils.serialize import to_plain

from ..bench.conftest import report, result

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FIRST, SECOND = GOLDEN / "float32.tflite", GOLDEN / "int8.tflite"


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison") / "faces"
    draw_faces(folder, count=40, size=48, seed=3)
    return folder


@pytest.fixture
def folders(faces, tmp_path):
    """Two model folders, which share ten test images; of these the second was trained on two."""
    paths = sorted(path for path in faces.glob("*/*.*") if path.suffix in (".jpg", ".png"))
    tested = paths[:5] + paths[-5:]
    made = []
    for name, file, trained in (("first", FIRST, []), ("second", SECOND, tested[:2])):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(file, folder)
        (folder / "spec.json").write_text(unseal(file).spec.to_json())
        (folder / "training.json").write_text(json.dumps({"data": str(faces), "arch": "cnn"}))
        (folder / "config.toml").write_text(
            f'data = "faces"\nout = "{name}"\nepochs = {len(trained) + 1}\narch = "cnn"\n'
        )
        write_samples(
            folder / "split.csv",
            [
                Sample(
                    path=path.relative_to(faces).as_posix(),
                    label=path.parent.name,
                    split="test" if path in tested and path not in trained else "train",
                    sha256=sha256_file(path),
                )
                for path in paths
            ],
        )
        made.append(folder)
    return [made[0] / FIRST.name, made[1] / SECOND.name]


def test_the_figures_are_those_of_each_model_by_itself(faces):
    found = compare([FIRST, SECOND], faces)
    models = [Classifier.load(path) for path in (FIRST, SECOND)]
    right = [
        [each.predict(path).label == path.parent.name for each in models]
        for path in sorted(faces.glob("*/*.*"))
    ]
    (pair,) = found.pairs
    assert [each.quality for each in found.models] == [
        evaluate(path, faces).overall for path in (FIRST, SECOND)
    ]
    assert pair.n == found.n == len(right)
    assert pair.paired.only_reference_right == sum(one and not two for one, two in right)
    assert pair.paired.only_candidate_right == sum(two and not one for one, two in right)
    assert found.disagreement_count == sum(one != two for one, two in right)
    assert len(found.disagreements) == min(found.disagreement_count, 24)
    assert [each.name for each in found.models] == ["float32.tflite", "int8.tflite"]
    json.dumps(to_plain(found))


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("0" * 12 + "1" * 20, "1" * 32, "b is better than a: 12 more of 32 images right"),
        ("1" * 32, "0" * 8 + "1" * 24, "b is worse than a: 8 fewer of 32 images right (p = 0.00"),
        ("0" * 3 + "1" * 20, "1" * 23, "23 images do not show which of b and a is better"),
        ("", "", "no image gets a class from both b and a"),
    ],
)
def test_the_verdict_on_a_pair(first, second, says):
    paired = compare_accuracy([each == "1" for each in first], [each == "1" for each in second])
    pair = PairedComparison(reference="a", candidate="b", n=len(first), paired=paired)
    assert pair.verdict.startswith(says)


def test_images_without_a_class_from_both_are_not_paired(faces, hesitant, tmp_path):
    found = compare([FIRST, hesitant("float32.tflite", tmp_path, 0.6)], faces)
    assert 0 < found.pairs[0].n < found.n
    assert found.pairs[0].paired.mcnemar_p == 1


def test_without_data_the_shared_test_images_are_compared(folders):
    found = compare(folders)
    assert found.shared_test
    assert found.n == 8
    assert [model.trained_on for model in found.models] == [0, 0]
    assert found.differences == {
        "epochs": ("1", "3"), "train images": ("30", "32"), "test images": ("10", "8"),
    }  # fmt: skip


def test_with_data_images_of_a_training_are_counted_and_excluded(folders, faces):
    assert [model.trained_on for model in compare(folders, faces).models] == [30, 32]
    found = compare(folders, faces, options=EvaluationOptions(exclude_trained=True))
    assert found.n == 8
    assert found.notes == ("32 images left out: a model was trained on them",)


def test_no_common_test_images_are_one_line(folders, faces):
    with pytest.raises(DatasetError, match="its test images are not listed beside it; name"):
        compare([folders[0], SECOND])
    split = folders[1].parent / "split.csv"
    split.write_text(split.read_text().replace(",test,", ",train,"))
    with pytest.raises(DatasetError, match="no common test images of first and second; name"):
        compare(folders)


def test_images_that_are_gone_are_one_line(folders):
    for path in folders:
        (path.parent / "training.json").write_text(json.dumps({"data": "gone"}))
    with pytest.raises(DatasetError, match="gone: gone; name labelled images with --data"):
        compare(folders)


def test_the_time_of_a_prediction_comes_from_the_bench_of_this_very_file(folders, faces):
    measured = report(
        result("int8.tflite", 5, sha256=sha256_file(folders[1])),
        result("int8.tflite", 4, threads=2, sha256=sha256_file(folders[1])),
    )
    (folders[1].parent / "bench.json").write_text(json.dumps(to_plain(measured)))
    (folders[0].parent / "bench.json").write_text(json.dumps(to_plain(measured)))
    first, second = compare(folders, faces).models
    assert first.latency is None
    assert (second.latency.threads, second.latency.median_ms) == (1, 5)


def test_only_classes_that_every_model_has_are_compared(faces, tmp_path):
    shutil.copytree(faces, tmp_path / "faces")
    shutil.copytree(faces / "sad", tmp_path / "faces" / "grim")
    found = compare([FIRST, SECOND], tmp_path / "faces")
    assert found.n == 40
    assert "left out, as not every model knows it: grim" in found.notes
    chosen = EvaluationOptions(choice=ClassChoice(classes=("sad",)))
    assert compare([FIRST, SECOND], tmp_path / "faces", options=chosen).n == 20
    with pytest.raises(DatasetError, match="fewer than two classes in common"):
        compare([FIRST, "emotions"], faces)


def test_compare_is_offered_by_the_library(faces):
    assert edgeemo.compare([str(FIRST), SECOND], str(faces)).n == 40


def test_what_cannot_be_compared_is_refused(faces):
    with pytest.raises(ValueError, match="two or more"):
        compare([FIRST], faces)
    with pytest.raises(ModelFolderError, match="no such file"):
        compare([FIRST, "gone.tflite"], faces)


def test_the_page_shows_the_models_and_where_they_disagree(faces, tmp_path):
    page = tmp_path / "page.html"
    found = compare([FIRST, SECOND], faces, html=page)
    text = page.read_text()
    assert "Comparison of float32.tflite and int8.tflite" in text
    assert found.pairs[0].verdict in text
    assert text.count("data:image/") == len(found.disagreements)


def test_the_files_of_the_shipped_model_on_real_crops(data_dir):
    folder = Path(__file__).resolve().parents[2] / "models" / "happy-sad"
    models = [folder / "int8.tflite", folder / "float32.tflite"]
    found = compare(models, data_dir / "ckplus48")
    assert "do not show" in found.pairs[0].verdict
    assert "the images are face crops and are taken whole, by every model" in found.notes
