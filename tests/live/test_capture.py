"""Images from a camera into a folder per class, by the keys of a real terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from edgeemo.errors import OptionError
from edgeemo.live.capture import Capture, choose_keys
from edgeemo.live.pixels import ImagePixels, JpegPixels

from .brokers import wait_until


def test_each_class_has_a_key_of_its_own():
    assert choose_keys(["happy", "sad", "surprise", "quiet", "hi"]) == {
        "h": "happy", "s": "sad", "u": "surprise", "i": "quiet", "1": "hi",
    }  # fmt: skip
    assert choose_keys(["Zorn", "素敵"]) == {"z": "Zorn", "素": "素敵"}


@pytest.mark.parametrize("classes", [["a", "a"], ["../a"], ["a/b"], [".a"], [" "], [""]])
def test_classes_that_cannot_be_folders_are_refused(classes):
    with pytest.raises(OptionError, match="named twice or cannot be a folder"):
        choose_keys(classes)


def test_a_cameras_jpeg_is_stored_as_it_came_and_nothing_is_replaced(tmp_path):
    content = io.BytesIO()
    Image.linear_gradient("L").save(content, "JPEG", quality=30)
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / "old.jpg").touch()
    session = Capture(folder=tmp_path, keys=choose_keys(["happy", "sad"]), every_s=0.0)
    frame = SimpleNamespace(pixels=JpegPixels(content.getvalue()))
    assert not session.take(frame)  # no class is chosen
    session.press("h")
    assert all(session.take(frame) for _ in range(5))
    assert not session.take(SimpleNamespace(pixels=JpegPixels(b"\xff\xd8\xff damaged")))
    session.press(" ")
    assert not session.take(frame)
    session.press(" ")
    session.press("x")
    assert session.take(frame)
    session.press("S")
    image = Image.new("RGB", (30, 20), "red")
    assert session.take(SimpleNamespace(pixels=ImagePixels(image)))
    assert session.describe() == "[h] happy 7  [s] sad 1  [space] pause  [q] end  sad"
    stored = sorted((tmp_path / "happy").iterdir())
    assert len(stored) == 7
    assert {path.read_bytes() for path in stored} == {b"", content.getvalue()}
    (sad,) = (tmp_path / "sad").iterdir()
    with Image.open(sad) as opened:
        assert (opened.format, opened.size) == ("JPEG", (30, 20))


@pytest.fixture
def terminal(edgeemo_process):
    """Function (words) that starts ``edgeemo data capture`` in a terminal: process, its end."""
    ends = []

    def start(*words):
        ours, theirs = pty.openpty()
        ends.append(ours)
        process = edgeemo_process(
            "data", "capture", "faces", "--source", "test", *words,
            stdin=theirs, stdout=theirs, stderr=theirs, text=False, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        os.set_blocking(ours, False)
        return process, ours

    yield start
    for end in ends:
        os.close(end)


def _read(end):
    try:
        return os.read(end, 1 << 16).decode()
    except OSError:  # nothing yet, or nobody there any more
        return ""


def test_keys_of_a_terminal(terminal, tmp_path):
    process, end = terminal("--classes", "happy,sad", "--every", "0.05")
    shown = ""

    def sees(text):
        nonlocal shown
        shown += _read(end)
        return re.search(text, shown)

    wait_until(lambda: sees(r"\[h\] happy 0  \[s\] sad 0  \[space\] paused"))
    assert not (tmp_path / "faces").exists()
    os.write(end, b"h")
    wait_until(lambda: sees(r"happy [3-9] .*pause"))
    os.write(end, b"s")
    wait_until(lambda: sees(r"sad [2-9] "))
    os.write(end, b" ")
    wait_until(lambda: sees(r"paused  \[q\] end  \r?[^\[]*$"))
    counted = sum(1 for _ in (tmp_path / "faces").rglob("*.jpg"))
    time.sleep(0.3)
    assert sum(1 for _ in (tmp_path / "faces").rglob("*.jpg")) == counted
    os.write(end, b"q")
    assert process.wait(10) == 0
    wait_until(lambda: sees(rf"sad +\d+ taken, {len(list((tmp_path / 'faces/sad').iterdir()))}"))
    stored = (tmp_path / "faces").rglob("*.jpg")
    assert {path.read_bytes()[:3] for path in stored} == {b"\xff\xd8\xff"}


def test_ctrl_c_ends_it_in_order_and_the_terminal_is_as_before(terminal):
    import termios

    process, end = terminal("--classes", "happy,sad", "--json")
    before = termios.tcgetattr(end)[3]
    wait_until(lambda: "paused" in _read(end))
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert termios.tcgetattr(end)[3] == before | termios.ICANON | termios.ECHO


def test_without_a_terminal_one_class_is_taken_every_so_often(edgeemo, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    command = ("data", "capture", "faces", "--source", "test", "--seconds", "0.5")
    shown = edgeemo(*command, "--classes", "happy,sad")
    assert (shown.status, shown.out) == (2, "")
    assert shown.err.startswith("error: standard input is no terminal: without its keys, one class")
    shown = edgeemo(*command, "--classes", "happy", "--every", "0.1", "--json")
    assert shown.status == 0
    taken = list(Path("faces/happy").iterdir())
    assert 3 <= len(taken) <= 6
    assert f'"happy": {len(taken)}' in shown.out
