"""The reader: one slot, lost sources, and the end."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgeemo.errors import ImageError, SourceError
from edgeemo.live import frozen, outage
from edgeemo.live.frame import Frame
from edgeemo.live.reader import FrameReader


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all pauses a fiftieth."""
    for module, names in (
        (outage, ("FIRST_PAUSE_S", "MAX_PAUSE_S", "MAX_LATE_PAUSE_S", "SHORT_S")),
        (frozen, ("FROZEN_S", "CHECK_S")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name) / 50)
    # In a process with as many objects as pytest's it takes longer than a pause.
    monkeypatch.setattr("edgeemo.live.reopening.return_free_memory", lambda: None)


class Pixels:
    """Pixels whose brightness is a number."""

    jpeg, size = None, (2, 2)

    def __init__(self, value: int) -> None:
        self.value = value

    def luma(self) -> np.ndarray:
        return np.full((2, 2), self.value % 256, np.uint8)


class FakeSource:
    """A source that follows a script: a frame's brightness, a pause, an error, or None.

    Each opening takes the next script; the last one is repeated.
    """

    def __init__(self, *scripts: list, live: bool = True, device: bool = False) -> None:
        self.name, self.is_live, self.is_device, self.can_reopen = "cam", live, device, live
        self._scripts = list(scripts)
        self.opened = self.closed = 0

    def open(self) -> SimpleNamespace:
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        if isinstance(script, Exception):
            raise script
        self.opened += 1
        steps, number, closed = iter(script), iter(range(10**9)), threading.Event()

        def read() -> Frame | None:
            for step in steps:
                if isinstance(step, float):
                    closed.wait(step)
                elif isinstance(step, Exception):
                    raise step
                elif step is None:
                    return None
                else:
                    pixels = Pixels(step)
                    return Frame(number=next(number), time_s=time.monotonic(), pixels=pixels)
            return None

        def close() -> None:
            self.closed += 1
            closed.set()

        return SimpleNamespace(read=read, close=close)


def take_until(reader: FrameReader, done, *, limit_s: float = 5.0) -> list[Frame]:
    """Take frames until `done(frames)`."""
    frames, ends = [], time.monotonic() + limit_s
    while not (reader.has_ended or done(frames)):
        assert time.monotonic() < ends, frames
        if (frame := reader.take(0.05)) is not None:
            frames.append(frame)
    return frames


def test_file_gives_every_frame_and_its_error_last():
    source = FakeSource([*range(50), SourceError("cam: truncated")], live=False)
    with FrameReader(source) as reader:
        frames = []
        with pytest.raises(SourceError, match="cam: truncated"):
            while True:
                frame = reader.take(1)
                assert frame is not None
                frames.append(frame.number)
        assert frames == list(range(50))
        assert reader.has_ended
        assert reader.passed_over == 0
    assert source.closed == 1


def test_live_source_gives_the_newest_and_counts_the_rest():
    source = FakeSource([0, 1, 2, 3, 0.3, 4, 0.2])
    source.can_reopen = False
    with FrameReader(source) as reader:
        time.sleep(0.1)
        frames = take_until(reader, lambda frames: False)
    assert [frame.number for frame in frames] == [3, 4]
    assert reader.passed_over == 3


def test_lost_source_comes_back_and_is_told_once(monkeypatch):
    lines: list[str] = []
    gone = SourceError("cam: gone")
    source = FakeSource([0, 0.05, gone], gone, gone, [gone], [1, 0.05, 2, 5.0])
    with FrameReader(source, report=lines.append) as reader:
        frames = take_until(reader, lambda frames: len(frames) == 3)
        events = reader.take_events()
        begun = time.monotonic()
    assert time.monotonic() - begun < 0.5
    assert [frame.number for frame in frames] == [0, 1, 2]
    assert [event.kind for event in events] == ["lost", "back"]
    assert events[0].text == "gone"
    # Pauses of 0.5, 1, 2 and 2 seconds, at the test's speed.
    assert events[1].duration_s == pytest.approx(5.5 / 50, abs=0.06)
    assert [line.partition(" after")[0] for line in lines] == [
        "cam: lost: gone; it is opened again until it is back",
        "cam: back",
    ]
    assert source.opened == source.closed == 3


