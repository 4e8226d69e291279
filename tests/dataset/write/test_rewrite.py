from __future__ import annotations

import os
import shutil
from collections import Counter

import pytest

from edgeemo.dataset import IngestOptions, ingest_folder
from edgeemo.dataset.write.rewrite import DATA_MARKER, write_clean, write_split
from edgeemo.errors import DatasetError
from edgeemo.utils.progress import Silent

from ..conftest import contents, rows

SPLIT = IngestOptions()


@pytest.fixture
def messy(tmp_path, fill):
    """Twenty good images, a copy, one in two classes, and one that is none."""
    folder = fill(tmp_path / "faces", {"happy": 11, "sad": 11})
    shutil.copy(folder / "happy/001.png", folder / "happy/copy.png")
    (folder / "sad/011.png").write_bytes((folder / "happy/002.png").read_bytes())
    (folder / "sad/notes.txt").write_text("not an image")
    return folder


def test_clean_writes_what_training_would_use(tmp_path, messy):
    before = contents(messy)
    written = write_clean(messy, tmp_path / "out")
    assert contents(messy) == before
    kept = {path: content for path, content in contents(tmp_path / "out").items() if "/" in path}
    assert len(kept) == 20
    assert kept == {path: before[path] for path in kept}
    assert {row["path"]: row["reason"] for row in rows(tmp_path / "out/rejected.csv")} == {
        "happy/002.png": "two-classes",
        "happy/copy.png": "duplicate",
        "sad/011.png": "two-classes",
        "sad/notes.txt": "not-an-image",
    }
    assert written.counts == {"all": {"happy": 10, "sad": 10}}
    assert written.excluded == {"duplicate": 1, "not-an-image": 1, "two-classes": 2}
    again = ingest_folder(tmp_path / "out")
    assert again.rejected == ()
    assert again.samples == ingest_folder(messy).samples


def test_split_writes_what_training_would_split(tmp_path, messy):
    written = write_split(messy, tmp_path / "out", options=SPLIT)
    expected = ingest_folder(messy, options=SPLIT)
    assert written.counts == expected.summary.per_split
    assert list(written.counts) == ["train", "validation", "test"]
    again = ingest_folder(tmp_path / "out")
    assert again.summary.brought_splits
    assert again.rejected == ()
    assert {s.sha256: s.split for s in again.samples} == {
        s.sha256: s.split for s in expected.samples
    }
    table = rows(tmp_path / "out/split.csv")
    assert [row["path"] for row in table] == [sample.path for sample in again.samples]
    assert len(rows(tmp_path / "out/rejected.csv")) == 4


def test_sub_folders_are_kept_and_equal_names_do_not_collide(tmp_path, fill, paint):
    fill(tmp_path / "top/train", {"happy": 6, "sad": 6})
    for name, first in (("val", 100), ("validation", 200)):
        fill(tmp_path / "top" / name, {"happy": 2, "sad": 2}, first=first)
        for label in ("happy", "sad"):
            (tmp_path / "top" / name / label / "deep").mkdir()
            seed = first + 50 + len(label)
            paint(seed).save(tmp_path / "top" / name / label / "deep" / "same.png")
    write_split(tmp_path / "top", tmp_path / "out", options=SPLIT)
    names = {path for path in contents(tmp_path / "out") if "same" in path}
    assert names == {
        f"validation/{label}/deep/{name}.png"
        for label in ("happy", "sad")
        for name in ("same", "same-2")
    }


@pytest.mark.parametrize("link", ["hard", "symlink"])
def test_links(tmp_path, messy, link, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clean(messy.relative_to(tmp_path), (tmp_path / "out").relative_to(tmp_path), link=link)
    one = tmp_path / "out/happy/000.png"
    assert one.is_symlink() == (link == "symlink")
    assert one.samefile(messy / "happy/000.png")
    assert ingest_folder(tmp_path / "out").summary.kept == 20


def test_what_edgeemo_wrote_gives_way_and_nothing_else(tmp_path, messy):
    out = tmp_path / "out"
    write_clean(messy, out)
    with pytest.raises(DatasetError, match="--force replaces what edgeemo wrote itself"):
        write_split(messy, out, options=SPLIT)
    write_split(messy, out, options=SPLIT, replace=True)
    assert (out / "train").is_dir()
    assert not (out / "happy").exists()
    (out / DATA_MARKER).unlink()
    with pytest.raises(DatasetError, match="not written by edgeemo"):
        write_clean(messy, out, replace=True)
    assert (out / "train").is_dir()


@pytest.mark.parametrize("place", [".", "inside", ".."])
def test_the_new_folder_lies_beside_the_old_one(messy, place):
    before = contents(messy)
    with pytest.raises(DatasetError, match="must be neither inside nor around"):
        write_clean(messy, messy / place, replace=True)
    assert contents(messy) == before


def test_a_full_disk_is_noticed_before_and_during(tmp_path, messy, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DatasetError, match="MB free"):
        write_clean(messy, tmp_path / "out")
    monkeypatch.undo()

    def full(source, target):
        raise OSError(28, os.strerror(28), str(source))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(DatasetError, match="No space left on device"):
        write_clean(messy, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]


def test_interrupted_it_leaves_nothing(tmp_path, messy):
    class Interrupting(Silent):
        def stage(self, name, *, total=None):
            self.writing = name == "Writing the images"

        def advance(self, steps=1, *, detail=""):
            if self.writing:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_clean(messy, tmp_path / "out", progress=Interrupting())
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]


def test_nothing_usable(tmp_path):
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces/notes.txt").write_text("not an image")
    with pytest.raises(DatasetError, match="none of 1 files is usable"):
        write_clean(tmp_path / "faces", tmp_path / "out")


@pytest.mark.slow
def test_a_messy_collection(tmp_path, data_dir):
    written = write_clean(data_dir / "web_messy", tmp_path / "out", link="symlink")
    reasons = Counter(row["reason"] for row in rows(tmp_path / "out/rejected.csv"))
    assert written.excluded == dict(sorted(reasons.items()))
    assert reasons["format"] == 6
    assert sum(written.counts["all"].values()) + reasons.total() == 1213
    assert ingest_folder(tmp_path / "out").rejected == ()
