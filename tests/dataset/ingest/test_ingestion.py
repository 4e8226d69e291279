from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from functools import partial

import pytest
from PIL import Image, ImageOps

from edgeemo.dataset import IngestOptions, ingest_folder, open_data
from edgeemo.dataset.ingest import judge
from edgeemo.dataset.ingest.examine import examine_file
from edgeemo.errors import DatasetError
from edgeemo.imaging.faces import build_detector
from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.input_spec import InputSpec
from edgeemo.utils.progress import Silent
from edgeemo.utils.serialize import to_plain


def counts(dataset):
    return {
        split: (labels["happy"], labels["sad"])
        for split, labels in dataset.summary.per_split.items()
    }


def by_content(dataset):
    return {sample.sha256: (sample.label, sample.split) for sample in dataset.samples}


def test_a_clean_folder(tmp_path, fill):
    dataset = ingest_folder(fill(tmp_path, {"happy": 20, "sad": 10}))
    assert dataset.root == tmp_path
    assert dataset.labels == ("happy", "sad")
    assert counts(dataset) == {"train": (14, 7), "validation": (4, 2), "test": (2, 1)}
    assert dataset.rejected == ()
    for sample in dataset.samples:
        content = (tmp_path / sample.path).read_bytes()
        assert sample.sha256 == hashlib.sha256(content).hexdigest()
        assert sample.path.startswith(f"{sample.label}/")
    assert [sample.path for sample in dataset.samples] == sorted(s.path for s in dataset.samples)


def state(folder):
    stats = {path: path.stat() for path in folder.rglob("*")}
    return {path: (stat.st_mtime_ns, stat.st_size, stat.st_mode) for path, stat in stats.items()}


def test_a_messy_folder_is_sorted_out_and_not_touched(tmp_path, fill, paint):
    fill(tmp_path, {"happy": 12, "sad": 12})
    happy, sad = tmp_path / "happy", tmp_path / "sad"
    paint(0, size=(300, 240)).save(happy / "near.jpg", quality=60)
    shutil.copy(happy / "001.png", happy / "copy.png")
    shutil.copy(happy / "002.png", sad / "both.png")
    Image.new("RGB", (50, 50), "white").save(sad / "blank.png")
    paint(50).save(sad / "a.jpg", "PNG")
    paint(51).save(sad / "b.jpg", "WEBP")
    (sad / "notes.txt").write_text("not an image")
    (sad / "cut.png").write_bytes((sad / "012.png").read_bytes()[:200])
    before = state(tmp_path)

    dataset = ingest_folder(tmp_path)

    assert state(tmp_path) == before
    assert {row.path: row.reason for row in dataset.rejected} == {
        "happy/002.png": "two-classes",
        "happy/copy.png": "duplicate",
        "sad/b.jpg": "format",
        "sad/blank.png": "blank",
        "sad/both.png": "two-classes",
        "sad/cut.png": "damaged",
        "sad/notes.txt": "not-an-image",
    }
    summary = dataset.summary
    assert summary.rejected == Counter(row.reason for row in dataset.rejected)
    assert summary.found == 32
    assert summary.kept == len(dataset.samples) == 25
    assert summary.wrong_extension == 1
    assert (summary.near_duplicate_groups, summary.near_duplicates) == (1, 2)
    splits = {sample.path: sample.split for sample in dataset.samples}
    assert splits["happy/000.png"] == splits["happy/near.jpg"]
    assert json.loads(json.dumps(to_plain(summary))) == to_plain(summary)


def test_formats_on_request(tmp_path, fill):
    fill(tmp_path, {"happy": 5})
    fill(tmp_path, {"sad": 5}, first=10, suffix="webp")
    with pytest.raises(DatasetError, match="class sad has no usable images among 5 files"):
        ingest_folder(tmp_path)
    assert ingest_folder(tmp_path, options=IngestOptions(accept=("webp",))).summary.kept == 10


def test_where_the_files_lie_does_not_matter(tmp_path, fill):
    one = fill(tmp_path / "one", {"happy": 20, "sad": 20})
    for number, path in enumerate(sorted(one.rglob("*.png"))):
        target = tmp_path / "other" / "top" / path.parent.name / f"{-number % 7}" / f"{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    assert by_content(ingest_folder(one)) == by_content(ingest_folder(tmp_path / "other"))
    assert by_content(ingest_folder(one)) != by_content(
        ingest_folder(one, options=IngestOptions(seed=1))
    )


def test_a_zip_gives_what_its_folder_gives(tmp_path, fill):
    folder = fill(tmp_path / "faces", {"happy": 6, "sad": 6})
    archive = shutil.make_archive(str(tmp_path / "faces"), "zip", tmp_path, "faces")
    with open_data(tmp_path / archive) as unpacked:
        assert by_content(ingest_folder(unpacked)) == by_content(ingest_folder(folder))


