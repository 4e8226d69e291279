from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps

from edgeemo.dataset import draw_faces
from edgeemo.dataset.check import InspectWork, check_folder
from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.errors import DatasetError
from edgeemo.imaging.faces import Face
from edgeemo.utils.serialize import to_plain


def names(checked, level=None):
    return [one.name for one in checked.findings if level in (None, one.level)]


def test_a_clean_folder_has_nothing_to_act_on(tmp_path, fill):
    checked = check_folder(fill(tmp_path, {"happy": 12, "sad": 10}, noise=14))
    assert (checked.found, checked.usable) == (22, 22)
    assert checked.per_class == {"happy": 12, "sad": 10}
    assert checked.counts == {"all": {"happy": 12, "sad": 10}}
    assert checked.formats == {"PNG": 22}
    assert checked.modes == {"RGB": 22}
    assert checked.sizes.smallest == checked.sizes.largest == (60, 48)
    assert checked.sizes.different == 1
    assert checked.sizes.bytes == sum(path.stat().st_size for path in tmp_path.rglob("*.png"))
    assert not checked.needs_action
    assert names(checked) == ["few"]


def test_everything_odd_is_named(tmp_path, fill, paint):
    fill(tmp_path, {"happy": 12, "sad": 12})
    happy, sad = tmp_path / "happy", tmp_path / "sad"
    paint(0, size=(300, 240)).save(happy / "near.jpg", quality=60)
    shutil.copy(happy / "001.png", happy / "copy.png")
    shutil.copy(happy / "002.png", sad / "both.png")
    Image.new("RGB", (50, 50), "white").save(sad / "blank.png")
    paint(50).convert("L").save(sad / "a.jpg", "PNG")
    paint(51).save(sad / "b.jpg", "WEBP")
    paint(52, size=(20, 20)).save(sad / "tiny.png")
    paint(53, size=(200, 40)).save(sad / "long.png")
    (sad / "notes.txt").write_text("not an image")
    (sad / "cut.png").write_bytes((sad / "012.png").read_bytes()[:200])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    checked = check_folder(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert {row.path: row.reason for row in checked.unusable} == {
        "sad/b.jpg": "format",
        "sad/blank.png": "blank",
        "sad/cut.png": "damaged",
        "sad/notes.txt": "not-an-image",
    }
    assert {row.path: row.detail for row in checked.disguised} == {
        "sad/a.jpg": "named as JPEG, but PNG",
        "sad/b.jpg": "named as JPEG, but WEBP",
    }
    assert {row.path: row.reason for row in checked.odd} == {
        "sad/tiny.png": "tiny",
        "sad/long.png": "long",
    }
    assert {row.path: row.reason for row in checked.excluded} == {
        "happy/002.png": "two-classes",
        "sad/both.png": "two-classes",
        "happy/copy.png": "duplicate",
    }
    assert checked.formats == {"PNG": 31, "JPEG": 1, "WEBP": 1, "none": 1}
    assert checked.modes == {"RGB": 29, "L": 1}
    assert {"unusable", "two-classes", "duplicate"} <= set(names(checked, "act"))
    assert {"disguised", "odd", "near-duplicates"} <= set(names(checked, "look"))


def test_groups_within_and_across_classes_and_splits(tmp_path, fill, paint):
    for first, split in enumerate(("train", "test")):
        fill(tmp_path / split, {"happy": 6, "sad": 6}, first=first * 100)
    shutil.copy(tmp_path / "train/happy/000.png", tmp_path / "train/happy/copy.png")
    paint(1, size=(200, 160)).save(tmp_path / "test/happy/leak.jpg", quality=60)
    paint(2, size=(200, 160)).save(tmp_path / "train/sad/both.jpg", quality=60)
    checked = check_folder(tmp_path)
    assert [group.paths for group in checked.identical] == [
        ("train/happy/000.png", "train/happy/copy.png")
    ]
    classes, splits, same = checked.near_duplicates
    assert classes.paths == ("train/happy/002.png", "train/sad/both.jpg")
    assert classes.across_classes
    assert not classes.across_splits
    assert splits.paths == ("test/happy/leak.jpg", "train/happy/001.png")
    assert splits.across_splits
    assert not splits.across_classes
    assert same.identical
    assert not splits.identical
    assert {"leak", "duplicate"} <= set(names(checked, "act"))
    assert checked.splits == ("train", "test")
    assert checked.counts["test"] == {"happy": 7, "sad": 6}


def test_a_folder_without_classes(tmp_path, paint):
    for number in range(3):
        paint(number).save(tmp_path / f"{number}.png")
    checked = check_folder(tmp_path)
    assert checked.labels == (tmp_path.name,)
    assert checked.usable == 3
    assert checked.shortcuts == ()
    assert names(checked) == ["no-classes"]


def test_rows_of_a_folder_whose_name_is_no_text_are_kept(tmp_path, paint):
    pytest.importorskip("pyarrow")
    folder = tmp_path / "b\udcff"
    folder.mkdir()
    paint(0).save(folder / "0.png")
    (folder / "1.png").write_bytes(b"1")
    work = InspectWork(folder)
    work.open()
    inspected = [*work.run(find_any_files(folder).files, workers=1)]
    assert work.from_table(work.to_table(inspected)) == inspected
    assert inspected[0].label == folder.name


def test_nothing_usable_is_a_finding_not_an_error(tmp_path):
    (tmp_path / "happy").mkdir()
    (tmp_path / "sad").mkdir()
    (tmp_path / "sad" / "notes.txt").write_text("not an image")
    checked = check_folder(tmp_path)
    assert (checked.found, checked.usable, checked.sizes) == (1, 0, None)
    assert {"unusable", "too-few"} <= set(names(checked, "act"))


def test_no_files_at_all(tmp_path):
    with pytest.raises(DatasetError, match="there are no files in it"):
        check_folder(tmp_path)
    with pytest.raises(DatasetError, match="no such folder"):
        check_folder(tmp_path / "missing")


def test_one_class_far_larger_than_the_other(tmp_path, fill):
    assert "imbalance" in names(check_folder(fill(tmp_path, {"happy": 30, "sad": 10})))


def test_light_that_tells_the_classes_apart_is_flagged(tmp_path, paint):
    for label, light in (("happy", 40), ("sad", 0), ("anger", 0)):
        (tmp_path / label).mkdir()
        for number in range(30):
            seed = number + 100 * len(label)
            pixels = np.asarray(paint(seed)).astype(int) * 3 // 4 + light
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / label / f"{number}.png")
    checked = check_folder(tmp_path)
    worst = checked.shortcuts[0]
    assert (worst.measure, worst.label) == ("brightness", "happy")
    assert worst.meaning == "happy images are brighter"
    assert worst.flagged
    assert worst.auc > 0.9
    assert "shortcut-brightness" in names(checked, "act")
    size = next(one for one in checked.shortcuts if one.measure == "image size")
    assert (size.auc, size.flagged, size.meaning) == (0.5, False, "the same in all images")


