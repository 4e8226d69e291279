"""Images on standard input."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from edgeemo.errors import SourceError
from edgeemo.live.reader import FrameReader
from edgeemo.live.sources.settings import SourceSettings
from edgeemo.live.sources.stdin import StandardInput
from tests.live.test_image_splitter import FILES

if TYPE_CHECKING:
    from pathlib import Path


def read_input(descriptor: int) -> StandardInput:
    """Return the source."""
    return StandardInput(SourceSettings(fps=10), descriptor=descriptor)


def take_all(reader: FrameReader) -> list[bytes]:
    found = []
    while not reader.has_ended:
        if (frame := reader.take(1)) is not None:
            found.append(frame.pixels._content)
    return found


def test_a_file_gives_every_image_with_garbage_between(tmp_path: Path):
    path = tmp_path / "images"
    path.write_bytes(b"garbage".join(FILES) + FILES[0][:-9])
    with path.open("rb") as file, FrameReader(read_input(file.fileno())) as reader:
        assert take_all(reader) == FILES
        assert reader.passed_over == 0
    with path.open("rb") as file:
        stream = read_input(file.fileno()).open()
        assert [stream.read().time_s for _ in FILES] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_pipe_is_live_and_may_be_silent():
    out, into = os.pipe()
    with FrameReader(read_input(out)) as reader:
        os.write(into, FILES[0] + FILES[1])
        time.sleep(0.1)
        first = reader.take(1)
        assert first is not None
        assert first.number == reader.passed_over == 1
        assert reader.take(0.1) is None
        threading.Timer(0.1, os.write, (into, FILES[2])).start()
        assert reader.take(2) is not None
        threading.Timer(0.1, os.close, (into,)).start()
        assert take_all(reader) == []
    os.close(out)


def test_end_does_not_wait_for_standard_input():
    out, into = os.pipe()
    with FrameReader(read_input(out)) as reader:
        assert reader.take(0.05) is None
        begun = time.monotonic()
    assert time.monotonic() - begun < 0.4
    assert not reader._thread.is_alive()
    os.close(into)
    os.close(out)


def test_what_holds_no_image(tmp_path: Path):
    path = tmp_path / "images"
    for content, reason in ((b"", "no JPEG in it"), (FILES[0][:-5], "the only JPEG is cut off")):
        path.write_bytes(content)
        with (
            path.open("rb") as file,
            pytest.raises(SourceError, match=reason),
            FrameReader(read_input(file.fileno())) as reader,
        ):
            take_all(reader)
    terminal, other = os.openpty()
    with pytest.raises(SourceError, match="is a terminal"):
        read_input(other).open()
    os.close(terminal)
    os.close(other)