def test_labels_in_the_order_asked_for(tmp_path, fill):
    fill(tmp_path, {"happy": 4, "sad": 4})
    assert ingest_folder(tmp_path, options=IngestOptions(labels=("sad", "happy"))).labels == (
        "sad",
        "happy",
    )


def brought(fill, root, **sizes):
    for first, (split, count) in enumerate(sizes.items()):
        fill(root / split, {"happy": count, "sad": count}, first=first * 1000)
    return root


def test_brought_splits_are_kept_and_leaks_leave(tmp_path, fill, paint):
    brought(fill, tmp_path, train=10, validation=4, test=4)
    train, validation, test = (
        tmp_path / name / "happy" for name in ("train", "validation", "test")
    )
    shutil.copy(next(test.iterdir()), train / "leak1.png")
    paint(1000, size=(200, 160)).save(train / "leak2.jpg", quality=60)
    shutil.copy(next(test.iterdir()), validation / "leak3.png")
    dataset = ingest_folder(tmp_path)
    assert counts(dataset) == {"train": (10, 10), "validation": (4, 4), "test": (4, 4)}
    assert dataset.summary.leaks == {"train/test": 1, "train/validation": 1, "validation/test": 1}
    assert dataset.summary.rejected == {"leak": 3}
    assert dataset.summary.brought_splits
    assert dataset.summary.taken_from_train == ()
    assert all(sample.path.startswith(sample.split) for sample in dataset.samples)


@pytest.mark.parametrize(
    ("sizes", "taken", "expected"),
    [
        ({"train": 10, "test": 4}, ("validation",), (8, 2, 4)),
        ({"train": 10, "val": 4}, ("test",), (8, 4, 2)),
        ({"train": 10}, ("validation", "test"), (7, 2, 1)),
    ],
)
def test_a_missing_split_is_taken_from_train(tmp_path, fill, sizes, taken, expected):
    dataset = ingest_folder(brought(fill, tmp_path, **sizes))
    assert dataset.summary.taken_from_train == taken
    assert tuple(happy for happy, _ in counts(dataset).values()) == expected
    assert counts(dataset)["train"][0] == counts(dataset)["train"][1]


def test_one_usable_image_is_too_few(tmp_path, fill):
    fill(tmp_path, {"happy": 5, "sad": 1})
    (tmp_path / "sad" / "broken.jpg").write_bytes(b"junk")
    words = "class sad has 1 usable image among 2 files; at least 2 are needed"
    with pytest.raises(DatasetError, match=words):
        ingest_folder(tmp_path)


def test_an_empty_class_is_too_few(tmp_path, fill):
    fill(tmp_path, {"happy": 5})
    (tmp_path / "sad").mkdir()
    with pytest.raises(DatasetError, match="class sad has no usable images among 0 files"):
        ingest_folder(tmp_path)


def test_copies_of_one_image_are_too_few(tmp_path, fill):
    fill(tmp_path, {"happy": 5, "sad": 1}, first=1)
    for name in "abc":
        shutil.copy(next((tmp_path / "sad").glob("*.png")), tmp_path / "sad" / f"{name}.png")
    with pytest.raises(DatasetError, match="class sad has 1 usable image among 4 files"):
        ingest_folder(tmp_path)


def test_near_duplicates_only_cannot_be_tested_on(tmp_path, fill, paint):
    fill(tmp_path, {"happy": 5, "sad": 1})
    for quality in (40, 60, 80):
        paint(5).save(tmp_path / "sad" / f"{quality}.jpg", quality=quality)
    with pytest.raises(DatasetError, match="class sad has no image for the test split"):
        ingest_folder(tmp_path)


@pytest.mark.parametrize("empty", ["train", "test"])
def test_a_class_missing_from_a_brought_split(tmp_path, fill, empty):
    brought(fill, tmp_path, train=4, validation=4, test=4)
    for path in (tmp_path / empty / "sad").iterdir():
        path.unlink()
    with pytest.raises(DatasetError, match=f"class sad has no image for the {empty} split"):
        ingest_folder(tmp_path)


def test_two_images_a_class_are_just_enough(tmp_path, fill):
    dataset = ingest_folder(fill(tmp_path, {"happy": 2, "sad": 2}))
    assert counts(dataset) == {"train": (1, 1), "validation": (0, 0), "test": (1, 1)}