def _process(folder, change, *, every=1, **options):
    for path in sorted(folder.rglob("*.png"))[::every]:
        with Image.open(path) as image:
            change(image.convert("L")).save(path, **options)


def test_equalised_images_are_to_act_on(tmp_path, fill):
    fill(tmp_path, {"happy": 12, "sad": 10}, noise=14)
    _process(tmp_path, ImageOps.equalize)
    checked = check_folder(tmp_path)
    assert "equalised" in names(checked, "act")
    equalised = next(one for one in checked.processing if one.kind == "equalised")
    assert (equalised.count, equalised.measured, equalised.share) == (22, 22, 1.0)
    rows = [row for row in checked.processed if row.reason == "equalised"]
    assert len(rows) == 22
    assert rows[0].path == equalised.example == "happy/000.png"
    finding = next(one for one in checked.findings if one.name == "equalised")
    assert finding.text.startswith("22 of 22 images are equalised (such as happy/000.png)")
    assert to_plain(checked)["processing"][0]["kind"] == "equalised"


def test_images_compressed_before_are_to_look_at_and_few_are_no_finding(tmp_path, fill):
    def compress(image):
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=50)
        return Image.open(stream)

    fill(tmp_path, {"happy": 16, "sad": 16}, noise=14)
    _process(tmp_path, compress, every=8, format="PNG")
    checked = check_folder(tmp_path)
    assert sum(row.reason == "recompressed" for row in checked.processed) == 4
    assert "recompressed" not in names(checked)
    _process(tmp_path, compress, every=2, format="PNG")
    assert "recompressed" in names(check_folder(tmp_path), "look")


