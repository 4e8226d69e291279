from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgeemo.errors import DatasetError
from edgeemo.model.tables import Rejected, Sample
from edgeemo.train.data.pipeline import Pixels
from edgeemo.train.data.soft_label_table import read_soft_labels
from edgeemo.train.data.soft_labels import match_soft_labels
from edgeemo.train.data.targets import add_targets
from edgeemo.train.report.agreement import report_soft_labels

LABELS = ("happy", "sad")


def write(folder, text):
    file = folder / "votes.csv"
    file.write_text(text)
    return file


def dataset(*rows, rejected=(), root="faces"):
    """Images, each as "SPLIT PATH"; the folder is the label."""
    samples = tuple(
        Sample(path=path, label=Path(path).parent.name, split=split, sha256="")
        for split, path in (row.split() for row in rows)
    )
    return SimpleNamespace(
        root=Path(root),
        labels=LABELS,
        samples=samples,
        collections=(),
        rejected=tuple(Rejected(path=path, reason="blank", detail="") for path in rejected),
        in_split=lambda split: [each for each in samples if each.split == split],
    )


def test_votes_of_several_people(tmp_path):
    table = read_soft_labels(
        write(
            tmp_path,
            "file,split,sad,neutral,happy\n\na.png,train,1,5,3\nb.png,train,0,9,0\n"
            '"c,d.png",test,0.25,0,0.75\n',
        ),
        labels=LABELS,
    )
    assert (table.others, table.ignored) == (("neutral",), ("split",))
    assert table.lines == (3, 4, 5)
    assert table.paths == ("a.png", "b.png", "c,d.png")
    np.testing.assert_array_equal(table.answers, [[3, 1, 5], [0, 0, 9], [0.75, 0.25, 0]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty; its first line must name the columns"),
        (
            "image,happy,sad\n",
            "line 1: no column 'path' or 'file'; the columns are image, happy, sad",
        ),
        (
            "path,happiness,sad\n",
            "line 1: no column for happy; the columns are path, happiness, sad",
        ),
        ("path,sad,happy,sad\n", "line 1: two columns are called 'sad'"),
        ("path,happy,sad\na,1\n", "line 2: 2 values for 3 columns"),
        ("path,happy,sad\na,1,0\nb,1,-1\n", "line 3: sad must be a number of at least 0, not '-1'"),
        ("path,happy,sad\na,nan,1\n", "line 2: happy must be a number of at least 0, not 'nan'"),
        ("path,happy,sad\na,,1\n", "line 2: happy must be a number of at least 0, not ''"),
        ("path,happy,sad\na,1,0\nb,0,0\n", "line 3: all answers are 0; delete the row"),
    ],
)
def test_a_table_that_is_wrong(tmp_path, text, words):
    file = write(tmp_path, text)
    with pytest.raises(DatasetError) as error:
        read_soft_labels(file, labels=LABELS)
    assert str(error.value).startswith(f"{file}: {words}")
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_table(tmp_path):
    with pytest.raises(DatasetError, match="no such file"):
        read_soft_labels(tmp_path / "none.csv", labels=LABELS)
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match=r"x\.csv: not CSV"):
        read_soft_labels(tmp_path / "x.csv", labels=LABELS)


def test_rows_name_images_by_any_end_of_the_path(tmp_path):
    names = ("1.png", "happy/2.png", "train/happy/3.png", "./4.png", "faces/train/sad/5.png",
             f"{tmp_path}/faces/test/sad/6.png", "7.png", "8.png")  # fmt: skip
    file = write(tmp_path, "path,happy,sad\n" + "".join(f"{name},3,1\n" for name in names))
    images = dataset(
        *(f"train train/happy/{number}.png" for number in (1, 2, 3, 4)),
        "train train/sad/5.png",
        "test test/sad/6.png",
        "train train/sad/9.png",
        rejected=["train/happy/7.png"],
        root=tmp_path / "faces",
    )
    soft = match_soft_labels(read_soft_labels(file, labels=LABELS), images)
    assert len(soft.rows) == 6
    counts = soft.counts
    assert (counts.images, counts.distributions, counts.without_row) == (6, 5, 1)
    assert counts.unused_rows == 2
    assert soft.text == (
        f"{file}: distributions for 5 of 6 training images; the label of the folder for 1 without "
        "a row; 2 rows without an image"
    )


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["1.png"], "line 2: 1.png may be happy/1.png or sad/1.png; give the path"),
        (["happy/1.png", "happy/1.png"], "line 3: happy/1.png has a row already, in line 2"),
        (["3.png"], "no row names an image of faces, such as happy/1.png"),
    ],
)
def test_rows_that_name_no_image_of_their_own(tmp_path, rows, words):
    file = write(tmp_path, "path,happy,sad\n" + "".join(f"{row},1,2\n" for row in rows))
    table = read_soft_labels(file, labels=LABELS)
    with pytest.raises(DatasetError) as error:
        match_soft_labels(table, dataset("train happy/1.png", "train sad/1.png"))
    assert words in str(error.value)


def test_a_whole_path_counts_for_more_than_an_end(tmp_path):
    table = read_soft_labels(write(tmp_path, "path,happy,sad\nhappy/1.png,1,2\n"), labels=LABELS)
    soft = match_soft_labels(table, dataset("train happy/1.png", "train x/happy/1.png"))
    assert soft.rows == {"happy/1.png": 0}


def test_paths_of_collections(tmp_path):
    rows = (f"{tmp_path}/a/1.png", "b/2.png", f"{tmp_path}/c/b/3.png", "4.png")
    file = write(tmp_path, "path,happy,sad\n" + "".join(f"{row},1,2\n" for row in rows))
    images = dataset("train a/1.png", "train b/2.png", "train b-2/3.png", "train b-2/4.png")
    images.collections = tuple(
        SimpleNamespace(name=name, path=tmp_path / path)
        for name, path in (("a", "a"), ("b", "b"), ("b-2", "c/b"))
    )
    soft = match_soft_labels(read_soft_labels(file, labels=LABELS), images)
    assert soft.rows == {"a/1.png": 0, "b/2.png": 1, "b-2/3.png": 2, "b-2/4.png": 3}


def test_targets_are_shares_of_the_classes(tmp_path):
    file = write(
        tmp_path, "path,happy,sad,neutral\n1.png,3,1,6\n2.png,0,0,10\n3.png,0,2,0\n4.png,0,8,2\n"
    )
    images = dataset(
        "train happy/1.png", "train happy/2.png", "test sad/3.png", "train sad/5.png",
        "test happy/4.png",
    )  # fmt: skip
    soft = match_soft_labels(read_soft_labels(file, labels=LABELS), images)
    rows = np.zeros((3, 1, 1, 1), np.uint8)
    splits = {"train": Pixels(rows, np.array([0, 0, 1])), "test": Pixels(rows, np.array([1, 0]))}
    added = add_targets(splits, images, soft_labels=soft)
    np.testing.assert_array_equal(added["train"].targets, [[0.75, 0.25], [1, 0], [0, 1]])
    assert added["test"].targets is None
    assert add_targets(splits, images, soft_labels=None) is splits
    assert soft.counts.without_answer == 1

    evaluation = SimpleNamespace(truth=np.array([1, 0]), right=np.array([True, False]))
    found = report_soft_labels(soft, images.in_split("test"), evaluation).agreement
    assert (found.images, found.majority_share) == (2, pytest.approx(0.9))
    assert found.entropy_bits == pytest.approx(0.5 * 0.7219281)
    assert (found.agreed.n, found.agreed.value) == (1, 1)
    assert (found.disputed.n, found.disputed.value) == (1, 0)
