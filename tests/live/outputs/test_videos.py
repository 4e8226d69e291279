"""Annotated videos and clips."""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from edgeemo.live.outputs.annotated import AnnotatedVideo
from edgeemo.live.outputs.clip_folder import ClipFolder
from edgeemo.live.outputs.clips import Clips, ClipSettings
from edgeemo.live.outputs.clock import Clock
from edgeemo.live.outputs.images import FrameImages

from .made import change, face, see

av = pytest.importorskip("av")

FILE = Clock(is_live=False)


def _read(content):
    """Return times and images, up to where the file is cut off."""
    found = []
    source = content if isinstance(content, io.BytesIO) else str(content)
    with av.open(source) as container, suppress(av.error.InvalidDataError):
        found.extend((float(each.time), each.to_image()) for each in container.decode(video=0))
    return found


def _annotate(path, *seen, blur=False):
    output = AnnotatedVideo(path, FrameImages(), is_live=False, blur=blur, report=pytest.fail)
    for each in seen:
        output.add_observation(each)
    output.close()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_every_frame_at_its_own_time_and_full_size(tmp_path, suffix):
    times = [0.0, 0.04, 0.5, 0.504, 2.0, 7.25]  # not evenly
    odd = Image.new("RGB", (161, 121), (10, 200, 10))
    seen = [see(time, face(), image=odd) for time in times]
    seen.insert(3, see(0.502, error="damaged"))
    _annotate(tmp_path / f"a{suffix}", *seen)
    frames = _read(tmp_path / f"a{suffix}")
    assert [time for time, _ in frames] == pytest.approx(times, abs=0.001)
    image = np.asarray(frames[-1][1], int)
    assert image.shape == (122, 162, 3)
    assert np.abs(image[-1, -1] - (10, 200, 10)).max() < 12  # no black edge
    assert image[30:33, 45:95].min(axis=2).max() < image[60, 60].max()
    box = np.asarray(Image.open(io.BytesIO(_png(frames[-1][1]))), int)[89, 60]
    assert np.abs(box - (255, 176, 0)).max() < 60  # the box's lower edge has the label's colour


def _png(image):
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def test_another_size_is_fitted_and_a_time_that_goes_back_moved(tmp_path):
    large = Image.new("RGB", (320, 120), "white")
    _annotate(tmp_path / "a.mp4", see(1.0), see(2.0, image=large), see(1.5))
    frames = _read(tmp_path / "a.mp4")
    assert [each.size for _, each in frames] == [(160, 120)] * 3
    assert frames[1][0] < frames[2][0]
    assert np.asarray(frames[1][1])[5, 80].max() < 30  # a black bar above


def test_a_run_without_a_frame_leaves_no_older_video(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"older")
    _annotate(tmp_path / "a.mp4", see(0.0, error="damaged"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_is_cut_off_still_plays(tmp_path, suffix):
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 255, (120, 160, 3), np.uint8)) for _ in range(30)]
    path = tmp_path / f"a{suffix}"
    _annotate(path, *(see(number / 30, image=image) for number, image in enumerate(noise)))
    content = path.read_bytes()
    cut = [len(_read(io.BytesIO(content[: len(content) * part // 10]))) for part in (3, 6, 9)]
    assert cut == sorted(cut)
    assert cut[0] >= 5
    assert len(_read(path)) == 30


def test_faces_are_blocks_before_they_are_detected_and_after(tmp_path):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 255, (120, 160, 3), np.uint8))
    times = [number / 10 for number in range(20)]
    seen = [see(time, *([face()] if 0.9 < time < 1.1 else []), image=image) for time in times]
    _annotate(tmp_path / "a.mp4", *seen, blur=True)
    sharp = [
        bool(np.asarray(each, int)[50:80, 50:90].std() > 25)
        for _, each in _read(tmp_path / "a.mp4")
    ]
    assert sharp == [not 0.4 <= time <= 1.5 for time in times]  # half a second, and a frame


def _clip(folder, *items, keep=10**9, around_s=0.5, said=None, blur=False):
    kept = ClipFolder(folder, keep_bytes=keep, report=(said or []).append)
    settings = ClipSettings(around_s=around_s, blur=blur)
    output = Clips(kept, FrameImages(), FILE, settings, report=pytest.fail)
    for item in items:
        (output.add_observation if hasattr(item, "frame") else output.add_event)(item)
    output.close()


def _second(start, *, change_at=None):
    """Return the frames of three seconds from a start, and a change in them."""
    for number in range(30):
        time = start + number / 10
        yield see(time, face())
        if change_at is not None and number == 10 * change_at:
            yield change(time)


def test_clips_hold_the_seconds_around_changes(tmp_path):
    items = [*_second(0, change_at=1), *_second(3), *_second(6, change_at=1)]
    items.insert(15, change(1.3))  # extends the first clip
    _clip(tmp_path / "clips", *items)
    first, second = sorted((tmp_path / "clips").iterdir())
    assert first.name == "00-00-01.0_face-1_happy-to-sad.mp4"
    lengths = [_read(each)[-1][0] for each in (first, second)]
    assert lengths == pytest.approx([1.3, 1.0], abs=0.01)


def test_a_face_that_is_detected_behind_a_clip_is_pixelated_in_it(tmp_path):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 255, (120, 160, 3), np.uint8))
    times = [number / 10 for number in range(31)]
    items = [see(time, *([face()] if time > 1.65 else []), image=image) for time in times]
    items.insert(11, change(1.0))
    _clip(tmp_path / "clips", *items, blur=True)
    (clip,) = (tmp_path / "clips").iterdir()
    frames = _read(clip)
    sharp = [bool(np.asarray(each, int)[50:80, 50:90].std() > 25) for _, each in frames]
    assert 10 <= len(frames) <= 11  # half a second on either side
    assert sharp[:6] == [True] * 6
    assert not any(sharp[8:])


def test_the_oldest_clips_are_removed_and_nothing_else(tmp_path):
    folder = tmp_path / "clips"
    _clip(folder, *_second(0, change_at=1))
    (only,) = folder.iterdir()
    size = only.stat().st_size
    (folder / "mine.mp4").write_bytes(b"x" * size)
    stale = folder / ".clip.scratch-00000000"  # of a process that was killed
    stale.mkdir()
    (stale / "clip.mp4").write_bytes(b"half")
    for start in (10, 20, 30):
        _clip(folder, *_second(start, change_at=1), keep=round(2.5 * size))
    assert sorted(each.name for each in folder.iterdir()) == [
        "00-00-21.0_face-1_happy-to-sad.mp4", "00-00-31.0_face-1_happy-to-sad.mp4", "mine.mp4",
    ]  # fmt: skip
    said = [""]
    _clip(folder, *_second(40, change_at=1), keep=10, said=said)
    assert said[1:] == [f"{folder}: a clip is larger than --keep allows; it is left out"]


def test_the_memory_of_clips_is_bounded(monkeypatch, tmp_path):
    from edgeemo.live.outputs import clips

    monkeypatch.setattr(clips, "_RING_BYTES", 5000)
    ring = clips._Ring(1000.0)
    output = Clips(
        ClipFolder(tmp_path, keep_bytes=1, report=print), FrameImages(), FILE,
        ClipSettings(around_s=1000.0), report=pytest.fail,
    )  # fmt: skip
    for seen in _second(0):
        ring.add(output._compress(seen))
    assert 0 < ring._bytes <= 5000
