"""A folder in which images appear."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from edgeemo.errors import SourceError
from edgeemo.live import outage
from edgeemo.live.reader import FrameReader
from edgeemo.live.sources import folder
from edgeemo.live.sources.choose import choose_source
from edgeemo.live.sources.folder import WatchedFolder
from edgeemo.live.sources.settings import SourceSettings

if TYPE_CHECKING:
    from pathlib import Path

WATCH = SourceSettings(watch=True)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "SCAN_S", 0.04)
    monkeypatch.setattr(outage, "FIRST_PAUSE_S", 0.02)


@pytest.fixture(scope="module")
def jpeg(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("image") / "image.jpg"
    Image.effect_noise((64, 48), 50).save(path)
    return path.read_bytes()


def take_names(reader: FrameReader, count: int, *, wait_s: float = 2.0) -> list[str]:
    """Take so many frames, or what comes in time."""
    names, ends = [], time.monotonic() + wait_s
    while len(names) < count and time.monotonic() < ends:
        if (frame := reader.take(0.05)) is not None:
            frame.pixels.decode()
            names.append(frame.name)
    return names


def test_images_that_appear_are_given_once_complete(tmp_path: Path, jpeg: bytes):
    (tmp_path / "old.jpg").write_bytes(jpeg)
    with FrameReader(choose_source(str(tmp_path), WATCH)) as reader:
        (tmp_path / "notes.txt").write_text("no image")
        (tmp_path / ".hidden.jpg").write_bytes(jpeg)
        (tmp_path / "empty.jpg").touch()
        (tmp_path / "folder.jpg").mkdir()
        os.mkfifo(tmp_path / "pipe.jpg")
        for number in reversed(range(30)):
            (tmp_path / f"{number:02}.jpg").write_bytes(jpeg)
            os.utime(tmp_path / f"{number:02}.jpg", (1000 - number, 1000 - number))
        # In the order in which they were written, and all of them, though nobody hurries.
        assert take_names(reader, 30) == [f"{number:02}.jpg" for number in reversed(range(30))]
        with (tmp_path / "slow.png").open("wb") as file:
            for at in range(0, len(jpeg), len(jpeg) // 12):
                file.write(jpeg[at : at + len(jpeg) // 12])
                file.flush()
                time.sleep(0.025)
                assert reader.take(0) is None
        assert take_names(reader, 1) == ["slow.png"]
        (tmp_path / "old.jpg").write_bytes(jpeg + b"again")
        assert take_names(reader, 1) == ["old.jpg"]
        assert take_names(reader, 1, wait_s=0.2) == []
        assert reader.passed_over == 0


def test_folder_that_vanishes_comes_back(tmp_path: Path, jpeg: bytes):
    watched, lines = tmp_path / "in", []
    watched.mkdir()
    (watched / "old.jpg").write_bytes(jpeg)
    with FrameReader(WatchedFolder(str(watched)), report=lines.append) as reader:
        (watched / "1.jpg").write_bytes(jpeg)
        assert take_names(reader, 1) == ["1.jpg"]
        kept = tmp_path / "kept"
        shutil.copytree(watched, kept)
        shutil.rmtree(watched)
        assert take_names(reader, 1, wait_s=0.3) == []
        (kept / "2.jpg").write_bytes(jpeg)
        kept.rename(watched)
        assert "2.jpg" in take_names(reader, 1)
        assert [event.kind for event in reader.take_events()] == ["lost", "back"]
    assert lines[0].startswith(f"{watched}: lost: the folder has gone; it is opened again")


def test_thousands_of_files_cost_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    count = 600
    for number in range(count):
        (tmp_path / f"{number}.jpg").write_bytes(b"x")
    stream, looked_at = WatchedFolder(str(tmp_path)).open(), []
    stamp = folder._stamp
    monkeypatch.setattr(folder, "_stamp", lambda *name: looked_at.append(name) or stamp(*name))
    (tmp_path / "123.jpg").write_bytes(b"other")
    for _ in range(8):  # every file has had its turn, and the new one another
        before = len(looked_at)
        stream._scan()
        assert len(looked_at) - before <= folder._CHECKED + 1
    assert list(stream._ready) == ["123.jpg"]


def test_folder_without_watch_and_watch_without_folder(tmp_path: Path):
    with pytest.raises(SourceError, match=f"is a folder: edgeemo predict {tmp_path} predicts"):
        choose_source(str(tmp_path), SourceSettings())
    with pytest.raises(SourceError, match="--watch requires a folder, which test is not"):
        choose_source("test", WATCH)
