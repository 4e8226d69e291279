from __future__ import annotations

import shutil
from collections import Counter

import pytest
from PIL import Image

from edgeemo.dataset import (
    Collection,
    IngestOptions,
    check_collections,
    ingest_collections,
    ingest_folder,
    locate_files,
    name_collections,
    open_collections,
    open_data,
    parse_collection,
)
from edgeemo.errors import DatasetError
from edgeemo.utils.progress import Silent

HALVES = {"happy": 0.5, "sad": 0.5}


def ingest(*collections, **options):
    with open_collections(collections) as (root, opened):
        return ingest_collections(root, opened, options=IngestOptions(**options))


def splits(dataset):
    return {sample.path: sample.split for sample in dataset.samples}


def test_each_collection_is_split_by_itself(tmp_path, fill):
    first = fill(tmp_path / "a", {"happy": 20, "sad": 10})
    second = fill(tmp_path / "b", {"happy": 10, "sad": 20}, first=50)
    dataset = ingest(Collection(path=first), Collection(path=second, weight=0.5))
    assert dataset.labels == ("happy", "sad")
    counts = Counter((s.path.split("/")[0], s.label, s.split) for s in dataset.samples)
    assert [counts["a", "happy", split] for split in ("train", "validation", "test")] == [14, 4, 2]
    assert [counts["b", "sad", split] for split in ("train", "validation", "test")] == [14, 4, 2]
    assert [(part.name, part.weight) for part in dataset.collections] == [("a", 1), ("b", 0.5)]
    assert [part.owns(dataset.samples[0]) for part in dataset.collections] == [True, False]
    alone = ingest_folder(first)
    assert {f"a/{path}": split for path, split in splits(alone).items()}.items() <= (
        splits(dataset).items()
    )


def test_copies_and_near_duplicates_across_collections(tmp_path, fill, paint):
    first = fill(tmp_path / "a", {"happy": 20, "sad": 20})
    second = fill(tmp_path / "b", {"happy": 20, "sad": 20}, first=50)
    for number in range(12):
        paint(number, size=(300, 240)).save(second / f"happy/near{number}.jpg", quality=60)
    shutil.copy(first / "sad/020.png", second / "sad/copy.png")
    dataset = ingest(Collection(path=first), Collection(path=second))
    split_of = splits(dataset)
    for number in range(12):
        assert split_of[f"a/happy/{number:03}.png"] == split_of[f"b/happy/near{number}.jpg"]
    assert len(set(split_of.values())) == 3
    assert [(row.path, row.reason) for row in dataset.rejected] == [("b/sad/copy.png", "duplicate")]
    assert dataset.summary.near_duplicate_groups == 12


def test_of_copies_that_of_the_first_collection_stays(tmp_path, fill):
    first = fill(tmp_path / "b", {"happy": 10, "sad": 10})
    second = fill(tmp_path / "a", {"happy": 10, "sad": 10})
    dataset = ingest(Collection(path=first), Collection(path=second))
    assert {path[0] for path in splits(dataset)} == {"b"}
    assert [s.path for s in dataset.samples] == sorted(splits(dataset))
    assert {row.detail.split("/")[0] for row in dataset.rejected} == {"identical to b"}


@pytest.mark.parametrize("turned", [False, True])
def test_own_splits_are_kept_and_others_follow_them(tmp_path, fill, paint, turned):
    own = tmp_path / "own"
    for number, split in enumerate(("train", "validation", "test")):
        fill(own / split, {"happy": 6, "sad": 6}, first=100 * number)
    free = fill(tmp_path / "free", {"happy": 20, "sad": 20}, first=500)
    for number, name in ((0, "train"), (100, "validation"), (200, "test")):
        paint(number, size=(300, 240)).save(free / f"happy/like-{name}.jpg", quality=60)
    shutil.copy(own / "test/sad/206.png", free / "sad/copy.png")
    collections = [Collection(path=own), Collection(path=free)]
    dataset = ingest(*(reversed(collections) if turned else collections))
    split_of = splits(dataset)
    for split in ("train", "validation", "test"):
        assert split_of[f"free/happy/like-{split}.jpg"] == split
        assert sum(path.startswith(f"own/{split}/") for path in split_of) == 12
        assert all(path.split("/")[1] == it for path, it in split_of.items() if path[:3] == "own")
    assert [(row.path, row.reason) for row in dataset.rejected] == [
        ("free/sad/copy.png", "duplicate")
    ]
    brought = {part.name: part.brought_splits for part in dataset.collections}
    assert brought == {"own": True, "free": False}


