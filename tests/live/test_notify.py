"""Messages to systemd by way of sockets as it makes them, and what feeds its watchdog."""

from __future__ import annotations

import os
import signal
import socket
import time

import pytest

from edgeemo.live.notify import ServiceNotifier


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


def test_without_systemd_nothing_is_sent_and_nothing_fails(tmp_path, monkeypatch):
    for address in ("", str(tmp_path / "gone"), "@gone"):
        notifier = ServiceNotifier(address, watchdog_s=1)
        notifier.ready("test")
        notifier.feed()
        notifier.stopping()
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")  # for another process
    assert ServiceNotifier.from_environment()._every_s == 0
