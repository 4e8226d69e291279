from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeemo.dataset import IngestOptions
from edgeemo.dataset.ingest.class_folders import has_classes
from edgeemo.dataset.ingest.find import find_any_files, find_files
from edgeemo.dataset.ingest.splits import is_split_name
from edgeemo.errors import DatasetError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def rows(layout):
    return [(file.path, file.label, file.split) for file in layout.files]


def test_a_folder_per_class(tmp_path):
    touch(tmp_path, "sad/b.png", "happy/deep/er/a.jpg", "README.md")
    layout = find_files(tmp_path)
    assert layout.labels == ("happy", "sad")
    assert layout.splits == ()
    assert rows(layout) == [("happy/deep/er/a.jpg", "happy", None), ("sad/b.png", "sad", None)]


def test_brought_splits_in_any_case_and_spelling(tmp_path):
    touch(tmp_path, "TRAIN/happy/1", "TRAIN/sad/2", "Val/happy/3", "valid/sad/4", "Test/sad/5")
    layout = find_files(tmp_path)
    assert layout.splits == ("train", "validation", "test")
    assert rows(layout) == [
        ("TRAIN/happy/1", "happy", "train"),
        ("TRAIN/sad/2", "sad", "train"),
        ("Test/sad/5", "sad", "test"),
        ("Val/happy/3", "happy", "validation"),
        ("valid/sad/4", "sad", "validation"),
    ]


def test_a_split_without_files_is_not_brought(tmp_path):
    touch(tmp_path, "train/happy/1", "train/sad/2", "test/happy/3")
    (tmp_path / "validation" / "happy").mkdir(parents=True)
    assert find_files(tmp_path).splits == ("train", "test")


@pytest.mark.parametrize("inner", ["", "train/"])
def test_a_single_folder_on_top_is_passed_through(tmp_path, inner):
    touch(tmp_path, f"archive/faces/{inner}happy/1", f"archive/faces/{inner}sad/2")
    touch(tmp_path, "__MACOSX/archive/._1", "archive/notes.txt")
    layout = find_files(tmp_path)
    assert layout.labels == ("happy", "sad")
    assert layout.files[0].path == f"archive/faces/{inner}happy/1"


def test_classes_named_like_splits_need_a_train_split(tmp_path):
    touch(tmp_path, "test/1", "valid/2")
    assert find_files(tmp_path).labels == ("test", "valid")


def test_what_desktops_leave_behind_is_no_image(tmp_path):
    touch(tmp_path, "happy/a.png", "happy/.DS_Store", "happy/Thumbs.db", "happy/desktop.ini")
    touch(tmp_path, "sad/b.png", ".cache/c.png", "__MACOSX/d.png", "sad/__macosx/e.png")
    assert [file.path for file in find_files(tmp_path).files] == ["happy/a.png", "sad/b.png"]


def test_links_to_folders_do_not_go_round_for_ever(tmp_path):
    touch(tmp_path, "happy/a.png", "sad/b.png")
    (tmp_path / "happy" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert len(find_files(tmp_path).files) == 2


def test_folders_beside_splits_are_named(tmp_path):
    touch(tmp_path, "train/happy/1", "train/sad/2", "notes/3")
    assert find_files(tmp_path).ignored == ("notes",)


def test_labels_give_the_order(tmp_path):
    touch(tmp_path, "happy/1", "sad/2")
    assert find_files(tmp_path, labels=("sad", "happy")).labels == ("sad", "happy")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            ("happy", "Sadd"),
            r"no folder for Sadd \(did you mean 'sad'\?\); a folder but no label for sad$",
        ),
        (("happy", "sad", "glum"), "no folder for glum$"),
        (("happy",), "a folder but no label for sad"),
        (("happy", "sad", "sad"), "a label is named twice"),
    ],
)
def test_labels_must_be_the_folders(tmp_path, labels, words):
    touch(tmp_path, "happy/1", "sad/2")
    with pytest.raises(DatasetError, match=words):
        find_files(tmp_path, labels=labels)