def test_progress_is_told_of_every_file(tmp_path, fill):
    class Recording(Silent):
        stages: dict[str, int | None]
        notes: list[str]

        def __init__(self):
            self.stages, self.notes, self.steps = {}, [], 0

        def stage(self, name, *, total=None):
            self.stages[name] = total

        def advance(self, steps=1, *, detail=""):
            self.steps += steps

        def note(self, text):
            self.notes.append(text)

    brought(partial(fill, noise=14), tmp_path, train=10, test=4)
    (tmp_path / "notes").mkdir()
    progress = Recording()
    ingest_folder(tmp_path, progress=progress)
    assert progress.stages == {"Reading the images": 28, "Finding duplicates": None}
    assert progress.steps == 28
    assert progress.notes == [f"{tmp_path}: notes is beside the splits and not used"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"accept": ("tiff",)}, "cannot accept tiff; --accept takes webp and gif"),
        ({"ratios": (0.7, 0.2, 0.2)}, "three shares that add up to 1"),
        ({"ratios": (1.0, 0.0, 0.0)}, "three shares that add up to 1"),
        ({"ratios": (0.0, 0.5, 0.5)}, "only that of validation may be 0"),
        ({"ratios": (1.2, -0.4, 0.2)}, "three shares that add up to 1"),
        ({"ratios": (float("nan"), 0.5, 0.5)}, "three shares that add up to 1"),
    ],
)
def test_impossible_options(options, words):
    with pytest.raises(DatasetError, match=words):
        IngestOptions(**options)


RANDOM = IngestOptions(grouped=False)


def test_the_tutorials_split_keeps_everything_that_can_be_read(tmp_path, fill):
    fill(tmp_path, {"happy": 20, "sad": 20})
    happy, sad = tmp_path / "happy", tmp_path / "sad"
    shutil.copy(happy / "001.png", happy / "copy.png")
    shutil.copy(happy / "002.png", sad / "both.png")
    (sad / "notes.txt").write_text("not an image")
    dataset = ingest_folder(tmp_path, options=RANDOM)
    assert [row.path for row in dataset.rejected] == ["sad/notes.txt"]
    assert dataset.summary.kept == 42
    assert not dataset.summary.grouped
    assert (dataset.summary.near_duplicate_groups, dataset.summary.near_duplicates) == (2, 4)
    assert counts(dataset) == {"train": (15, 15), "validation": (4, 4), "test": (2, 2)}
    assert dataset.samples == ingest_folder(tmp_path, options=RANDOM).samples
    other = IngestOptions(grouped=False, seed=1)
    assert dataset.samples != ingest_folder(tmp_path, options=other).samples


def test_the_tutorials_split_leaks_and_says_how_much(tmp_path, fill, paint):
    fill(tmp_path, {"happy": 40, "sad": 40})
    for number in range(40):  # each happy image three times: as it is, as a copy, compressed
        shutil.copy(tmp_path / f"happy/{number:03}.png", tmp_path / f"happy/{number:03}-copy.png")
        paint(number).save(tmp_path / f"happy/{number:03}-small.jpg", quality=60)
    dataset = ingest_folder(tmp_path, options=RANDOM)
    split_of = {sample.path: sample.split for sample in dataset.samples}
    expected = sum(
        split == "test" and any(split_of[twin] == "train" for twin in twins(path))
        for path, split in split_of.items()
        if path.startswith("happy")
    )
    assert expected >= 10  # of 12: with two others each, and seven in ten in train
    assert dataset.summary.test_seen_in_train == expected
    assert ingest_folder(tmp_path).summary.test_seen_in_train == 0


def twins(path):
    number = path.removeprefix("happy/")[:3]
    return [f"happy/{number}{end}" for end in (".png", "-copy.png", "-small.jpg")]


def test_the_tutorials_split_pools_what_the_folder_brings(tmp_path, fill):
    dataset = ingest_folder(brought(fill, tmp_path, train=4, validation=10, test=6), options=RANDOM)
    assert counts(dataset) == {"train": (14, 14), "validation": (4, 4), "test": (2, 2)}
    assert not dataset.summary.brought_splits
    assert dataset.summary.leaks == {}
    assert {s.split for s in dataset.samples if s.path.startswith("validation")} != {"validation"}


@pytest.mark.parametrize("grouped", [True, False])
def test_no_validation_split(tmp_path, fill, grouped):
    options = IngestOptions(ratios=(0.8, 0, 0.2), grouped=grouped)
    dataset = ingest_folder(fill(tmp_path, {"happy": 20, "sad": 2}), options=options)
    assert counts(dataset) == {"train": (16, 1), "validation": (0, 0), "test": (4, 1)}


def test_no_validation_split_beside_brought_ones(tmp_path, fill):
    options = IngestOptions(ratios=(0.8, 0, 0.2))
    dataset = ingest_folder(brought(fill, tmp_path, train=10, test=4), options=options)
    assert counts(dataset) == {"train": (10, 10), "validation": (0, 0), "test": (4, 4)}
    assert dataset.summary.taken_from_train == ()


def test_web_images(data_dir):
    """What the collection's description says of it: 46 % near-duplicates, one in both classes."""
    summary = ingest_folder(data_dir / "web_small").summary
    assert summary.rejected == {"duplicate": 1, "two-classes": 2}
    assert summary.wrong_extension == 6
    assert summary.near_duplicates == pytest.approx(0.46 * summary.found, rel=0.03)