def test_flipped_labels_are_suspected(tmp_path):
    folder = draw_faces(tmp_path / "faces", count=300, size=64, seed=5)
    flipped = []
    for number in (10, 50, 90, 130, 170, 210):
        source = next((folder / "happy").glob(f"happy-{number:04}.*"))
        flipped.append(f"sad/{source.name}")
        source.rename(folder / "sad" / source.name)
    checked = check_folder(folder)
    suspects = [one.path for one in checked.label_check.suspects]
    assert checked.label_check.accuracy > 0.85
    assert len(set(flipped) & set(suspects)) >= 5
    assert len(suspects) < 45
    assert all(one.suggested != one.label for one in checked.label_check.suspects)


def test_blotches_say_nothing_about_labels(tmp_path, fill):
    mislabels = check_folder(fill(tmp_path, {"happy": 60, "sad": 60})).label_check
    assert mislabels.suspects == ()
    assert "chance" in mislabels.skipped


class Bright:
    """Finds a "face" in every image that is bright in the middle."""

    def detect(self, image):
        assert image.mode == "RGB"
        grey = np.asarray(image.convert("L"))
        found = int(grey[grey.shape[0] // 2, grey.shape[1] // 2] > 128)
        return (Face(left=0, top=0, side=1),) * found


def test_faces_are_counted(tmp_path, paint):
    middle = {True: 255, False: 0}
    for label, bright in (("happy", (True, True)), ("sad", (True, False))):
        (tmp_path / label).mkdir()
        for number, one in enumerate(bright):
            image = paint(number + 10 * len(label))
            image.paste((middle[one],) * 3, (20, 16, 40, 32))
            image.save(tmp_path / label / f"{number}.png")
    checked = check_folder(tmp_path, detector=Bright(), detector_name="bright")
    assert (checked.faces.one, checked.faces.several) == (3, 0)
    assert checked.faces.none == ("sad/1.png",)
    assert checked.faces.share_per_class == {"happy": 1.0, "sad": 0.5}
    assert "no-face" in names(checked, "look")
    (text,) = [finding.text for finding in checked.findings if finding.name == "no-face"]
    assert text.startswith("bright detects no face in 1 image (25%)")


def test_it_is_json(tmp_path, fill):
    content = to_plain(check_folder(fill(tmp_path, {"happy": 25, "sad": 25})))
    assert json.loads(json.dumps(content))["root"] == str(tmp_path)
    assert content["needs_action"] is False


@pytest.mark.slow
def test_web_images_and_their_shortcut(data_dir):
    checked = check_folder(data_dir / "web_small")
    assert checked.modes == {"RGB": 288, "P": 7, "RGBA": 4, "L": 2}
    assert len(checked.disguised) == 6
    near = sum(len(group.paths) for group in checked.near_duplicates if not group.identical)
    assert near == pytest.approx(0.46 * 301, rel=0.03)
    assert checked.shortcuts[0].measure == "colour"
    assert checked.shortcuts[0].flagged


def test_two_in_a_hundred_flipped_labels_of_a_clean_collection(data_dir, tmp_path):
    """CK+ is labelled well: most of what is flipped there is found."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "faces"
    shutil.copytree(data_dir / "ckplus48", folder)
    labels = sorted(path.name for path in folder.iterdir())
    images = sorted(folder.glob("*/*.png"))
    flipped = set()
    for number in rng.choice(len(images), len(images) // 50, replace=False):
        source = images[number]
        other = str(rng.choice([label for label in labels if label != source.parent.name]))
        target = folder / other / f"flipped-{source.name}"
        source.rename(target)
        flipped.add(target.relative_to(folder).as_posix())
    suspects = {one.path for one in check_folder(folder).label_check.suspects}
    assert len(flipped & suspects) >= 0.7 * len(flipped)
    assert len(suspects) < 0.2 * len(images)
