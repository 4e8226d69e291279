"""Crops in a folder that is continued, or in a bucket; and where their paths lead."""

from __future__ import annotations

import os
import pickle
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.dataset import read_faces_json
from edgeemo.dataset.ingest.find import LabelledFile
from edgeemo.dataset.write.crop import CropOptions, write_crops
from edgeemo.dataset.write.crop_folder import LocalCropFolder
from edgeemo.dataset.write.crop_place import CropPlace
from edgeemo.dataset.write.crop_plan import plan_crops
from edgeemo.dataset.write.crop_work import CropWork
from edgeemo.errors import DatasetError, EdgeEmoError
from edgeemo.model.face_settings import FaceSettings
from edgeemo.utils.locks import hold
from edgeemo.utils.progress import Silent

from ..conftest import contents

OPTIONS = CropOptions(faces=FaceSettings())


@pytest.fixture
def few(tmp_path, draw_photos):
    """Eight photos, two of them without a face, and a file that is none."""
    folder = draw_photos(tmp_path / "photos", 3)
    (folder / "sad/notes.txt").write_text("not an image")
    return folder


@pytest.fixture
def plain(few, tmp_path):
    """The crops of one command that ran to its end, and its counts."""
    written = write_crops(few, tmp_path / "plain", options=OPTIONS)
    return contents(tmp_path / "plain"), written.counts


@pytest.fixture(autouse=True)
def cropped(monkeypatch):
    """Crop in this process, in blocks of two, and return the images that were."""
    done = []

    def crop(self, planned, crop_file=CropWork._crop_file):
        done.append(planned.image.path)
        return crop_file(self, planned)

    monkeypatch.setattr(CropWork, "block_size", 2)
    monkeypatch.setattr(CropWork, "_crop_file", crop)
    monkeypatch.setattr(
        CropWork, "_run_isolated", lambda self, items, _: map(self._crop_file, items)
    )
    return done


@pytest.fixture
def bucket(buckets):
    """What lies in the bucket b, by key."""
    buckets.objects["bk/readme"] = b"not of edgeemo"

    def read(folder=""):
        start = f"bk/{folder}/" if folder else "bk/"
        return {
            name.removeprefix(start): content
            for name, content in buckets.objects.items()
            if name.startswith(start) and not name.endswith("/")
        }

    return read


class Interrupting(Silent):
    """Ends the command as Ctrl-C does, after some images."""

    def __init__(self, left):
        self.left, self.notes = left, []

    def advance(self, steps=1, *, detail=""):
        self.left -= steps
        if self.left < 0:
            raise KeyboardInterrupt

    def note(self, text):
        self.notes.append(text)


def test_what_ended_early_is_continued_and_equals_the_rest(few, plain, tmp_path, cropped):
    place = CropPlace(out=str(tmp_path / "out"), is_kept=True)
    interrupting = Interrupting(5)
    with pytest.raises(KeyboardInterrupt):
        write_crops(few, place, options=OPTIONS, progress=interrupting)
    assert interrupting.notes == ["Finished images are kept; --resume continues from them."]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.cropping", "photos", "plain"]
    for kept in (False, True):
        with pytest.raises(DatasetError, match="out: its cropping ended early; --resume continues"):
            write_crops(few, CropPlace(out=str(tmp_path / "out"), is_kept=kept), options=OPTIONS)
    with pytest.raises(DatasetError, match="not all images are cropped yet; finish it with"):
        read_faces_json(tmp_path / ".out.cropping")
    resuming = CropPlace(out=str(tmp_path / "out"), is_kept=True, resume=True)
    other = CropOptions(faces=FaceSettings(), size=32)
    with pytest.raises(DatasetError, match=r"out: the run there differs in size \(null there"):
        write_crops(few, resuming, options=other)
    cropped.clear()
    written = write_crops(few, resuming, options=OPTIONS)
    assert cropped == ["sad/00.png", "sad/01.jpg", "sad/02.png", "sad/none.png", "sad/notes.txt"]
    assert (contents(tmp_path / "out"), written.counts) == plain
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "photos", "plain"]


def test_begun_again_it_has_nothing_of_the_first_run(few, plain, tmp_path):
    place = CropPlace(out=str(tmp_path / "out"), is_kept=True)
    other = CropOptions(faces=FaceSettings(), all_faces=True, size=32)
    with pytest.raises(KeyboardInterrupt):
        write_crops(few, place, options=other, progress=Interrupting(5))
    again = CropPlace(out=str(tmp_path / "out"), is_kept=True, again=True)
    written = write_crops(few, again, options=OPTIONS)
    assert (contents(tmp_path / "out"), written.counts) == plain


