"""Messages to systemd by way of sockets as it makes them, and what feeds its watchdog."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time

import pytest
from PIL import Image

from edgeemo.errors import SourceError
from edgeemo.live import reopening
from edgeemo.live.frame import Frame
from edgeemo.live.notify import ServiceNotifier
from edgeemo.live.pixels import ImagePixels
from edgeemo.live.reader import FrameReader


@pytest.fixture(params=["path", "abstract"])
def systemd(request, tmp_path):
    """A socket and its address as systemd hands it on."""
    address = str(tmp_path / "notify")
    if request.param == "abstract":
        address = f"@edgeemo-test-{os.getpid()}-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        receiver.settimeout(20)
        yield receiver, address


def test_a_service_says_that_it_is_ready_alive_and_stops(systemd, edgeemo_process):
    receiver, address = systemd
    environment = {**os.environ, "NOTIFY_SOCKET": address, "WATCHDOG_USEC": "400000"}
    process = edgeemo_process("live", "test", "--max-fps", "9", env=environment)
    assert receiver.recv(100) == b"READY=1\nSTATUS=test"
    began = time.monotonic()
    assert [receiver.recv(100) for _ in range(4)] == [b"WATCHDOG=1"] * 4
    assert time.monotonic() - began < 3
    process.send_signal(signal.SIGTERM)
    while (message := receiver.recv(100)) == b"WATCHDOG=1":
        pass
    assert message == b"STOPPING=1"
    began = time.monotonic()
    assert process.wait(10) == 0
    assert time.monotonic() - began < 2


class _Camera:
    """A camera that gives one frame, and then fails or hangs."""

    name, is_live, is_device, can_reopen = "camera", True, True, True

    def __init__(self, *, hangs: bool) -> None:
        self._hangs, self._end, self._given = hangs, threading.Event(), False

    def open(self):
        return self

    def read(self):
        if not self._given:
            self._given = True
            pixels = ImagePixels(Image.new("L", (8, 8)))
            return Frame(number=0, time_s=time.monotonic(), pixels=pixels)
        if self._hangs:
            self._end.wait(10)
        raise SourceError("unplugged")

    def close(self) -> None:
        if not self._hangs:
            self._end.set()

    def end(self) -> None:
        self._end.set()


@pytest.mark.parametrize("hangs", [True, False])
def test_a_library_that_hangs_starves_the_watchdog_and_a_lost_camera_does_not(monkeypatch, hangs):
    monkeypatch.setattr(reopening, "HOPELESS_S", 0.2)
    camera = _Camera(hangs=hangs)
    with FrameReader(camera) as reader:
        assert reader.take(5) is not None
        stuck = []
        end = time.monotonic() + 1
        while time.monotonic() < end:
            reader.take(0.05)
            stuck.append(reader.is_stuck)
        assert stuck[0] is False
        assert any(stuck) == hangs
        camera.end()


def test_without_systemd_nothing_is_sent_and_nothing_fails(tmp_path, monkeypatch):
    for address in ("", str(tmp_path / "gone"), "@gone"):
        notifier = ServiceNotifier(address, watchdog_s=1)
        notifier.ready("test")
        notifier.feed()
        notifier.stopping()
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")  # for another process
    assert ServiceNotifier.from_environment()._every_s == 0
