from __future__ import annotations

import importlib
import json
import os
import shutil
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeemo.bench import draw_photo
from edgeemo.bulk.run import Place
from edgeemo.dataset import FACES_JSON, ingest_folder, read_faces_json
from edgeemo.dataset.check import check_folder
from edgeemo.dataset.write import crop
from edgeemo.dataset.write.crop import CropOptions, write_crops
from edgeemo.dataset.write.crop_place import CropPlace
from edgeemo.dataset.write.crop_table import CROP_CSV
from edgeemo.errors import DatasetError, FaceModelError
from edgeemo.imaging.faces import build_detector
from edgeemo.imaging.preprocess import preprocess, preprocess_faces
from edgeemo.model.detector_file import FACE_MODEL
from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.spec import ModelSpec
from edgeemo.utils.progress import Silent
from edgeemo.utils.serialize import to_plain

from ..conftest import contents, rows

FACES = FaceSettings(margin=0.1)
OPTIONS = CropOptions(faces=FACES)


@pytest.fixture
def few(tmp_path, draw_photos):
    """Three photos a class, one image a class without a face, and a file that is none."""
    folder = draw_photos(tmp_path / "photos", 3)
    (folder / "sad/notes.txt").write_text("not an image")
    return folder


@pytest.fixture
def pair(few):
    """The same, with one photo of two faces: the second and smaller one on the right."""
    with Image.open(BytesIO(draw_photo())) as both:
        both.save(few / "happy/pair.png")
    return few


@pytest.mark.parametrize("channels", [1, 3])
def test_a_crop_is_what_the_preprocessing_crops(few, tmp_path, channels):
    write_crops(few, tmp_path / "out", options=OPTIONS)
    whole = ModelSpec(labels=("a", "b"), height=48, width=48, channels=channels)
    photo, detector = replace(whole, faces=FACES), build_detector(FACES)
    written = [row for row in rows(tmp_path / "out" / CROP_CSV) if row["crop"]]
    assert len(written) == 6
    for row in written:
        np.testing.assert_array_equal(
            preprocess(tmp_path / "out" / row["crop"], whole),
            preprocess(few / row["image"], photo, detector=detector),
        )
        ((face, _),) = preprocess_faces(few / row["image"], photo, detector=detector)
        assert [int(row[name]) for name in ("left", "top", "side")] == [
            face.left, face.top, face.side,
        ]  # fmt: skip


def test_every_image_is_accounted_for(few, tmp_path):
    before = contents(few)
    cropped = write_crops(few, tmp_path / "out", options=OPTIONS)
    assert contents(few) == before
    assert {
        row["image"]: (row["outcome"], row["crop"]) for row in rows(tmp_path / "out" / CROP_CSV)
    } == {
        "happy/00.png": ("cropped", "happy/00.png"),
        "happy/01.jpg": ("cropped", "happy/01.png"),
        "happy/02.png": ("cropped", "happy/02.png"),
        "happy/none.png": ("no-face", ""),
        "sad/00.png": ("cropped", "sad/00.png"),
        "sad/01.jpg": ("cropped", "sad/01.png"),
        "sad/02.png": ("cropped", "sad/02.png"),
        "sad/none.png": ("no-face", ""),
        "sad/notes.txt": ("not-an-image", ""),
    }
    counts = {"images": 4, "one_face": 3, "several_faces": 0, "no_face": 1, "unusable": 0}
    assert cropped.counts == {
        "all": {
            "happy": {**counts, "crops": 3},
            "sad": {**counts, "images": 5, "unusable": 1, "crops": 3},
        }
    }
    assert json.loads(json.dumps(to_plain(cropped)))["counts"] == cropped.counts


def test_the_folder_says_how_it_was_made_and_can_be_trained_with(few, tmp_path):
    write_crops(few, tmp_path / "out", options=OPTIONS)
    made = replace(FACES, cropped=True)
    assert json.loads((tmp_path / "out" / FACES_JSON).read_bytes()) == asdict(made)
    assert read_faces_json(tmp_path / "out") == (made, tmp_path / "out")
    assert read_faces_json(few) is None
    (tmp_path / "around").mkdir()
    (tmp_path / "out").rename(tmp_path / "around/faces")
    found = read_faces_json(tmp_path / "around")  # as of an archive with one folder in it
    assert found == (made, tmp_path / "around/faces")
    dataset = ingest_folder(tmp_path / "around/faces")
    assert (dataset.summary.found, dataset.rejected) == (6, ())


@pytest.mark.parametrize("content", ["{", "[]", '{"detector": "blase"}', '{"face": 1}'])
def test_a_malformed_record_is_named(few, content):
    (few / FACES_JSON).write_text(content)
    with pytest.raises(DatasetError, match=r"faces\.json: not the face settings of cropped images"):
        read_faces_json(few)


def test_the_largest_of_several_or_each(pair, tmp_path):
    write_crops(pair, tmp_path / "largest", options=OPTIONS)
    (largest,) = [
        row for row in rows(tmp_path / "largest" / CROP_CSV) if row["outcome"] == "several-faces"
    ]
    assert (largest["image"], largest["faces"]) == ("happy/pair.png", "2")
    assert int(largest["left"]) < 180
    cropped = write_crops(pair, tmp_path / "each", options=replace(OPTIONS, all_faces=True))
    both = [row for row in rows(tmp_path / "each" / CROP_CSV) if row["image"] == "happy/pair.png"]
    assert [row["crop"] for row in both] == ["happy/pair-1.png", "happy/pair-2.png"]
    sides = [int(row["side"]) for row in both]
    assert sides[0] > sides[1]
    assert int(both[1]["left"]) > 180
    assert cropped.counts["all"]["happy"]["crops"] == 5
    assert cropped.counts["all"]["happy"]["several_faces"] == 1
    for row, side in zip(both, sides, strict=True):
        with Image.open(tmp_path / "each" / row["crop"]) as crop:
            assert crop.size == (side + 2 * round(side * 0.1),) * 2


