"""Text, JSON lines and CSV."""

from __future__ import annotations

import csv
import io
import json
import os

import pytest

from edgeemo.live.observation import Event
from edgeemo.live.outputs.clock import Clock
from edgeemo.live.outputs.csv_lines import EventRows, FrameRows
from edgeemo.live.outputs.jsonl import EventLines, FrameLines
from edgeemo.live.outputs.lines import LineWriter
from edgeemo.live.outputs.text import EventText, StatusLine
from edgeemo.utils.urls import hide_password, hide_passwords

from .made import LABELS, change, face, see

FILE = Clock(is_live=False)
EVENTS = (
    Event(kind="appeared", time_s=0.5, face=face()),
    change(63.25),
    Event(kind="left", time_s=64.0, face=face(label="sad"), duration_s=63.5),
    Event(kind="lost", time_s=65.0, text="no frame for 2 s"),
    Event(kind="back", time_s=68.0, duration_s=3.0),
)


def _print(make, *items):
    stream = io.StringIO()
    output = make(LineWriter(stream, waits=True))
    for item in items:
        (output.add_event if isinstance(item, Event) else output.add_observation)(item)
    output.close()
    return stream.getvalue().splitlines()


def test_text_tells_events_with_both_predictions():
    assert _print(lambda lines: EventText(lines, FILE), see(0.5, face()), *EVENTS) == [
        "0:00:00.5  face 1: happy 0.75 (raw sad 0.75), appeared",
        "0:01:03.2  face 1: sad 0.75 (raw sad 0.75), happy for 1.5 s before",
        "0:01:04.0  face 1 left after 63.5 s, sad at last",
        "0:01:05.0  source lost: no frame for 2 s",
        "0:01:08.0  source back after 3.0 s",
    ]


def test_json_of_frames_and_of_events():
    seen = see(2.0, face(), face(2, raw=None), passed_over=3, ms={"predict": 1.23456})
    broken = see(2.1, error="frame: damaged")
    first, second = map(json.loads, _print(lambda lines: FrameLines(lines, FILE), seen, broken))
    assert {key: first[key] for key in ("time", "frame", "passed_over", "ms")} == {
        "time": 2.0, "frame": 60, "passed_over": 3, "ms": {"predict": 1.235},
    }  # fmt: skip
    one, two = first["faces"]
    assert (one["id"], one["label"], one["box"]) == (1, "happy", [40, 30, 60, 60])
    assert one["raw"]["label"] == "sad"
    assert one["steady"]["scores"] == {"happy": 0.75, "sad": 0.25}
    assert two["raw"] is None
    assert second["error"] == "frame: damaged"
    assert "faces" not in second
    events = [json.loads(line) for line in _print(lambda lines: EventLines(lines, FILE), *EVENTS)]
    assert [each["event"] for each in events] == ["appeared", "changed", "left", "lost", "back"]
    assert (events[1]["previous"], events[1]["duration_s"], events[1]["id"]) == ("happy", 1.5, 1)


def test_csv_has_a_row_per_face_and_as_many_cells_as_columns():
    seen = (see(1.0, face(), face(2, raw=None)), see(1.1), see(1.2, error="damaged, badly"))
    rows = list(csv.DictReader(_print(lambda lines: FrameRows(lines, FILE, LABELS), *seen)))
    assert [(row["id"], row["label"]) for row in rows] == [
        ("1", "happy"), ("2", "happy"), ("", "no face"), ("", ""),
    ]  # fmt: skip
    assert (rows[0]["raw_label"], rows[0]["raw p(sad)"], rows[0]["steady p(sad)"]) == (
        "sad", "0.75", "0.25",
    )  # fmt: skip
    assert rows[3]["error"] == "damaged, badly"
    assert all(None not in row and None not in row.values() for row in rows)
    rows = list(csv.DictReader(_print(lambda lines: EventRows(lines, FILE, LABELS), *EVENTS)))
    assert [row["event"] for row in rows] == ["appeared", "changed", "left", "lost", "back"]
    assert all(None not in row and None not in row.values() for row in rows)


def test_the_status_gives_way_to_events(monkeypatch):
    screen = io.StringIO()
    status = StatusLine(screen, Clock(is_live=True))
    monkeypatch.setattr(status, "_since", -100.0)
    lines = LineWriter(io.StringIO(), waits=True)
    output = EventText(lines, Clock(is_live=True), status)
    output.add_observation(see(0.0, face(), passed_over=4))
    shown = screen.getvalue()
    assert "4 passed over | face 1: happy 0.75" in shown
    output.add_event(change(0.1))
    assert screen.getvalue() == f"{shown}\r\x1b[K"


def test_a_reader_that_stalls_costs_lines_of_a_live_source_and_no_frame():
    read, write = os.pipe()
    said = []
    with os.fdopen(write, "w") as stream:
        lines = LineWriter(stream, waits=False, report=said.append)
        for _ in range(2000):
            lines.write("x" * 1000)
        assert said == ["standard output: its reader is too slow; lines are left out"]
        os.close(read)


def test_nobody_reads_any_more():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream, pytest.raises(BrokenPipeError):
        LineWriter(stream, waits=True).write("one")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://camera.local/stream", "rtsp://camera.local/stream"),
        ("rtsp://me:secret@camera.local:554/a?key=secret#b", "rtsp://camera.local:554/a"),
        ("http://me:sec/r?e#t@camera/a", "http://camera/a"),
        ("http://me:12/secret@camera/a", "http://camera/a"),
        ("video.mp4", "video.mp4"),
    ],
)
def test_no_password_is_shown(url, shown):
    assert hide_password(url) == shown
    assert hide_passwords(f"cannot open {url}: refused", url) == f"cannot open {shown}: refused"
