"""Video streams against servers that stall, drop, change their size, refuse, and come back."""

from __future__ import annotations

import time
from contextlib import suppress
from types import SimpleNamespace

import pytest

from edgeemo.errors import ImageError, SourceError

pytest.importorskip("av", reason="PyAV is not installed")

from edgeemo.live.pixels import JpegPixels
from edgeemo.live.reader import FrameReader
from edgeemo.live.sources.choose import choose_source
from edgeemo.live.sources.settings import SourceSettings
from edgeemo.live.sources.stream import CatchUp, StreamAddress
from tests.live.servers import MjpegServer, RtspServer, VideoServer, measure_age_ms

AGE_MS = 250
"""Age of a frame that is new, on a machine where other tests run; the goal is in docs/live.md."""


@pytest.mark.parametrize("kind", [RtspServer, MjpegServer])
def test_frames_stay_new_while_predictions_are_slow(kind: type[VideoServer]) -> None:
    """One in three frames is taken; the age of the last ones is that of the first ones."""
    ages = []
    with kind() as server, FrameReader(StreamAddress(server.url)) as reader:
        for _ in range(20):
            frame = reader.take(5)
            assert frame is not None
            ages.append(measure_age_ms(frame.pixels.luma()))
            time.sleep(0.1)
    assert sorted(ages[-10:])[5] < AGE_MS
    assert reader.passed_over >= 20


def test_mjpeg_is_passed_over_before_it_is_decoded() -> None:
    with MjpegServer() as server:
        stream = StreamAddress(server.url).open()
        frame = stream.read()
        stream.close()
    assert frame is not None
    assert isinstance(frame.pixels, JpegPixels)
    assert frame.pixels.jpeg is not None


def test_another_size_and_damaged_frames_end_nothing() -> None:
    with RtspServer() as server:
        stream = StreamAddress(server.url).open()
        assert stream.read().pixels.size == (320, 240)  # type: ignore[union-attr]
        server.size = (640, 480)
        assert _read_until(stream, lambda frame: frame.pixels.size == (640, 480))
        server.damages = True
        with pytest.raises(ImageError, match="a frame is damaged"):
            _read_on(stream)
        server.damages = False
        fine = _read_until(stream, lambda frame: measure_age_ms(frame.pixels.luma()) < AGE_MS)
        assert fine.number > 1
        stream.close()


def test_a_stall_is_an_error_and_the_server_is_found_again() -> None:
    with RtspServer() as server:
        source = StreamAddress(server.url)
        stream = source.open()
        stream.read()
        server.is_stalled = True
        begun = time.monotonic()
        with pytest.raises(SourceError, match=r"/stream: (no frame for 2 s|sent nothing in time)"):
            _read_on(stream)
        assert time.monotonic() - begun < 5
        stream.close()
        server.stop()
        with pytest.raises(SourceError, match=r"nothing listens there \(connection refused\)"):
            source.open()
        server.is_stalled = False
        server.start()
        begun = time.monotonic()
        again = source.open()
        again.read()
        again.close()
        assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"refusal": "401 Unauthorized"}, "refuses the user name or the password (401)"),
        ({"refusal": "404 Not Found"}, "has no such path (404)"),
        ({"is_stalled": True}, "no answer within 2 s"),
    ],
)
def test_a_refusal_is_told_without_the_password(state: dict[str, object], said: str) -> None:
    with RtspServer() as server:
        vars(server).update(state)
        source = choose_source(server.url, SourceSettings())
        with pytest.raises(SourceError) as caught:
            source.open()
        server.is_stalled = False
    assert str(caught.value) == f"rtsp://127.0.0.1:{server.port}/stream: {said}"
    assert "secret" not in source.name


def test_a_camera_that_sends_over_udp_alone_is_read() -> None:
    with RtspServer() as server:
        server.udp_only = True
        stream = StreamAddress(server.url).open()
        assert measure_age_ms(stream.read().pixels.luma()) < 2000  # type: ignore[union-attr]
        stream.close()


def test_where_decoding_is_too_slow_only_key_frames_are_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each frame of a tenth of a second takes 0.15 s, and no time while it is skipped.

    Every tenth is a key frame: with the next one all are decoded again.
    """
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    context = SimpleNamespace(skip_frame="DEFAULT")
    catch_up, modes, delays = CatchUp(), [], []
    for number in range(600):
        waited = max(0.0, 1000.0 + number / 10 - now)
        now += waited
        delays.append(now - 1000.0 - number / 10)
        is_key = number % 10 == 0
        packet = SimpleNamespace(dts=number, pts=number, time_base=0.1, is_keyframe=is_key)
        catch_up.update(SimpleNamespace(codec_context=context), packet, waited)  # type: ignore[arg-type]
        assert is_key or not (modes and (modes[-1], context.skip_frame) == ("NONKEY", "DEFAULT"))
        modes.append(context.skip_frame)
        now += 0.15 if is_key or context.skip_frame == "DEFAULT" else 0.0
    assert set(modes) == {"DEFAULT", "NONKEY"}
    assert max(delays) < 1.5


def test_a_camera_whose_time_stamps_are_wrong_is_not_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clock is slow by a fifth, is set in between, and once the network stands for a second."""
    context = SimpleNamespace(skip_frame="DEFAULT")
    catch_up, now = CatchUp(), 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for number in range(3000):
        waited = 1.0 if number == 1000 else 0.0 if 1000 < number < 1025 else 0.04
        now += waited
        stamp = number * 0.8 if number < 2000 else number - 1500
        packet = SimpleNamespace(dts=None, pts=stamp, time_base=0.04)
        catch_up.update(SimpleNamespace(codec_context=context), packet, waited)  # type: ignore[arg-type]
        assert context.skip_frame == "DEFAULT"


def _read_until(stream, fits):
    """Read until a frame fits; damaged ones are skipped."""
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        with suppress(ImageError):
            frame = stream.read()
            if fits(frame):
                return frame
    raise AssertionError("no frame fits")


def _read_on(stream):
    while stream.read():
        pass
