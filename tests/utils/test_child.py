from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from edgeemo.errors import DatasetError, EdgeEmoError
from edgeemo.utils import child
from edgeemo.utils.child import ChildCrashedError, run_in_child
from edgeemo.utils.progress import Silent


class Notes(Silent):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def succeed(number, *, progress, other):
    print("printed")  # must not come between the messages
    progress.stage("working", total=2)
    progress.advance(detail="one")
    progress.note(f"{number} and {other}")
    return number + other, os.getpid()


def refuse(progress):
    raise DatasetError("nothing there")


class OddError(Exception):
    def __init__(self, *, text):
        super().__init__(text)


def raise_odd(progress):
    raise OddError(text="odd")


def crash(progress):
    progress.stage("breaking")
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(progress):
    os._exit(3)


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """Let the child import this module."""
    here = str(Path(__file__).parent)
    monkeypatch.setattr(child, "_CODE", f"import sys; sys.path.insert(0, {here!r}); {child._CODE}")
    for function in (succeed, refuse, raise_odd, crash, leave):
        monkeypatch.setattr(function, "__module__", "test_child")
    monkeypatch.setitem(
        __import__("sys").modules, "test_child", __import__("sys").modules[__name__]
    )


def test_result_and_progress_come_back():
    notes = Notes()
    result, pid = run_in_child(succeed, 1, progress=notes, other=2)
    assert (result, notes.notes) == (3, ["1 and 2"])
    assert pid != os.getpid()


def test_an_error_is_raised_here():
    with pytest.raises(DatasetError, match=r"^nothing there$"):
        run_in_child(refuse, progress=Silent())


def test_an_error_that_cannot_be_pickled_keeps_its_text():
    with pytest.raises(EdgeEmoError, match=r"^odd$"):
        run_in_child(raise_odd, progress=Silent())


@pytest.mark.parametrize(("function", "ended_by"), [(crash, "SIGSEGV"), (leave, "exit status 3")])
def test_a_crash_is_an_error_with_the_signal(function, ended_by):
    with pytest.raises(ChildCrashedError) as caught:
        run_in_child(function, progress=Silent())
    assert caught.value.ended_by == ended_by
    assert caught.value.stage == ("breaking" if function is crash else "")