def test_what_one_tests_on_another_does_not_train_on(tmp_path, fill, paint):
    for name, first in (("a", 0), ("b", 500)):
        for number, split in enumerate(("train", "validation", "test")):
            fill(tmp_path / name / split, {"happy": 6, "sad": 6}, first=first + 100 * number)
    paint(200, size=(300, 240)).save(tmp_path / "b/train/happy/near.jpg", quality=60)
    shutil.copy(tmp_path / "a/test/sad/206.png", tmp_path / "b/train/sad/copy.png")
    dataset = ingest(Collection(path=tmp_path / "a"), Collection(path=tmp_path / "b"))
    assert {row.path: row.reason for row in dataset.rejected} == {
        "b/train/happy/near.jpg": "leak",
        "b/train/sad/copy.png": "leak",
    }
    assert dataset.summary.leaks == {"train/test": 2}


def test_classes_with_shares_are_trained_on_only(tmp_path, fill, paint):
    first = fill(tmp_path / "a", {"happy": 20, "sad": 20})
    second = fill(tmp_path / "b", {"angry": 10, "joy": 20, "sad": 20, "fear": 5}, first=50)
    kept = ingest(
        Collection(path=first), Collection(path=second, classes={"joy": "happy"}),
        classes=("happy", "sad"),
    )  # fmt: skip
    tested = [int(path[-7:-4]) for path, split in splits(kept).items() if split == "test"]
    assert {36, 77} <= set(tested)
    for number in (36, 77):
        like = Image.blend(paint(number), paint(9999), 0.16)  # less is one image in two classes
        like.save(second / f"angry/near{number}.png")
    classes = {"joy": "happy", "angry": {"sad": 3, "happy": 1}}
    dataset = ingest(
        Collection(path=first),
        Collection(path=second, weight=2, classes=classes),
        classes=("happy", "sad"),
    )
    assert splits(kept).items() <= splits(dataset).items()
    angry = [sample for sample in dataset.samples if sample.label == "angry"]
    assert [sample.split for sample in angry] == ["train"] * 10
    assert dataset.collections[1].soft == {"angry": (0.25, 0.75)}
    assert Counter(row.reason for row in dataset.rejected) == {"leak": 2}
    assert dataset.summary.leaks == {"train/test": 2}
    assert not any(sample.label == "fear" for sample in dataset.samples)
    assert {s.label for s in dataset.samples if "/joy/" in s.path} == {"happy"}


def test_of_own_splits_classes_with_shares_are_taken_from_train(tmp_path, fill):
    for number, split in enumerate(("train", "validation", "test")):
        fill(tmp_path / "a" / split, {"angry": 3, "happy": 6, "sad": 6}, first=100 * number)
    dataset = ingest(
        Collection(path=tmp_path / "a", classes={"angry": HALVES}), classes=("happy", "sad")
    )
    angry = [s.path for s in dataset.samples if s.label == "angry"]
    assert [path.rpartition("/")[0] for path in angry] == ["a/train/angry"] * 3


def test_a_random_split_pools_the_collections(tmp_path, fill):
    own = tmp_path / "own"
    fill(own / "train", {"happy": 10, "sad": 10})
    fill(own / "test", {"happy": 10, "sad": 10}, first=100)
    dataset = ingest(
        Collection(path=own),
        Collection(path=fill(tmp_path / "b", {"angry": 5, "happy": 10, "sad": 10}, first=300),
                   classes={"angry": HALVES}),
        classes=("happy", "sad"), grouped=False,
    )  # fmt: skip
    assert dataset.summary.per_split["test"] == {"happy": 3, "sad": 3}
    assert {s.split for s in dataset.samples if s.label == "angry"} == {"train"}


