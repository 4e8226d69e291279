from __future__ import annotations

import os

import pytest

from edgeemo.errors import EngineError, LimitError
from edgeemo.utils.command import run_command


def fail(error):
    raise error


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (EngineError("a.tflite: damaged"), 1, "error: a.tflite: damaged\n"),
        (LimitError("nothing fits"), 3, "error: nothing fits\n"),
        (KeyboardInterrupt(), 130, ""),
        (MemoryError(), 1, "error: out of memory\n"),
    ],
)
def test_each_error_has_one_line_and_a_status(error, status, line, capsys):
    assert run_command(lambda: fail(error)) == status
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(28, "No space left on device", "out.json"), "error: out.json: No space left"),
        (OSError(28, "No space left on device"), "error: No space left"),
        (BrokenPipeError(), ""),
    ],
)
def test_output_that_cannot_be_written_is_dropped(error, line, capfd):
    kept = os.dup(1)
    try:
        assert run_command(lambda: fail(error)) == 1
        os.write(1, b"the rest")
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(line)


def test_the_status_of_the_command_and_the_hint():
    assert run_command(lambda: 7) == 7


def test_a_hint_follows_a_lack_of_memory(capsys):
    assert run_command(lambda: fail(MemoryError()), memory_hint="try a smaller --size") == 1
    assert capsys.readouterr().err == "error: out of memory; try a smaller --size\n"
