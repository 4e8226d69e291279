"""`edgeemo predict` of a video: a row per face and frame sampled, and a summary."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("av", reason="PyAV is not installed")

import av

from edgeemo.live.sources.drawn import DrawnFaces
from edgeemo.live.sources.settings import SourceSettings
from tests.live.videos import write_sound

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two and a half seconds of drawn faces, 1280 pixels wide, ten frames a second."""
    path = tmp_path_factory.mktemp("video") / "party.mp4"
    stream = DrawnFaces(SourceSettings(size=(1280, 960), fps=1000)).open()
    with av.open(str(path), "w") as container:
        track: Any = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        track.width, track.height, track.pix_fmt = 1280, 960, "yuv420p"
        for _ in range(25):
            image = stream.read().pixels.decode().convert("RGB")
            container.mux(track.encode(av.VideoFrame.from_image(image)))
        container.mux(track.encode())
    return path


def test_a_frame_a_second_and_a_summary(edgeemo, video, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    shown = edgeemo("predict", video)
    assert shown.status == 0
    rows = [line.split() for line in shown.out.splitlines()[1:]]
    assert {row[-2] for row in rows} == {"0.00", "1.00", "2.00"}
    assert f"{video}: 3 frames to 2.0 s: happy 100%\n" in shown.err


def test_json_lines_and_csv_hold_the_time_and_the_box_in_the_whole_frame(edgeemo, video):
    lines = [json.loads(line) for line in edgeemo("predict", video, "--json").out.splitlines()]
    assert [(line["file"], line["time"]) for line in lines] == [(str(video), n) for n in (0, 1, 2)]
    box = lines[0]["faces"][0]["box"]
    assert box[2] > 320  # of 1280 pixels, not of the 640 that are decoded
    table = edgeemo("predict", video, "--every", "0", "--format", "csv").out.splitlines()
    rows = list(csv.DictReader(table))
    times = sorted({float(row["time"]) for row in rows})
    assert np.allclose(times, np.arange(25) / 10)
    assert [int(rows[0][side]) for side in ("left", "top", "width", "height")] == box


def test_a_video_among_images_is_an_error_of_its_own(edgeemo, video, tmp_path):
    (tmp_path / "text.mp4").write_text("hello")
    sound = write_sound(tmp_path / "sound.mp4")
    shown = edgeemo(
        "predict", tmp_path / "text.mp4", sound, video, tmp_path / "none.jpg", "--format", "csv"
    )
    assert shown.status == 1
    assert shown.err.count("\nerror: ") == 3
    assert f"error: {sound}: holds sound, but no video\n" in shown.err
    rows = list(csv.DictReader(shown.out.splitlines()))
    assert [row["time"] for row in rows] == ["", "", "0.000", "1.000", "2.000", ""]
    assert [bool(row["error"]) for row in rows] == [True, True, False, False, False, True]


def test_copies_are_of_images_alone(edgeemo, video, tmp_path):
    shown = edgeemo("predict", video, "--annotate", tmp_path / "seen")
    assert shown.status == 2
    assert "--annotate requires images; of a video: edgeemo live --annotate" in shown.err