@pytest.mark.parametrize(
    ("changes", "options", "words"),
    [
        ({}, {}, "b: its classes are angry, happy, those of .*a happy, sad; name those to take"),
        ({}, {"classes": ("happy", "sadd")}, "class 'sadd' is unknown; did you mean 'sad'"),
        ({}, {"classes": ("glum", "sad")}, "class 'glum' is unknown"),
        ({"classes": {"angri": HALVES}}, {}, "b: class 'angri' is unknown; did you mean 'angry'"),
        ({"classes": {"angry": "glad"}}, {"classes": ("happy", "sad")}, "b: class 'glad' is unkn"),
        ({"classes": {"angry": {"glad": 1}}}, {"classes": ("happy", "sad")}, "'glad' is unknown"),
        ({"classes": {"angry": HALVES}}, {}, "b: its classes are happy, those of .*a happy, sad"),
        ({}, {"classes": ("sad", "glad")}, "'glad' is unknown"),
        (
            {},
            {"classes": ("happy", "sad"), "labels": ("happy", "x")},
            "the labels happy, x are not",
        ),
    ],
)
def test_classes_that_do_not_fit(tmp_path, fill, changes, options, words):
    first = fill(tmp_path / "a", {"happy": 1, "sad": 1})
    second = fill(tmp_path / "b", {"angry": 1, "happy": 1})
    collections = [Collection(path=first), Collection(path=second, **changes)]
    with pytest.raises(DatasetError, match=words) as error:
        check_collections(collections, **options)
    assert "\n" not in str(error.value)


def test_a_collection_of_which_nothing_is_taken(tmp_path, fill):
    first = fill(tmp_path / "a", {"happy": 1, "sad": 1})
    second = fill(tmp_path / "b", {"angry": 1, "fear": 1})
    with pytest.raises(DatasetError, match=r"b: none of its classes is taken: angry, fear$"):
        check_collections(
            [Collection(path=first), Collection(path=second)], classes=("happy", "sad")
        )
    with pytest.raises(DatasetError, match=r"c: no such folder or \.zip file"):
        check_collections([Collection(path=first), Collection(path=tmp_path / "c")])
    assert check_collections([Collection(path=first)], labels=("sad", "happy")) == ("sad", "happy")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("faces", "a collection is a table with a path, not 'faces'"),
        ({"weight": 1}, "path must be a path, not None"),
        ({"path": "a", "wheight": 2}, "key 'wheight' is unknown; did you mean 'weight'"),
        ({"path": "a", "weight": "2"}, "weight must be a number, not '2'"),
        ({"path": "a", "weight": 0}, "a: its weight must be a number above 0, not 0"),
        ({"path": "a", "weight": float("nan")}, "a: its weight must be a number above 0, not nan"),
        ({"path": "a", "classes": ["x"]}, r"classes must be a table, not \['x'\]"),
        ({"path": "a", "classes": {"x": 1}}, "classes.x must be a class or a table of shares"),
        ({"path": "a", "classes": {"x": {"y": -1}}}, "a: the shares of x must be numbers of at"),
        ({"path": "a", "classes": {"x": {}}}, "a: the shares of x must be numbers of at least 0"),
    ],
)
def test_a_table_that_is_no_collection(content, words):
    with pytest.raises(DatasetError, match=words):
        parse_collection(content)


def test_archives_and_folders_of_one_name(tmp_path, fill):
    first = fill(tmp_path / "a/faces", {"happy": 5, "sad": 5})
    fill(tmp_path / "b/faces", {"happy": 5, "sad": 5}, first=50)
    packed = shutil.make_archive(str(tmp_path / "faces"), "zip", tmp_path / "b/faces")
    collections = [parse_collection({"path": str(first)}), parse_collection({"path": packed})]
    named = name_collections(collections)
    assert list(named.folders) == ["faces", "faces-2"]
    dataset = ingest(*collections)
    assert {sample.path.split("/")[0] for sample in dataset.samples} == {"faces", "faces-2"}

    hashes = {sample.sha256: sample.path for sample in dataset.samples}
    with open_data(named) as root:
        found = locate_files(root, hashes, hint=hashes, progress=Silent())
        assert {sha256: path.relative_to(root).as_posix() for sha256, path in found.items()} == (
            hashes
        )
        moved = dict.fromkeys(hashes, "elsewhere.png")
        assert len(locate_files(root, hashes, hint=moved, progress=Silent())) == len(hashes)
    assert not root.exists()
    assert named.exists()