def test_film_frames_of_one_face_stay_in_one_split(data_dir):
    dataset = ingest_folder(data_dir / "ckplus48")
    assert dataset.summary.rejected == {}
    assert dataset.summary.near_duplicates == pytest.approx(0.93 * dataset.summary.found, rel=0.03)


@pytest.mark.slow
def test_fer2013_does_not_leak(data_dir):
    """40 test and 50 validation files are byte-identical to one of train; 68 and 85 nearly."""
    fer = data_dir / "fer2013_original"
    dataset = ingest_folder(fer, options=IngestOptions(classes=("happy", "sad")))
    summary = dataset.summary
    assert summary.found == 14882
    assert set(summary.rejected) == {"duplicate", "leak"}
    assert summary.rejected["leak"] == sum(summary.leaks.values())
    shared = Counter(row.path.split("/")[0] for row in dataset.rejected if is_shared(row))
    assert shared == count_shared(fer, dataset.labels)
    assert 68 <= summary.leaks["train/test"] <= 80
    assert 80 <= summary.leaks["train/validation"] <= 100
    splits = {sample.sha256: sample.split for sample in dataset.samples}
    assert len(splits) == len(dataset.samples)
    assert sum(summary.per_split["test"].values()) == 874 + 584 - 3


def is_shared(row):
    return row.reason == "leak" and row.detail.startswith("identical to")


def count_shared(folder, labels):
    """Files of train that validation or test hold too, and of validation that test holds."""
    files = {
        split: [
            hashlib.sha256(path.read_bytes()).digest()
            for label in labels
            for path in (folder / split / label).iterdir()
        ]
        for split in ("train", "validation", "test")
    }
    test, validation = set(files["test"]), set(files["validation"])
    return {
        "train": sum(sha256 in test | validation for sha256 in files["train"]),
        "validation": sum(sha256 in test for sha256 in files["validation"]),
    }


def test_what_has_no_face_is_set_aside_before_the_split(photos):
    spec = InputSpec(height=48, width=48, faces=FaceSettings())
    options = IngestOptions(crops=(spec,))
    dataset = ingest_folder(photos, options=options, detector=build_detector(FaceSettings()))
    assert [(row.path, row.reason, row.detail) for row in dataset.rejected] == [
        ("happy/none.png", "no-face", "blaze detects none"),
        ("sad/none.png", "no-face", "blaze detects none"),
    ]
    assert dataset.summary.rejected == {"no-face": 2}
    assert dataset.summary.kept == 28
    assert ingest_folder(photos).summary.kept == 30


def test_images_of_other_classes_are_not_read(tmp_path, fill, monkeypatch):
    fill(tmp_path, {"angry": 3, "happy": 20, "sad": 10})
    read = []

    def examine(root, file, **rest):
        read.append(file.label)
        return examine_file(root, file, **rest)

    monkeypatch.setattr(judge, "examine_file", examine)
    dataset = ingest_folder(tmp_path, options=IngestOptions(classes=("sad", "happy")))
    assert Counter(read) == {"happy": 20, "sad": 10}
    assert dataset.labels == ("happy", "sad")
    assert dataset.rejected == ()


def test_equalised_images_are_warned_of(tmp_path, fill):
    class Recording(Silent):
        def __init__(self):
            self.notes = []

        def note(self, text):
            self.notes.append(text)

    folder = fill(tmp_path, {"happy": 12, "sad": 12}, noise=14)
    assert ingest_folder(folder).summary.processing == ()
    for path in folder.rglob("*.png"):
        with Image.open(path) as image:
            ImageOps.equalize(image.convert("L")).save(path)
    progress = Recording()
    (finding,) = ingest_folder(folder, progress=progress).summary.processing
    assert finding.startswith("24 of 24 images are equalised (such as ")
    assert finding.endswith("use the images as they were before.")
    assert progress.notes == [f"warning: {finding}"]


@pytest.mark.parametrize("inner", ["happy/sad", "train/test"])
def test_the_same_folders_in_every_class_are_a_warning(tmp_path, fill, inner):
    from edgeemo.dataset.check import check_folder

    class Notes(Silent):
        def note(self, text):
            notes.append(text)

    notes = []
    first = 0
    for label in ("a", "b"):
        fill(tmp_path / label, dict.fromkeys(inner.split("/"), 6), first=first, noise=14)
        first += 12
    ingest_folder(tmp_path, progress=Notes())
    assert [note for note in notes if note.startswith(f"warning: {tmp_path}: every class (a, b)")]
    (finding,) = [one for one in check_folder(tmp_path).findings if one.name == "layout"]
    assert finding.level == ("act" if "train" in inner else "look")