def test_a_bucket_has_the_same_and_its_tables_last(few, plain, tmp_path, bucket, buckets, cropped):
    place = CropPlace(out="s3://bk/crops/", is_kept=True)
    with pytest.raises(KeyboardInterrupt):
        write_crops(few, place, options=OPTIONS, progress=Interrupting(5))
    assert {"happy/00.png", ".crop/rows/_job.json"} <= bucket("crops").keys()
    for name, content in bucket("crops").items():
        (tmp_path / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / name).write_bytes(content)
    with pytest.raises(DatasetError, match="copy: not all images are cropped yet"):
        read_faces_json(tmp_path / "copy")
    with pytest.raises(DatasetError, match="s3://bk/crops/: its cropping ended early"):
        write_crops(few, place, options=OPTIONS)
    cropped.clear()
    resuming = CropPlace(out="s3://bk/crops", is_kept=True, resume=True)
    written = write_crops(few, resuming, options=OPTIONS)
    assert len(cropped) == 5
    assert (bucket("crops"), written.counts) == plain
    with pytest.raises(DatasetError, match="s3://bk/crops: exists already; --force replaces"):
        write_crops(few, resuming, options=OPTIONS)
    buckets.objects["bk/crops/sad/old.png"] = b""
    write_crops(few, CropPlace(out="s3://bk/crops", replace=True, is_kept=True), options=OPTIONS)
    assert bucket("crops") == plain[0]
    with pytest.raises(DatasetError, match="s3://bk: not written by edgeemo"):
        write_crops(few, CropPlace(out="s3://bk", is_kept=True, replace=True), options=OPTIONS)


def test_two_commands_do_not_write_to_one_place(few, tmp_path, bucket, buckets):
    hidden = tmp_path / ".out.cropping"
    hidden.mkdir()
    with hold(hidden), pytest.raises(DatasetError, match="out: another process is writing it"):
        write_crops(few, CropPlace(out=str(tmp_path / "out"), is_kept=True), options=OPTIONS)

    class Second(Silent):
        def advance(self, steps=1, *, detail=""):
            buckets.objects["bk/x/.crop/owner"] = b"another command"

    place = CropPlace(out="s3://bk/x", is_kept=True)
    with pytest.raises(DatasetError, match="s3://bk/x: another command has begun to write it"):
        write_crops(few, place, options=OPTIONS, progress=Second())


def test_a_full_disk_keeps_what_is_finished(few, plain, tmp_path, monkeypatch):
    write_bytes = Path.write_bytes

    def write(self, content):
        if len(content) > 100 and (tmp_path / ".out.cropping/happy/02.png").exists():
            raise OSError(28, os.strerror(28), str(self))
        return write_bytes(self, content)

    place = CropPlace(out=str(tmp_path / "out"), is_kept=True, resume=True)
    with monkeypatch.context() as patch, pytest.raises(EdgeEmoError) as failed:
        patch.setattr(Path, "write_bytes", write)
        write_crops(few, place, options=OPTIONS)
    assert str(failed.value).endswith(": No space left on device")
    assert not (tmp_path / "out").exists()
    assert not [*(tmp_path / ".out.cropping/.crop").glob("*.partial")]
    write_crops(few, place, options=OPTIONS)
    assert contents(tmp_path / "out") == plain[0]


def test_a_node_without_the_folder_is_told(few, tmp_path):
    folder = LocalCropFolder(tmp_path / "new", "new", is_kept=True)
    (tmp_path / "new").mkdir()
    folder.take()
    work = pickle.loads(pickle.dumps(CropWork(str(few), folder, OPTIONS)))
    work.open()
    (tmp_path / "new").rename(tmp_path / "moved")
    told = "new: this node does not see the command's folder.*; name --out on storage that all "
    with pytest.raises(DatasetError, match=told):
        work.open()
    other = LocalCropFolder(tmp_path / "new", "new", is_kept=True)
    (tmp_path / "new").mkdir()
    other.take()  # of the same name, on a disk of the node
    with pytest.raises(DatasetError, match=told):
        work.open()


def test_a_crop_holds_no_time(few, tmp_path):
    """lcms writes the time into the profile that it makes of a process: bytes would differ."""
    from PIL import Image, ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with Image.open(few / "happy/00.png") as photo:
        photo.save(few / "happy/00.png", icc_profile=profile + b"\0")
    write_crops(few, tmp_path / "out", options=OPTIONS)
    with Image.open(tmp_path / "out/happy/00.png") as crop:
        assert "icc_profile" not in crop.info


PARTS = st.sampled_from(["..", ".", "", "a", "A", "b.png", "b.jpg", "C:", "\\", ".crop", "e" * 300])
KEYS = st.lists(PARTS | st.text(max_size=4), min_size=1, max_size=5).map("/".join)


@given(st.lists(KEYS, max_size=20))
def test_no_key_leads_out_of_the_folder_or_to_another_crop(keys):
    crops = [
        PurePosixPath(each.crop)
        for each in plan_crops(LabelledFile(key, "a", None) for key in keys)
    ]
    lower = [str(crop).lower() for crop in crops]
    assert len({*lower}) == len(keys)
    assert not {*lower} & {str(parent).lower() for crop in crops for parent in crop.parents}
    for crop in crops:
        assert not crop.is_absolute()
        assert crop.suffix == ".png"
        for part in crop.parts:
            assert not part.startswith(".")
            assert len(os.fsencode(part)) <= 255 if part.isprintable() else True
            assert not {*part} & {*map(chr, range(32)), "\\", "/", "\x7f"}
            assert not (part[1:2] == ":" and part[0].isascii() and part[0].isalpha())
