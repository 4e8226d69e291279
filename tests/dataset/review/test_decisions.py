"""Decisions of a person: the table, and what ingest, clean and split make of it."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from edgeemo.dataset import (
    Collection,
    IngestOptions,
    ingest_collections,
    ingest_folder,
    open_collections,
)
from edgeemo.dataset.ingest.decisions import Decision, Decisions, read_decisions, write_decisions
from edgeemo.dataset.write.rewrite import write_clean, write_split
from edgeemo.errors import DatasetError
from edgeemo.utils.progress import Silent

from ..conftest import contents, rows


class Notes(Silent):
    def __init__(self):
        self.texts = []

    def note(self, text):
        self.texts.append(text)


def decide(folder, path, decision, label=""):
    sha256 = hashlib.sha256((folder / path).read_bytes()).hexdigest()
    return Decision(path=path, sha256=sha256, decision=decision, label=label)


@pytest.fixture
def faces(tmp_path, fill):
    """Twelve images a class, of which one lies in both."""
    folder = fill(tmp_path / "faces", {"happy": 12, "sad": 12})
    shutil.copy(folder / "happy/003.png", folder / "sad/003.png")
    return folder


@pytest.fixture
def decided(tmp_path, faces):
    """One relabelled, one excluded, and the copy in the wrong class excluded."""
    found = Decisions(
        tmp_path / "faces-review.csv",
        (
            decide(faces, "happy/001.png", "relabel", "sad"),
            decide(faces, "sad/014.png", "exclude"),
            decide(faces, "happy/003.png", "keep", "happy"),
            decide(faces, "sad/003.png", "exclude"),
        ),
    )
    write_decisions(found)
    return found


def test_a_table_comes_back_as_it_was(tmp_path, decided):
    assert read_decisions(decided.file) == decided
    odd = Decision(path='=a,"b"\n.png', sha256="0", decision="keep", label="-c")
    write_decisions(Decisions(tmp_path / "odd.csv", (odd,)))
    assert read_decisions(tmp_path / "odd.csv").rows == (odd,)
    assert decided.counts == {"keep": 1, "relabel": 1, "exclude": 2}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "its columns are not path, sha256, decision, label"),
        ("path,label\na,b\n", "its columns are not"),
        ("path,sha256,decision,label\na,b,keep\n", "a row of 3 cells"),
        ("path,sha256,decision,label\na,b,drop,c\n", "'drop' is none of keep, relabel, exclude"),
        ("path,sha256,decision,label\na,b,keep,\n", "a has no label"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, text, part):
    table = tmp_path / "t.csv"
    table.write_text(text)
    with pytest.raises(DatasetError, match=part) as error:
        read_decisions(table)
    assert str(error.value).startswith(f"{table}: ")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_decisions(tmp_path / "none.csv")


def test_training_obeys(faces, decided):
    before, notes = contents(faces), Notes()
    plain = ingest_folder(faces)
    found = ingest_folder(faces, options=IngestOptions(decisions=decided), progress=notes)
    labels = {sample.path: sample.label for sample in found.samples}
    assert labels["happy/001.png"] == "sad"
    assert labels["happy/003.png"] == "happy"  # which was in two classes before
    assert "happy/003.png" not in {sample.path for sample in plain.samples}
    assert {row.path: row.reason for row in found.rejected} == {
        "sad/014.png": "reviewed", "sad/003.png": "reviewed",
    }  # fmt: skip
    assert notes.texts[0] == f"{decided.file}: 1 image relabelled, 2 excluded, 1 kept"
    assert contents(faces) == before


def test_a_changed_file_is_not_decided_about(faces, decided, paint):
    paint(99).save(faces / "happy/001.png")
    notes = Notes()
    found = ingest_folder(faces, options=IngestOptions(decisions=decided), progress=notes)
    assert {s.path: s.label for s in found.samples}["happy/001.png"] == "happy"
    assert "1 decision is about files that are gone, unusable or changed" in notes.texts[1]


def test_a_class_that_is_not_taken_excludes(tmp_path, fill):
    faces = fill(tmp_path / "faces", {"happy": 10, "sad": 10, "angry": 10})
    decided = Decisions(tmp_path / "t.csv", (decide(faces, "happy/001.png", "relabel", "angry"),))
    options = IngestOptions(decisions=decided, classes=("happy", "sad"))
    (rejected,) = ingest_folder(faces, options=options).rejected
    assert (rejected.path, rejected.detail) == (
        "happy/001.png", "angry by t.csv, a class that is not taken",
    )  # fmt: skip


def test_clean_obeys_and_puts_an_image_into_its_class(tmp_path, faces, decided, paint):
    (faces / "sad/001.png").write_bytes(b"not an image")  # whose name is free then
    write_clean(faces, tmp_path / "out", decisions=decided)
    kept = {path for path in contents(tmp_path / "out") if "/" in path}
    assert "sad/001.png" in kept
    assert "happy/001.png" not in kept
    assert "happy/003.png" in kept
    assert len(kept) == 23
    again = ingest_folder(tmp_path / "out")
    assert again.rejected == ()
    assert {s.sha256: s.label for s in again.samples} == {
        s.sha256: s.label
        for s in ingest_folder(faces, options=IngestOptions(decisions=decided)).samples
    }


def test_a_taken_name_gets_a_number(tmp_path, fill):
    faces = fill(tmp_path / "faces", {"happy": 5, "sad": 5})
    (faces / "sad/005.png").rename(faces / "sad/001.png")
    decided = Decisions(tmp_path / "t.csv", (decide(faces, "happy/001.png", "relabel", "sad"),))
    write_clean(faces, tmp_path / "out", decisions=decided)
    assert {"sad/001.png", "sad/001-2.png"} <= set(contents(tmp_path / "out"))


def test_split_obeys(tmp_path, faces, decided):
    write_split(faces, tmp_path / "out", options=IngestOptions(decisions=decided))
    labels = {row["sha256"]: row["label"] for row in rows(tmp_path / "out/split.csv")}
    assert labels[decided.rows[0].sha256] == "sad"
    assert decided.rows[1].sha256 not in labels


def test_several_folders_are_refused(faces, decided, tmp_path, fill):
    more = fill(tmp_path / "more", {"happy": 4, "sad": 4}, first=50)
    options = IngestOptions(decisions=decided)
    given = [Collection(path=faces), Collection(path=more)]
    with open_collections(given) as (root, opened), pytest.raises(DatasetError, match="one --data"):
        ingest_collections(root, opened, options=options)
