"""The pace: even, with the newest frame, and slower on a hot processor."""

from __future__ import annotations

import itertools
import time
from types import SimpleNamespace

import pytest

from edgeemo.live import pace
from edgeemo.live.frame import Frame
from edgeemo.live.pace import Cooling, PacedReader, PaceSettings


class _Source:
    """A reader whose frames come every `every_s` seconds; of a file at once."""

    passed_over, has_ended = 0, False

    def __init__(self, every_s: float, *, names: bool = False, is_live: bool = True) -> None:
        self._every_s, self._names, self._is_live = every_s, names, is_live
        self._began = time.monotonic()
        self._last = -1

    def take(self, wait_s):
        if not self._is_live:
            self._last += 1
            name = "a.jpg" if self._names else ""
            return Frame(
                number=self._last, time_s=self._last * self._every_s, pixels=None, name=name
            )
        number = int((time.monotonic() - self._began) / self._every_s)
        if number == self._last:
            time.sleep(min(wait_s, self._began + (number + 1) * self._every_s - time.monotonic()))
            number += 1
        self._last = number
        return Frame(number=number, time_s=self._began + number * self._every_s, pixels=None)

    def take_events(self):
        return []


def _reader(source, **settings):
    return PacedReader(source, PaceSettings(**settings), report=lambda _: None)


def test_predictions_are_evenly_spaced_of_the_newest_frames_and_without_busy_waiting():
    reader = _reader(_Source(0.01), max_fps=20)
    times, ages, cpu = [], [], time.process_time()
    while len(times) < 12:
        frame = reader.take(0.5)
        if frame is not None:
            times.append(time.monotonic())
            ages.append(times[-1] - frame.time_s)
    assert time.process_time() - cpu < 0.2 * (times[-1] - times[0])
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert sum(gaps) / len(gaps) == pytest.approx(0.05, rel=0.1)
    assert sorted(gaps)[1] > 0.03
    assert sorted(ages)[-2] < 0.03


def test_the_loop_comes_round_while_it_waits_and_late_predictions_are_not_made_up_for():
    rounds = []
    reader = PacedReader(
        _Source(0.001), PaceSettings(max_fps=5), report=str, on_round=lambda: rounds.append(1)
    )
    assert reader.take(0.05) is not None
    assert [reader.take(0.05), reader.take(0.05)] == [None, None]
    assert len(rounds) == 3
    time.sleep(0.5)
    assert reader.take(0.05) is not None
    assert reader.take(0.05) is None


def test_of_a_file_frames_are_skipped_by_their_times():
    reader = _reader(_Source(0.04, is_live=False), max_fps=10, seconds=1, is_live=False)
    numbers = []
    while not reader.has_ended:
        frame = reader.take(0.5)
        numbers += [frame.number] if frame else []
    assert numbers == [0, 3, 5, 8, 10, 13, 15, 18, 20, 23]
    assert reader.passed_over == 15


def test_every_image_of_a_folder_is_taken():
    reader = _reader(_Source(0.001, names=True, is_live=False), max_fps=10, is_live=False)
    assert [reader.take(0.5).number for _ in range(50)] == list(range(50))


def test_a_live_run_ends_in_time():
    reader = _reader(_Source(5.0), seconds=0.2)
    began = time.monotonic()
    while not reader.has_ended:
        reader.take(0.5)
    assert 0.2 <= time.monotonic() - began < 0.4


@pytest.fixture
def board(monkeypatch):
    """A board; change its `celsius` and `bits`."""
    board = SimpleNamespace(celsius={"cpu-thermal": 60.0, "wifi": 90.0}, bits=None)
    monkeypatch.setattr(pace, "read_temperatures", lambda: board.celsius)
    monkeypatch.setattr(pace, "read_firmware_bits", lambda: board.bits)
    return board


def test_a_hot_processor_slows_down_says_so_and_recovers(board):
    lines: list[str] = []
    cooling = Cooling(75, report=lines.append)
    now, slowest = 0.0, 0.0

    def run(celsius, seconds):
        nonlocal now, slowest
        board.celsius = {"cpu-thermal": celsius, "wifi": 90.0}
        end = now + seconds
        while now < end:
            interval = max(0.1, cooling.interval_s)
            now += interval
            cooling.update(now, interval_s=interval)
            slowest = max(slowest, cooling.interval_s)

    run(74.9, 30)
    assert (cooling.interval_s, lines) == (0.0, [])
    run(75, 5)
    assert cooling.interval_s == pytest.approx(0.2)
    run(80, 60)
    assert slowest == 2.0
    run(73, 30)  # between the two limits
    assert cooling.interval_s == 2.0
    run(71, 60)
    assert cooling.interval_s == 0.0
    assert lines == [
        "warning: the processor has 75 °C: predicting fewer frames until it is cooler",
        "the processor has 71 °C: predicting at the full rate again",
    ]


def test_a_weak_supply_is_said_once_and_an_unknown_temperature_at_the_start(board):
    lines: list[str] = []
    cooling = Cooling(None, report=lines.append)
    board.bits = 0x50005
    for now in range(0, 60, 6):
        cooling.update(float(now), interval_s=0.1)
    assert lines == [
        "warning: the board reports: undervoltage",
        "warning: the board reports: throttled",
    ]
    board.celsius = {}
    Cooling(75, report=lines.append).update(0.0, interval_s=0.1)
    assert lines[2] == "warning: --max-temp: this machine does not tell its temperature"