def test_splits_sub_folders_and_equal_names(few, tmp_path):
    folder = tmp_path / "split"
    for split in ("train", "validation", "test"):
        shutil.copytree(few, folder / split)
    (folder / "train/happy/deep").mkdir()
    shutil.copy(few / "happy/00.png", folder / "train/happy/deep/x.png")
    shutil.copy(few / "happy/01.jpg", folder / "train/happy/00.jpg")
    cropped = write_crops(folder, tmp_path / "out", options=OPTIONS)
    assert list(cropped.counts) == ["train", "validation", "test"]
    images = {name for name in contents(tmp_path / "out") if name.endswith(".png")}
    assert len(images) == 3 * 6 + 2
    assert {"train/happy/00.png", "train/happy/00-2.png", "train/happy/deep/x.png"} <= images


def test_size_and_channels(few, tmp_path):
    with Image.open(few / "happy/00.png") as photo:
        photo.convert("L").save(few / "happy/00.png")
    write_crops(few, tmp_path / "out", options=replace(OPTIONS, size=32))
    modes = {}
    for path in (tmp_path / "out").glob("*/*.png"):
        with Image.open(path) as crop:
            assert crop.size == (32, 32)
            modes[path.relative_to(tmp_path / "out").as_posix()] = crop.mode
    assert {name for name, mode in modes.items() if mode == "L"} == {"happy/00.png"}
    assert set(modes.values()) == {"L", "RGB"}


def test_a_folder_without_classes_is_not_told_of_its_tables(few, tmp_path):
    cropped = write_crops(few / "happy", tmp_path / "out", options=OPTIONS)
    assert cropped.counts["all"]["happy"]["crops"] == 3
    assert check_folder(tmp_path / "out").found == 3


def test_no_face_in_any_is_an_error_and_leaves_nothing(few, tmp_path):
    for path in few.glob("*/0*"):
        path.unlink()
    with pytest.raises(DatasetError, match="blaze detects no face in any of 3 files"):
        write_crops(few, tmp_path / "out", options=OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_interrupted_it_leaves_nothing(few, tmp_path):
    class Interrupting(Silent):
        def advance(self, steps=1, *, detail=""):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_crops(few, tmp_path / "out", options=OPTIONS, progress=Interrupting())
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_a_full_disk_is_one_line_and_leaves_nothing(few, tmp_path, monkeypatch):
    def full(self, content):
        raise OSError(28, os.strerror(28), str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DatasetError, match="out: cannot be written: No space left on device"):
        write_crops(few, tmp_path / "out", options=OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_an_image_that_ends_its_process_is_a_row(few, tmp_path, monkeypatch):
    (tmp_path / "crashing.py").write_text(
        "import os\n"
        "from edgeemo.dataset.write.crop_work import CropWork\n"
        "class Crashing(CropWork):\n"
        "    def _crop_file(self, planned):\n"
        "        if planned.image.path == 'happy/01.jpg':\n"
        "            os.kill(os.getpid(), 11)\n"
        "        return super()._crop_file(planned)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(crop, "CropWork", importlib.import_module("crashing").Crashing)
    place = CropPlace(out=str(tmp_path / "out"), is_kept=True)
    cropped = write_crops(few, place, options=OPTIONS, place=Place(workers=1))
    written = {row["image"]: row for row in rows(tmp_path / "out" / CROP_CSV)}
    crashed = written.pop("happy/01.jpg")
    assert (crashed["outcome"], crashed["crop"]) == ("damaged", "")
    assert crashed["detail"] == "its worker process was ended by SIGSEGV"
    assert sum(bool(row["crop"]) for row in written.values()) == 5
    assert cropped.counts["all"]["happy"]["unusable"] == 1


def test_what_edgeemo_wrote_gives_way_and_nothing_else(few, tmp_path):
    write_crops(few, tmp_path / "out", options=OPTIONS)
    with pytest.raises(DatasetError, match="--force replaces what edgeemo wrote itself"):
        write_crops(few, tmp_path / "out", options=OPTIONS)
    write_crops(few, tmp_path / "out", options=replace(OPTIONS, all_faces=True), replace=True)
    assert (tmp_path / "out/happy/00-1.png").is_file()
    with pytest.raises(DatasetError, match="not written by edgeemo"):
        write_crops(few / "happy", few / "sad", options=OPTIONS, replace=True)


def test_a_missing_detector_file_is_reported_first(few, tmp_path):
    unknown = FaceSettings(detector="yunet", file_sha256="0" * 64)
    with pytest.raises(FaceModelError, match="name it with --face-model"):
        write_crops(few, tmp_path / "out", options=CropOptions(faces=unknown))
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / FACE_MODEL).exists()


@pytest.mark.parametrize("all_faces", [False, True])
def test_a_crop_of_a_long_name_is_written_under_a_shorter_one(few, tmp_path, all_faces):
    stem = "x" * 251
    (few / "happy/00.png").rename(few / f"happy/{stem}.png")
    shutil.copy(few / "sad/00.png", few / f"happy/{stem}.jpg")
    options = replace(OPTIONS, all_faces=all_faces)
    write_crops(few, tmp_path / "out", options=options)
    written = [row["crop"] for row in rows(tmp_path / "out" / CROP_CSV) if stem in row["image"]]
    assert len(set(written)) == 2
    assert all((tmp_path / "out" / path).is_file() for path in written)
