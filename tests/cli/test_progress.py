"""Progress as a log and as a terminal of 80 columns show it."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from edgeemo.cli.output import progress
from edgeemo.cli.output.progress import _BarProgress, _LogProgress, format_duration

DETAIL = "epoch 12/20  loss 0.123  accuracy 0.912  validation 0.913"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (99.4, "99 s"), (99.6, "2 min"), (3600, "60 min"), (6000, "1.7 h")],
)
def test_durations_in_words(seconds, words):
    assert format_duration(seconds) == words


@pytest.fixture
def clock(monkeypatch):
    """A list with the time in it, which `_LogProgress` reads."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_say_how_long_it_takes_from_its_first_step_on(clock):
    """Neither the start nor what an earlier run had done counts for the pace."""
    stream = io.StringIO()
    lines = _LogProgress(stream)
    lines.stage("Training", total=1000)
    clock[0] = 5.0
    lines.advance(400)  # already done
    for _ in range(11):
        clock[0] += 1.0
        lines.advance(10, detail=DETAIL)
    assert stream.getvalue().splitlines() == ["Training ...", f"  450/1000  55 s left  {DETAIL}"]


def test_lines_say_nothing_of_time_where_nothing_is_known(clock):
    stream = io.StringIO()
    lines = _LogProgress(stream)
    lines.stage("Training", total=10)
    clock[0] = 60.0
    lines.advance()
    clock[0] = 120.0
    lines.advance(9)
    assert stream.getvalue().splitlines() == ["Training ...", "  1/10", "  10/10"]


def test_a_terminal_of_80_columns_shows_it_whole():
    stream = io.StringIO()
    screen = _BarProgress(Console(file=stream, force_terminal=True, width=80, color_system=None))
    screen.stage("Training", total=24000)
    for _ in range(4):
        screen.advance(6000, detail=DETAIL)
    screen.note("a [note] stays")
    screen.close()
    shown = re.sub(r"\x1b\[[0-9?]*[A-Za-z]", "", stream.getvalue()).replace("\r", "\n").splitlines()
    assert max(map(len, shown)) <= 80
    assert "a [note] stays" in shown
    bar, detail = [line.rstrip() for line in shown if line.strip()][-2:]
    assert re.fullmatch(r"Training ━+ 24000/24000 in \d+ s", bar)
    assert detail == f"  {DETAIL}"


def test_a_narrow_terminal_cuts_the_detail_and_wraps_nothing():
    stream = io.StringIO()
    screen = _BarProgress(Console(file=stream, force_terminal=True, width=40, color_system=None))
    screen.stage("Training", total=10)
    screen.advance(10, detail=DETAIL)
    screen.close()
    shown = re.sub(r"\x1b\[[0-9?]*[A-Za-z]", "", stream.getvalue()).replace("\r", "\n").splitlines()
    assert [line for line in shown if line.startswith("  epoch")][-1] == f"  {DETAIL}"[:39] + "…"