@pytest.mark.parametrize("find", [find_files, find_any_files])
def test_some_classes_are_taken_by_name(tmp_path, find):
    touch(tmp_path, "train/angry/1", "train/happy/2", "train/sad/3", "test/happy/4", "test/glum/5")
    layout = find(tmp_path, classes=("sad", "happy"))
    assert layout.labels == ("happy", "sad")
    assert [file.path for file in layout.files] == ["test/happy/4", "train/happy/2", "train/sad/3"]
    ordered = find_files(tmp_path, classes=("happy", "sad"), labels=("sad", "happy"))
    assert ordered.labels == ("sad", "happy")


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (
            ("hapy", "sad"),
            "class 'hapy' is unknown; did you mean 'happy'\\? Choose from angry, happy, sad$",
        ),
        (("glum", "sad"), "test: glum is no class of the train split$"),
    ],
)
def test_an_unknown_class(tmp_path, classes, words):
    touch(tmp_path, "train/angry/1", "train/happy/2", "train/sad/3", "test/glum/5")
    with pytest.raises(DatasetError, match=words) as error:
        find_files(tmp_path, classes=classes)
    assert str(error.value).startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("classes", "labels", "words"),
    [
        ((), None, "requires two or more different classes, not none"),
        (("happy",), None, "requires two or more different classes, not happy"),
        (("sad", "sad"), None, "requires two or more different classes, not sad, sad"),
        (("happy", "sad"), ("sad", "glum"), "glum, happy is in one of them only"),
    ],
)
def test_classes_that_cannot_be_taken(classes, labels, words):
    with pytest.raises(DatasetError, match=words):
        IngestOptions(classes=classes, labels=labels)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "no classes here"),
        (["a.png", "b.png"], "no classes here"),
        (["happy/1"], r"only one class \(happy\)"),
        (["train/happy/1", "test/happy/2"], r"only one class \(happy\)"),
        (["train/a/1", "train/b/2", "test/c/3"], "test: c is no class of the train split"),
    ],
)
def test_too_few_classes(tmp_path, names, words):
    touch(tmp_path, *names)
    with pytest.raises(DatasetError, match=words) as error:
        find_files(tmp_path)
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_no_such_folder(tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        find_files(tmp_path / "nowhere")


def test_an_unreadable_folder_is_not_passed_over(tmp_path, monkeypatch):
    touch(tmp_path, "happy/locked/1", "sad/2")
    listdir = os.listdir

    def refuse(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(DatasetError, match="locked: cannot be read: Permission denied"):
        find_files(tmp_path)


def test_a_class_name_that_is_not_text_is_refused(tmp_path):
    touch(tmp_path, "happy/1", "sad/2")
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9")  # noqa: PTH102
    with pytest.raises(DatasetError, match="rename the folder"):
        find_files(tmp_path)


def test_has_classes(tmp_path):
    assert not has_classes(tmp_path / "data")
    touch(tmp_path, "data/README.md", "data/.hidden/1")
    assert not has_classes(tmp_path / "data")
    touch(tmp_path, "data/happy/1")
    assert has_classes(tmp_path / "data")


def test_pipes_and_devices_are_passed_over_and_broken_links_are_not(tmp_path):
    touch(tmp_path, "happy/1.png", "sad/1.png")
    os.mkfifo(tmp_path / "happy/pipe.png")
    (tmp_path / "happy/null.png").symlink_to(os.devnull)
    (tmp_path / "happy/loop.png").symlink_to("loop.png")
    found = [file.path for file in find_files(tmp_path).files]
    assert found == ["happy/1.png", "happy/loop.png", "sad/1.png"]


def splits_of(tmp_path, *names):
    for name in names:
        touch(tmp_path, f"{name}/happy/1", f"{name}/sad/2")
    layout = find_files(tmp_path)
    assert layout.labels == ("happy", "sad")
    assert layout.warnings == ()
    return {file.path.partition("/")[0]: file.split for file in layout.files}


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("Training", "Testing"), ("train", "test")),
        (("Training", "PublicTest", "PrivateTest"), ("train", "validation", "test")),
        (("training", "publictest"), ("train", "test")),
        (("TRAIN", "VALID", "TEST"), ("train", "validation", "test")),
        (("train", "val", "eval"), ("train", "validation", "test")),
        (("train", "eval", "test"), ("train", "validation", "test")),
        (("train", "eval"), ("train", "test")),
        (("train_set", "Test Set"), ("train", "test")),
        (("train-data", "validation-data", "testData"), ("train", "validation", "test")),
        (("1_train", "2_public_test", "3_private_test"), ("train", "validation", "test")),
        (("training_set", "dev", "holdout"), ("train", "validation", "test")),
    ],
)
def test_usual_names_of_splits(tmp_path, names, splits):
    assert splits_of(tmp_path, *names) == dict(zip(names, splits, strict=True))


@pytest.mark.parametrize("name", ["set", "data", "images", "trainer", "tester", "contest", "happy"])
def test_other_names_are_no_splits(name):
    assert not is_split_name(name)


@pytest.mark.parametrize("names", [("Testing", "Validation"), ("PublicTest", "PrivateTest")])
def test_splits_without_one_to_train_on_are_refused(tmp_path, names):
    for name in names:
        touch(tmp_path, f"{name}/happy/1", f"{name}/sad/2")
    with pytest.raises(DatasetError, match="test and validation split, but none to train on"):
        find_files(tmp_path)


@pytest.mark.parametrize("top", ["", "train/"])
def test_the_same_folders_in_every_class_are_doubtful(tmp_path, top):
    touch(tmp_path, *(f"{top}{fold}/{one}/1" for fold in ("a", "b") for one in ("happy", "sad")))
    (warning,) = find_files(tmp_path).warnings
    assert warning.text.startswith(
        "every class (a, b) has the same sub-folders (happy, sad); if those are the classes"
    )
    assert not warning.is_certain


def test_splits_inside_the_classes_are_no_splits(tmp_path):
    touch(tmp_path, *(f"{one}/{part}/1" for one in ("happy", "sad") for part in ("Train", "test")))
    (warning,) = find_files(tmp_path).warnings
    assert "which are not taken for splits" in warning.text
    assert warning.is_certain


def test_a_class_with_classes_inside_is_doubtful(tmp_path):
    touch(tmp_path, "happy/1", "sad/2", "test/Happy/3", "test/sad/4")
    (warning,) = find_files(tmp_path).warnings
    assert warning.text.startswith("test is taken for a class, but has sub-folders with the names")
    assert warning.is_certain


@pytest.mark.parametrize(
    "names",
    [
        ("happy/man/1", "sad/woman/2"),
        ("happy/images/1", "sad/images/2"),
        ("happy/a/1", "happy/b/2", "sad/3"),
    ],
)
def test_folders_inside_classes_are_fine_otherwise(tmp_path, names):
    touch(tmp_path, *names)
    assert find_files(tmp_path).warnings == ()
