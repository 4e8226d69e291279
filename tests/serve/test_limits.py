"""Clients that take too much: slow, greedy, many."""

from __future__ import annotations

import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest
import websockets.sync.client

from edgeemo.live.observation import Observation
from edgeemo.live.sources.drawn import DrawnFaces
from edgeemo.live.sources.settings import SourceSettings

from .conftest import wait_until

HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def strict(serve_within):
    """A server with small limits."""
    return serve_within(
        source="test", arrival_s=0.5, write_s=0.5, body_bytes=100_000, uploads_bytes=150_000,
        queue=2, viewers=2, connections=12,
    )  # fmt: skip


def talk(server, *parts, pause_s=0.0):
    """Send parts with pauses; return all that the server says until it ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        try:
            for part in parts:
                client.sendall(part)
                time.sleep(pause_s)
            if not pause_s:
                client.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        heard = b""
        try:
            while more := client.recv(65536):
                heard += more
        except ConnectionError:
            pass
        return heard


def test_a_byte_a_second_is_not_waited_for(strict):
    server, _ = strict
    start = time.monotonic()
    assert b"408 Request Timeout" in talk(
        server, HEAD + b"Content-Length: 99\r\n\r\n", *[b"x"] * 20, pause_s=0.1
    )
    talk(server, *[b"G"] * 20, pause_s=0.1)  # the head itself
    assert time.monotonic() - start < 9
    assert server.get("/healthz").status == 200


@pytest.mark.parametrize("length", [b"Content-Length: 900000", b"Transfer-Encoding: chunked"])
def test_a_body_that_is_too_large_is_not_read_to_its_end(strict, length):
    server, _ = strict
    chunks = [b"1000\r\n" + b"x" * 4096 + b"\r\n"] * 40
    heard = talk(server, HEAD + length + b"\r\n\r\n", *chunks)
    assert b"413 Request Entity Too Large" in heard or b"413 Content Too Large" in heard
    assert b"larger than" in heard


def test_garbage_is_refused(strict):
    server, _ = strict
    assert talk(server, b"\x16\x03\x01 hello\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_a_player_that_never_reads_is_let_go(strict, live_hub):
    server, context = strict
    live_hub(context.hub)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /v1/stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: context.viewers.taken == 1)
        wait_until(lambda: context.viewers.taken == 0)


def test_a_page_stays_for_longer_than_a_request_may_take(strict):
    server, _ = strict
    address = f"ws://127.0.0.1:{server.port}/v1/watch"
    with websockets.sync.client.connect(address) as page:
        for _ in range(5):
            page.send("next")
            assert page.recv(timeout=5)
            time.sleep(0.4)


def test_pages_that_vanish_are_no_fault(strict, live_hub):
    server, context = strict
    live_hub(context.hub)
    address = f"ws://127.0.0.1:{server.port}/v1/watch"
    for _ in range(5):
        with websockets.sync.client.connect(address) as page:
            for _ in range(3):
                page.send("next")
            abort = struct.pack("ii", 1, 0)
            page.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, abort)
            page.socket.shutdown(socket.SHUT_RDWR)
        wait_until(lambda: context.viewers.taken == 0)


def test_a_third_page_is_told_to_wait(strict, live_hub):
    server, context = strict
    live_hub(context.hub)
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
    for client in clients:
        client.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wait_until(lambda: context.viewers.taken == 2)
    reply = server.get("/v1/stream.mjpg")
    assert (reply.status, reply.headers["Retry-After"]) == (503, "10")
    for client in clients:
        client.close()
    wait_until(lambda: context.viewers.taken == 0)


def test_more_requests_than_can_wait_are_refused_at_once(strict, classifier, jpeg, monkeypatch):
    server, context = strict
    slow = type("Slow", (), {"spec": classifier.spec})()
    slow.predict_all = lambda content: time.sleep(0.4) or classifier.predict_all(content)
    monkeypatch.setattr(context.models, "classifier", slow)
    with ThreadPoolExecutor(9) as threads:
        replies = list(threads.map(lambda _: timed(server, jpeg), range(9)))
    good = [reply for reply, _ in replies if reply.status == 200]
    refused = [(reply, seconds) for reply, seconds in replies if reply.status == 429]
    assert len(good) >= 3
    assert len(good) + len(refused) == 9
    assert all(int(reply.headers["Retry-After"]) >= 1 for reply, _ in refused)
    assert min(seconds for _, seconds in refused) < 0.4


def timed(server, jpeg):
    start = time.monotonic()
    return server.post("/v1/predict", jpeg), time.monotonic() - start


def test_too_many_connections_are_refused_in_a_sentence(strict):
    server, _ = strict
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(14)]
    time.sleep(0.2)
    heard = [client.recv(4096) for client in clients[12:]]
    assert all(b"too many connections" in each for each in heard)
    for client in clients:
        client.close()
    wait_until(lambda: server.get("/healthz").status == 200)


@pytest.fixture
def live_hub(classifier):
    """Function (hub): feeds it drawn frames until the test ends."""
    running = []

    def feed(hub):
        drawing = DrawnFaces(SourceSettings(fps=30)).open()

        def run():
            while running:
                hub.add_observation(Observation(frame=drawing.read()))

        running.append(True)
        thread = Thread(target=run)
        thread.start()
        threads.append(thread)

    threads = []
    yield feed
    running.clear()
    for thread in threads:
        thread.join()
