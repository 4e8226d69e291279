"""Video files: every frame, each at its own time, upright, and a sentence for what is no video."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgeemo.errors import EdgeEmoError, ImageError, MissingExtraError, SourceError

pytest.importorskip("av", reason="PyAV is not installed")

from edgeemo.live.sources.settings import SourceSettings
from edgeemo.live.sources.video_file import VideoFile
from tests.live.videos import damage_packets, read_code, rotate_video, write_sound, write_video

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.live.frame import Frame

_PAUSE_MS = 5000


def _read(path: Path, *, real_time: bool = False) -> list[Frame]:
    stream = VideoFile(str(path), SourceSettings(real_time=real_time)).open()
    frames = []
    while frame := stream.read():
        frames.append(frame)
    stream.close()
    return frames


@pytest.mark.parametrize(
    ("suffix", "codec", "pixels"),
    [
        ("mp4", "libx264", "yuv420p"),
        ("mp4", "libx264", "yuv420p10le"),
        ("mkv", "libx264", "yuv422p"),
        ("mp4", "libx265", "yuv420p"),
        ("mkv", "libsvtav1", "yuv420p"),
        ("mov", "prores_ks", "yuva444p10le"),
        ("mkv", "ffv1", "gray"),
        ("mkv", "ffv1", "bgr0"),
        ("avi", "mjpeg", "yuvj420p"),
        ("avi", "rawvideo", "yuyv422"),
    ],
)
def test_every_kind_is_read(suffix: str, codec: str, pixels: str, tmp_path: Path) -> None:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = write_video(tmp_path / f"v.{suffix}", codec=codec, pixels=pixels, options=options)
    frames = _read(path)
    assert [read_code(frame.pixels.luma()) for frame in frames] == list(range(12))
    assert [frame.number for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx(
        [n / 30 for n in range(12)], abs=1e-3
    )
    image = frames[5].pixels.decode()
    assert image.mode == "RGB"
    assert image.size == frames[5].pixels.size == (320, 240)
    assert read_code(np.asarray(image.convert("L"))) == 5


@pytest.mark.parametrize(("flags", "size"), [("+ildct+ilme", (324, 244)), ("", (323, 241))])
def test_an_interlaced_video_and_one_of_odd_size_are_read(
    flags: str, size: tuple[int, int], tmp_path: Path
) -> None:
    options = {"flags": flags} if flags else {}
    path = write_video(tmp_path / "v.mkv", size=size, pixels="yuv444p", options=options)
    assert [read_code(frame.pixels.luma()) for frame in _read(path)] == list(range(12))


def test_times_are_those_of_the_file_from_its_beginning(tmp_path: Path) -> None:
    """Of a variable rate, with B-frames, in a recording whose first time stamp is 5 s."""
    stamps = [n * n * 10 for n in range(12)]
    path = write_video(tmp_path / "v.mkv", pts_ms=lambda n: _PAUSE_MS + stamps[n])
    assert [frame.time_s for frame in _read(path)] == [stamp / 1000 for stamp in stamps]


def test_times_go_on_where_they_jump_back(tmp_path: Path) -> None:
    """As in two recordings of a camera that were joined byte by byte."""
    one = write_video(tmp_path / "one.ts", frames=60).read_bytes()
    (tmp_path / "two.ts").write_bytes(one + one)
    times = [frame.time_s for frame in _read(tmp_path / "two.ts")]
    assert len(times) == 120
    assert np.diff(times) == pytest.approx(np.full(119, 1 / 30), abs=1e-3)


@pytest.mark.parametrize(
    ("matrix", "turns"),
    [((0, 1, -1, 0), 3), ((-1, 0, 0, -1), 2), ((0, -1, 1, 0), 1), ((1, 0, 0, 1), 0)],
)
def test_a_rotated_video_is_upright_once(
    matrix: tuple[int, int, int, int], turns: int, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "v.mp4", frames=3)
    plain = _read(path)[2].pixels
    rotate_video(path, matrix)
    turned = _read(path)[2].pixels
    assert np.array_equal(turned.luma(), np.rot90(plain.luma(), turns))
    image = np.asarray(turned.decode())
    assert np.array_equal(image, np.rot90(np.asarray(plain.decode()), turns))
    assert turned.size == image.shape[1::-1]


def test_real_time_gives_frames_when_they_are_due(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", frames=9)
    begun = time.monotonic()
    times = [frame.time_s for frame in _read(path, real_time=True)]
    assert 8 / 30 <= time.monotonic() - begun < 2
    assert np.diff(times) == pytest.approx(np.full(8, 1 / 30), abs=1e-3)
    assert begun <= times[0] <= time.monotonic()


def test_damaged_frames_are_given_as_such(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.avi", options={"g": "1"})
    damage_packets(path, 3, 7)
    damaged = 0
    for frame in _read(path):
        try:
            frame.pixels.luma()
        except ImageError as error:
            assert str(error) == "the frame is damaged"
            damaged += 1
        else:
            assert read_code(frame.pixels.luma()) == frame.number
        assert frame.time_s == pytest.approx(frame.number / 30)
    assert damaged == 2


def test_frames_are_freed_at_once(tmp_path: Path) -> None:
    """A cycle of references would keep them until the garbage collector comes: 115 kB each."""
    path = write_video(tmp_path / "v.mp4", frames=90)
    gc.collect()
    gc.disable()
    try:
        for frame in _read(path):
            frame.pixels.luma()
        del frame
        assert gc.collect() < 90
    finally:
        gc.enable()


def _cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def test_what_is_no_video_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    for name in ("text.mp4", "text.txt"):
        (tmp_path / name).write_text("hello\n" * 100)
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/v.ts\n")
    write_sound(tmp_path / "sound.mp4")
    _cut(write_video(tmp_path / "cut.mp4", frames=60))
    _cut(write_video(tmp_path / "cut.mkv", frames=90))
    write_video(tmp_path / "large.mkv", frames=1, size=(7680, 4320), codec="ffv1", pixels="gray")
    said = {path.name: _fail(path) for path in sorted(tmp_path.iterdir())}
    cannot = "not a video that can be read; it may be damaged or incomplete"
    assert said.pop("large.mkv").startswith("frames of 7680x4320 pixels are too large, 4096x2304 ")
    assert said.pop("cut.mkv").endswith(" s are missing; the file is incomplete")
    assert said == {
        "cut.mp4": cannot,
        "empty.mp4": "is empty",
        "sound.mp4": "holds sound, but no video",
        "list.m3u8": cannot,
        "text.mp4": cannot,
        "text.txt": "not a video",
    }


def _fail(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        _read(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "v.mp4", frames=1)
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"a video file needs av, .*\[live\]"):
        VideoFile(str(path), SourceSettings()).open()
    assert issubclass(MissingExtraError, EdgeEmoError)
