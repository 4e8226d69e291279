"""Crops to learn from, the summary and its page."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from edgeemo.dataset.ingest import IngestOptions, ingest_folder
from edgeemo.live.outputs.clock import Clock
from edgeemo.live.outputs.collect import Collector
from edgeemo.live.outputs.examples import Examples
from edgeemo.live.outputs.images import FrameImages
from edgeemo.live.outputs.report import TimeLinePage
from edgeemo.live.outputs.summary import MAX_FACES, Summary
from edgeemo.live.outputs.summary_text import summarize

from .made import LABELS, SPEC, change, face, predict, see

FILE = Clock(is_live=False)


def _noise(seed):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (120, 160, 3), np.uint8))


def _collect(folder, *seen, **options):
    said = []
    output = Collector(folder, SPEC, FrameImages(), FILE, report=said.append, **options)
    for each in seen:
        output.add_observation(each)
    output.close()
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*.png")), said


def test_crops_of_doubt_are_kept_one_a_second_and_no_copies(tmp_path):
    seen = [see(number / 10, face(raw="sad"), image=_noise(number // 10)) for number in range(40)]
    seen += [see(5 + number, face(raw="sad"), image=_noise(1)) for number in range(3)]
    seen += [see(9, face(raw="happy"), image=_noise(20)), see(10, face(raw=None), image=_noise(21))]
    seen.append(see(11, face(raw="sad")))  # a grey wall
    names, said = _collect(tmp_path / "new", *seen)
    assert names == [
        f"sad/00-00-0{second}.0_face-1_sad-0.75.png" for second in range(4)
    ]  # "happy" is no doubt, and without a prediction of the frame there is no crop
    assert said == []
    with Image.open(tmp_path / "new" / names[1]) as crop:
        place = seen[10].faces[0].face
        expected = _noise(1).crop((place.left, place.top, *(place[k] + place.side for k in (0, 1))))
        assert crop.mode == "RGB"
        assert (np.asarray(crop)[:50, :50] == np.asarray(expected)[:50, :50]).all()


def test_the_folder_is_bounded_with_what_is_there_already(tmp_path):
    seen = [see(number, face(raw="sad"), image=_noise(number)) for number in range(6)]
    assert len(_collect(tmp_path / "new", *seen[:2], max_crops=4)[0]) == 2
    names, said = _collect(tmp_path / "new", *seen[2:], max_crops=4)
    assert len(names) == 4
    assert said == [f"{tmp_path / 'new'}: holds 4 crops; no more are collected"]


def test_the_folder_is_a_data_set(tmp_path):
    doubts = (predict("happy", 0.55), predict("sad", 0.6))
    seen = []
    for number in range(12):
        one = face()
        one = replace(one, raw=replace(doubts[number % 2], face=one.face))
        seen.append(see(2 * number, one, image=_noise(number)))
    names, _ = _collect(tmp_path / "new", *seen)
    assert len(names) == 12
    found = ingest_folder(tmp_path / "new", options=IngestOptions())
    assert found.labels == ("happy", "sad")
    assert found.summary.kept == 12


def _summary():
    summary = Summary()
    for number in range(101):
        faces = [face(1, "happy" if number < 50 else "sad", raw="happy")]
        faces += [face(2, "not sure", raw=None)] if 20 <= number <= 40 else []
        summary.add_observation(see(number / 10, *faces))
    summary.add_event(change(5.0))
    return summary


def test_a_file_ends_with_the_share_of_each_label():
    lines = summarize(_summary(), LABELS)
    assert lines[0] == "101 frames in 0:10, 2 faces, 1 change of label"
    assert [line.split() for line in lines[1:]] == [
        ["from", "to", "happy", "sad", "not", "sure"],
        [lines[2]],
        ["face", "1", "0:00", "0:10", "49%", "51%", "0%"],
        ["face", "2", "0:02", "0:04", "0%", "0%", "100%"],
        ["all", "0:00", "0:10", "41%", "42%", "17%"],
    ]
    assert summarize(Summary(), LABELS) == ["0 frames in 0:00, 0 faces, 0 changes of label"]


def test_a_summary_is_bounded():
    summary = Summary()
    for number in range(3000):
        flickers = face(1, "happy" if number % 2 else "sad", raw="sad" if number % 3 else "happy")
        summary.add_observation(see(number / 30, flickers, face(2 + number // 10)))
    assert len(summary.faces) == MAX_FACES
    first = summary.faces[0]
    assert len(first.steady.spans) <= 600
    assert first.steady.spans[0].start_s == 0.0
    assert first.steady.spans[-1].end_s == pytest.approx(2999 / 30)
    assert first.steady.shares(LABELS) == pytest.approx([0.5, 0.5], abs=0.01)
    assert summary.face_count == 301


@pytest.mark.parametrize("with_images", [True, False])
def test_the_page_shows_the_time_line(tmp_path, with_images):
    pytest.importorskip("jinja2")
    images = FrameImages()
    examples = Examples(SPEC, images, blur=False, waits=True) if with_images else None
    page = TimeLinePage(
        tmp_path / "a.html", SPEC, source="<rtsp://camera/a>", examples=examples, clock=FILE
    )
    for number in range(20):
        label = "happy" if number < 10 else "sad"
        page.add_observation(see(number / 2, face(1, label), image=_noise(number)))
    page.add_event(change(5.0))
    page.close()
    text = (tmp_path / "a.html").read_text()
    assert "&lt;rtsp://camera/a&gt;" in text
    assert text.count("<img") == (1 if with_images else 0)
    bars = re.findall(r'<rect class="c(\d)" x="([\d.]+)" width="([\d.]+)"', text)
    assert bars[:2] == [("0", "0.00", "526.32"), ("1", "526.32", "473.68")]  # steady
    assert bars[2:] == [("1", "0.00", "1000.00")]  # raw
    assert "happy 0:00:00.0 to 0:00:05.0" in text
