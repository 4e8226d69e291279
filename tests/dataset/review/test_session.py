"""A review: what is shown, and that nothing decided is ever lost."""

from __future__ import annotations

import pytest

from edgeemo.dataset.check import check_folder
from edgeemo.dataset.check.labels import LabelCheck, SuspiciousLabel
from edgeemo.dataset.ingest.decisions import read_decisions
from edgeemo.dataset.review import build_queue, session

from ..conftest import contents


def test_the_images_to_review_and_their_order(begin):
    shown = [(item.path, item.kind, item.suggested) for item in begin().items]
    assert shown == [
        ("happy/003.png", "in two classes", "sad"),
        ("sad/003.png", "in two classes", "happy"),
        ("sad/long.png", "odd", ""),
        ("happy/near.png", "duplicate", ""),
    ]
    assert begin().items[3].alike == ("happy/001.png",)


def test_a_suspicious_label_comes_before_what_is_odd_and_once(faces):
    from dataclasses import replace

    found = check_folder(faces)
    suspect = SuspiciousLabel(path="sad/long.png", label="sad", suggested="happy", confidence=0.97)
    found = replace(found, label_check=LabelCheck(accuracy=0.9, suspects=(suspect,)))
    labels = {path: path.split("/")[0] for path in contents(faces)}
    items = [item for item in build_queue(found, labels) if item.path == "sad/long.png"]
    assert [(item.kind, item.suggested) for item in items] == [("suspicious label", "happy")]
    assert "looks happy" in items[0].reason


def test_every_decision_is_on_disk_at_once_and_the_folder_untouched(begin, faces, tmp_path):
    before, review = contents(faces), begin()
    assert review.decide(1, "exclude") == {
        "item": 1, "decision": {"decision": "exclude", "label": ""}, "decided": 1,
    }  # fmt: skip
    assert len(read_decisions(tmp_path / "review.csv").rows) == 1
    review.decide(0, "keep")
    review.decide(2, "relabel", "happy")
    kept = read_decisions(tmp_path / "review.csv")
    assert [(row.path, row.decision, row.label) for row in kept.rows] == [
        ("sad/003.png", "exclude", ""),
        ("happy/003.png", "keep", "happy"),
        ("sad/long.png", "relabel", "happy"),
    ]
    assert contents(faces) == before


def test_it_continues_where_it_stopped(begin):
    begin().decide(0, "keep")
    again = begin()
    assert (again.decided, again.describe()["first"]) == (1, 1)
    again.decide(1, "exclude")
    again.decide(2, "keep")
    again.decide(3, "keep")
    assert begin().describe()["first"] == 4


def test_undo_takes_the_last_decision_back_also_after_a_restart(begin, tmp_path):
    review = begin()
    review.decide(2, "keep")
    review.decide(0, "exclude")
    assert begin().undo() == {"item": 0, "decision": None, "decided": 1}
    again = begin()
    assert again.undo()["item"] == 2
    assert again.undo() == {"item": -1, "decision": None, "decided": 0}
    assert read_decisions(tmp_path / "review.csv").rows == ()


def test_a_decision_may_be_changed(begin):
    review = begin()
    review.decide(0, "exclude")
    review.decide(1, "keep")
    review.decide(0, "relabel", "sad")
    assert [row.path for row in review.decisions.rows] == ["sad/003.png", "happy/003.png"]
    review.decide(0, "relabel", "happy")
    assert review.decisions.counts == {"keep": 2, "relabel": 0, "exclude": 0}


@pytest.mark.parametrize(
    "wrong", [(9, "keep", ""), (-1, "keep", ""), (0, "drop", ""), (0, "relabel", "angry")]
)
def test_what_cannot_be_decided_is_refused(begin, wrong, tmp_path):
    with pytest.raises(ValueError, match=r"."):
        begin().decide(*wrong)
    assert not (tmp_path / "review.csv").exists()


def test_a_full_disk_takes_no_decision_and_loses_none(begin, tmp_path, monkeypatch):
    review = begin()
    review.decide(0, "keep")

    def fail(_):
        raise OSError(28, "full")

    monkeypatch.setattr(session, "write_decisions", fail)
    with pytest.raises(OSError, match="full"):
        review.decide(1, "keep")
    assert review.decided == 1
    assert len(read_decisions(tmp_path / "review.csv").rows) == 1


def test_decisions_about_other_images_stay_in_the_table(begin, tmp_path):
    begin().decide(2, "keep")
    table = tmp_path / "review.csv"
    table.write_text(table.read_text() + "gone.png,00,exclude,\n")
    review = begin()
    assert review.decided == 1
    review.decide(0, "keep")
    assert {row.path for row in read_decisions(table).rows} == {
        "sad/long.png", "gone.png", "happy/003.png",
    }  # fmt: skip
