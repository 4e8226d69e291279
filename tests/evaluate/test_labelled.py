"""Which images of a folder are evaluated, and as which label."""

from __future__ import annotations

import shutil

import pytest

from edgeemo.dataset import draw_faces
from edgeemo.errors import DatasetError
from edgeemo.evaluate.labelled import ClassChoice, find_labelled_images

LABELS = ("happy", "sad")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn") / "drawn"
    draw_faces(folder, count=6, size=32, seed=3)
    return folder


@pytest.fixture
def faces(drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "faces")
    return tmp_path / "faces"


def find(root, **choice):
    return find_labelled_images(root, LABELS, ClassChoice(**choice))


def test_a_class_folder_is_the_label_of_its_name(faces):
    found = find(faces)
    assert len(found.images) == 6
    assert {image.label for image in found.images} == {"happy", "sad"}
    assert all(image.path == f"{image.folder}/{image.within}" for image in found.images)
    assert (found.split, found.notes, found.unknown, found.missing) == ("", (), (), ())


def test_the_case_of_a_class_folder_does_not_matter_and_is_said(faces):
    (faces / "happy").rename(faces / "HAPPY")
    found = find(faces)
    assert found.renamed == {"HAPPY": "happy"}
    assert found.notes == ("the folder HAPPY is taken for the label happy",)
    assert {image.label for image in found.images} == {"happy", "sad"}


def test_labels_that_differ_in_case_alone_are_not_confused(faces):
    (faces / "happy").rename(faces / "Happy")
    found = find_labelled_images(faces, ("happy", "HAPPY", "sad"))
    assert found.unknown == ("Happy",)


def test_a_class_that_the_model_does_not_know_is_kept_apart(faces):
    shutil.copytree(faces / "sad", faces / "angry")
    found = find(faces)
    assert found.unknown == ("angry",)
    assert [image.label for image in found.images if image.folder == "angry"] == [None] * 3


def test_a_class_under_another_name_is_suggested_and_taken(faces):
    (faces / "sad").rename(faces / "sadd")
    assert find(faces).notes == (
        "sadd is no label of the model; if it is sad: --rename sadd=sad",
        "no image of the label sad",
    )
    assert find(faces, renamed={"sadd": "sad"}).unknown == ()


@pytest.mark.parametrize(
    ("renamed", "says"),
    [({"sadd": "sad"}, "did you mean 'sad'"), ({"sad": "sadly"}, "did you mean 'sad'")],
)
def test_a_wrong_name_for_a_class_is_refused(faces, renamed, says):
    with pytest.raises(DatasetError, match=says):
        find(faces, renamed=renamed)


def test_the_test_split_is_taken_where_there_is_one(faces):
    for split in ("train", "val", "test"):
        shutil.copytree(faces / "happy", faces / split / "happy")
    shutil.rmtree(faces / "happy")
    shutil.rmtree(faces / "sad")
    assert {image.path.split("/")[0] for image in find(faces).images} == {"test"}
    assert find(faces).split == "test"
    assert len(find(faces, split="all").images) == 9
    assert find(faces, split="validation").images[0].path.startswith("val/happy/")
    shutil.rmtree(faces / "train")
    assert len(find(faces, split="all").images) == 6
    with pytest.raises(DatasetError, match="has no train split, but test and validation"):
        find(faces, split="train")


def test_one_class_will_do_and_a_class_may_have_sub_folders(faces):
    shutil.rmtree(faces / "sad")
    (faces / "happy" / "indoors").mkdir()
    (faces / "happy" / "happy-0000.jpg").rename(faces / "happy" / "indoors" / "a.jpg")
    found = find(faces)
    assert [image.within for image in found.images][-1] == "indoors/a.jpg"
    assert found.notes == ("no image of the label sad",)


def test_a_folder_above_is_passed_through(faces):
    assert len(find(faces.parent).images) == 6


def test_unlabelled_images_are_one_line(faces):
    with pytest.raises(DatasetError, match=r"images of one class; name the folder that it lies in"):
        find(faces / "happy")
    (faces / "sad").rename(faces / "inbox")
    with pytest.raises(
        DatasetError, match=r"3 images are unlabelled; .* 'edgeemo predict .*inbox'"
    ):
        find(faces / "inbox")
    (faces / "empty").mkdir()
    with pytest.raises(DatasetError, match="no images here"):
        find(faces / "empty")
    with pytest.raises(DatasetError, match="no such folder"):
        find(faces / "missing")


def test_images_beside_the_classes_and_other_files_are_left_out(faces):
    shutil.copy(faces / "happy" / "happy-0000.jpg", faces / "loose.jpg")
    (faces / "happy" / "notes.txt").write_text("smile")
    (faces / "happy" / ".hidden.jpg").touch()
    found = find(faces)
    assert len(found.images) == 6
    assert found.notes == (
        "1 image beside the class folders left out: unlabelled",
        "1 other file passed over (1 .txt): JPEG, PNG, BMP, WebP and GIF are read",
    )


def test_no_known_class_names_both_sides(faces):
    with pytest.raises(DatasetError, match=r"none of its classes \(happy, sad\) .* \(cat, dog\)"):
        find_labelled_images(faces, ("cat", "dog"))


def test_classes_can_be_chosen(faces):
    assert {image.label for image in find(faces, classes=("sad",)).images} == {"sad"}
    with pytest.raises(DatasetError, match="did you mean 'happy'"):
        find(faces, classes=("hapy",))


def test_empty_class_folders_have_no_image(tmp_path):
    (tmp_path / "happy").mkdir()
    (tmp_path / "sad").mkdir()
    with pytest.raises(DatasetError, match=r"no image in its class folders \(happy, sad\)"):
        find(tmp_path)
