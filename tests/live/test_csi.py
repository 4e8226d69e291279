"""The camera of a Raspberry Pi, played by a fake ``rpicam-vid``."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from edgeemo.errors import SourceError
from edgeemo.live import outage
from edgeemo.live.planes import PlaneLayout, PlanePixels
from edgeemo.live.reader import FrameReader
from edgeemo.live.sources import base, csi
from edgeemo.live.sources.choose import choose_source
from edgeemo.live.sources.drawn import DrawnFaces
from edgeemo.live.sources.settings import SourceSettings
from edgeemo.model.spec import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Callable

_FAKE = """#!{python} -SE
import os, sys, time
words = sys.argv[1:]
width, height, fps = (float(words[words.index(w) + 1])
                      for w in ("--width", "--height", "--framerate"))
for w in ("--nopreview", "--flush"):
    words.index(w)
assert words[words.index("--codec") + 1] == "yuv420" and words[words.index("--output") + 1] == "-"
os.write(2, b"[1:2:3] INFO Camera camera_manager.cpp: libcamera v0.5\\n" * 5)
number = 0
open("{folder}/pid", "w").write(str(os.getpid()))
while True:
    mode = open("{folder}/mode").read()
    if mode.startswith("!"):
        os.write(2, mode[1:].encode() + b"\\n")
        sys.exit(255)
    if mode == "run":
        value = bytes([16 + number % 200])
        frame = value * int(width * height) + b"\\x80" * int(width * height / 2)
        while frame:
            frame = frame[os.write(1, frame):]
        number += 1
    time.sleep(1 / fps)
"""


@pytest.fixture
def set_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a fake ``rpicam-vid`` on PATH; the function tells it what to do."""
    program = tmp_path / "rpicam-vid"
    program.write_text(_FAKE.format(python=sys.executable, folder=tmp_path))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/nowhere")

    def set_mode(mode: str) -> None:
        (tmp_path / "new").write_text(mode)
        (tmp_path / "new").rename(tmp_path / "mode")

    return set_mode


def _encode(image: Image.Image, layout: PlaneLayout) -> bytes:
    """Return an image as the bytes of a layout, its padding filled with 7."""
    left = (layout.stride - layout.size[0]) // 2 // 2 * 2
    padded = Image.new("YCbCr", (layout.stride, layout.lines), (7, 7, 7))
    for top in (layout.lines - layout.size[1], 0):  # the camera fills an odd line, too
        padded.paste(image.convert("YCbCr"), (left, top))
    y, cb, cr = padded.split()
    return y.tobytes() + cb.reduce(2).tobytes() + cr.reduce(2).tobytes()


@pytest.mark.parametrize("size", [(640, 480), (300, 225), (1280, 960)])
def test_planes_become_the_image(size: tuple[int, int]):
    drawn = DrawnFaces(SourceSettings(size=size)).open().read().pixels.decode()
    layout = PlaneLayout(size=size, stride=-(-size[0] // 64) * 64)
    content = _encode(drawn, layout)
    assert len(content) == layout.frame_bytes
    pixels = PlanePixels(content, layout)
    assert pixels.size == drawn.size == size
    assert np.array_equal(pixels.luma(), np.asarray(drawn.convert("YCbCr"))[..., 0])

    colour = ModelSpec(labels=("happy", "sad"), height=48, width=48, channels=3)
    grey = ModelSpec(labels=("happy", "sad"), height=48, width=48, channels=1)
    for spec in (None, colour):
        decoded = pixels.decode(spec)
        expected = drawn.reduce(drawn.width // decoded.width)
        apart = np.abs(np.asarray(decoded, int) - np.asarray(expected, int))
        assert decoded.mode == "RGB"
        assert apart.mean() < 2
    assert pixels.decode(grey).mode == "L"


def test_frames_come_and_the_program_ends_with_the_reader(set_mode, tmp_path):
    set_mode("run")
    source = choose_source("csi", SourceSettings(size=(100, 51), fps=100))
    with FrameReader(source) as reader:
        frames = [reader.take(3) for _ in range(3)]
        pid = int((tmp_path / "pid").read_text())
        os.kill(pid, 0)
    for frame in frames:
        assert frame is not None
        assert frame.pixels.size == (100, 51)
        assert set(frame.pixels.luma().ravel()) == {16 + frame.number % 200}
        assert frame.pixels.decode().size == (100, 51)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_camera_that_stalls_or_ends_comes_back(set_mode, tmp_path, monkeypatch):
    monkeypatch.setattr(base, "NO_FRAME_S", 0.3)
    monkeypatch.setattr(outage, "FIRST_PAUSE_S", 0.05)
    lines: list[str] = []
    set_mode("run")
    with FrameReader(PiCamera(), report=lines.append) as reader:

        def wait_for(kind: str) -> None:
            ends = time.monotonic() + 4
            while kind not in [event.kind for event in reader.take_events()]:
                reader.take(0.05)
                assert time.monotonic() < ends

        assert reader.take(3) is not None
        set_mode("stall")
        wait_for("lost")
        set_mode("run")
        wait_for("back")
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        wait_for("back")
    assert lines[0] == "csi: lost: no frame for 0 s; it is opened again until it is back"
    assert lines[2].startswith("csi: lost: rpicam-vid ended with status -9: ")
    assert len(lines) == 4


def PiCamera() -> csi.PiCamera:  # noqa: N802
    return csi.PiCamera(SourceSettings(size=(64, 48), fps=50))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ERROR: *** no cameras available ***", "no camera is connected; look at its cable"),
        ("ERROR Camera: Pipeline handler in use by another process", "another program uses"),
        ("ERROR: *** bad thing ***\nbye", "rpicam-vid ended with status 255: ERROR: bad thing"),
    ],
)
def test_what_the_program_says_is_one_line(set_mode, said: str, told: str):
    set_mode(f"!{said}")
    with pytest.raises(SourceError) as caught, FrameReader(PiCamera()) as reader:
        while True:
            reader.take(2)
    assert str(caught.value).startswith(f"csi: {told}")
    assert "\n" not in str(caught.value)


def test_missing_program(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="rpicam-vid is not installed: sudo apt install"):
        PiCamera().open()


def test_program_ends_with_a_killed_process(set_mode, tmp_path):
    set_mode("run")
    code = (
        "from edgeemo.live.sources.csi import PiCamera;"
        "from edgeemo.live.sources.settings import SourceSettings;"
        "import os, signal, sys; stream = PiCamera(SourceSettings(fps=100)).open(); stream.read();"
        "assert not {'av', 'starlette', 'uvicorn', 'typer'} & sys.modules.keys();"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    pid, ends = int((tmp_path / "pid").read_text()), time.monotonic() + 3
    while Path(f"/proc/{pid}/stat").exists():
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            break
        assert time.monotonic() < ends
        time.sleep(0.02)