def test_source_that_gives_nothing_at_the_start_is_an_error():
    silent = FakeSource([0.05, SourceError("cam: no frame for 5 s")])
    with pytest.raises(SourceError, match="no frame for 5 s"), FrameReader(silent) as reader:
        take_until(reader, lambda frames: False)
    with pytest.raises(SourceError, match="no such camera"):
        FrameReader(FakeSource(SourceError("cam: no such camera")))


def test_damaged_frame_costs_that_frame():
    source = FakeSource([0, 0.05, ImageError("damaged"), 0.05, 1, 0.05, 5.0])
    with FrameReader(source) as reader:
        frames = take_until(reader, lambda frames: len(frames) == 2)
    assert [frame.pixels.value for frame in frames] == [0, 1]
    assert reader.take_events() == []


def count_threads_and_files() -> tuple[int, int]:
    """Count the threads and the open files of this process, without those of dropped objects."""
    gc.collect()
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def _steady(value: int, seconds: float) -> list:
    return [value, 0.01] * round(seconds / 0.01)


def test_frozen_device_is_lost_until_its_pixels_change():
    source = FakeSource(
        [*_steady(1, 0.05), *_steady(7, 0.6)], _steady(7, 0.6), [*_steady(7, 0.05), 8, 5.0],
        device=True,
    )  # fmt: skip
    with FrameReader(source) as reader:
        frames = take_until(reader, lambda frames: frames and frames[-1].pixels.value == 8)
        kinds = [(event.kind, event.text) for event in reader.take_events()]
    assert kinds == [("lost", "the same image for 0 s"), ("back", "")]
    assert source.opened == 3
    shown = [frame.pixels.value for frame in frames]
    assert 15 <= shown.count(7) <= 24  # those before it was noticed


def test_frozen_address_is_only_said():
    lines: list[str] = []
    source = FakeSource([*_steady(7, 0.5), 8, *_steady(9, 0.5), 10, 5.0])
    with FrameReader(source, report=lines.append) as reader:
        take_until(reader, lambda frames: frames and frames[-1].pixels.value == 10)
        assert reader.take_events() == []
    assert lines == ["cam: the same image for 0 s"] * 2


def test_stuck_library_is_told_and_does_not_delay_the_end(monkeypatch):
    monkeypatch.setattr("edgeemo.live.sources.base.NO_FRAME_S", 0.05)
    monkeypatch.setattr("edgeemo.live.reader.CLOSING_S", 0.1)
    release = threading.Event()

    class Stuck(FakeSource):
        def open(self) -> SimpleNamespace:
            stream = super().open()
            read = stream.read
            stream.read = lambda: read() or (release.wait() and None)
            stream.close = release.wait
            return stream

    lines: list[str] = []
    with FrameReader(Stuck([0]), report=lines.append) as reader:
        threading.Thread(target=lambda: (time.sleep(1), release.set())).start()
        take_until(reader, lambda frames: lines)
        begun = time.monotonic()
    assert lines == ["cam: lost: no frame for 0 s; it is opened again until it is back"]
    assert time.monotonic() - begun < 0.5
    release.set()


def test_many_outages_leave_nothing_behind():
    source = FakeSource([1, 2, 3, SourceError("cam: gone")])
    outage_count = 40
    with FrameReader(source) as reader:
        before = count_threads_and_files()
        ends, seen = time.monotonic() + 10, 0
        while seen < 2 * outage_count and time.monotonic() < ends:
            reader.take(0.02)
            seen += len(reader.take_events())
        assert seen >= 2 * outage_count
        assert count_threads_and_files() == before
    assert source.opened - source.closed == 0


def test_many_frames_take_no_memory():
    """Short form of `python -m benchmarks.live memory`."""

    def measure_mb() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

    source = FakeSource(iter(range(20_000)), live=False)
    with FrameReader(source) as reader:
        early = [reader.take(1) for _ in range(1000)][-1]
        before = measure_mb()
        count = sum(reader.take(1) is not None for _ in range(18_999))
        assert measure_mb() - before < 1
    assert early is not None
    assert (early.number, count) == (999, 18_999)
