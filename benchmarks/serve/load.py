"""Rows about load: throughput, overload, start, and a day in small."""

from __future__ import annotations

import json
import random
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from benchmarks.serve.process import (
    Server,
    Watcher,
    count_descriptors,
    draw_photos,
    follow_ages,
    quantile,
    read_cpu_s,
    read_memory_mb,
    read_resident_mb,
)
from edgeemo.runtime.classifier import Classifier

_SLICE_S, _SLICES = 2.0, 6

_BARE = """
import sys, time
from benchmarks.serve.process import draw_photos
from edgeemo.runtime.classifier import Classifier
classifier, photos = Classifier.load("happy-sad"), draw_photos(8)
print("ready", flush=True)
for line in sys.stdin:
    end, count = time.perf_counter() + float(line), 0
    while time.perf_counter() < end:
        classifier.predict_all(photos[count % 8])
        count += 1
    print(count, flush=True)
"""


class Requests:
    """One connection that posts photos."""

    def __init__(self, server):
        self._connection = server.connect()

    def post(self, body, kind="image/jpeg"):
        """Return status, content and seconds."""
        start = time.perf_counter()
        self._connection.request("POST", "/v1/predict", body, {"Content-Type": kind})
        reply = self._connection.getresponse()
        content = reply.read()
        return reply.status, content, time.perf_counter() - start

    def close(self):
        self._connection.close()


def measure_throughput():
    """Print requests/s as a share of a bare loop's images/s, in turns, and p99 / p50 at 80 %."""
    photos = draw_photos(8)
    with (
        subprocess.Popen(
            [sys.executable, "-c", _BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as bare,
        Server("--workers", "1") as server,
    ):
        bare.stdout.readline()
        clients = [Requests(server) for _ in range(2)]
        _count_requests(clients, photos)
        served, looped, ratios = [], [], []
        cpu_s = [read_cpu_s(pid) for pid in (bare.pid, server.pid)]
        for _ in range(_SLICES):
            bare.stdin.write(f"{_SLICE_S}\n")
            bare.stdin.flush()
            looped.append(int(bare.stdout.readline()) / _SLICE_S)
            served.append(_count_requests(clients, photos))
            ratios.append(served[-1] / looped[-1])
        costs = [
            1000 * (read_cpu_s(pid) - before) / (sum(rates) * _SLICE_S)
            for pid, before, rates in zip(
                (bare.pid, server.pid), cpu_s, (looped, served), strict=True
            )
        ]
        bare.stdin.close()
        print(
            f"processor time: {costs[1]:.2f} ms a request, {costs[0]:.2f} ms an image of the bare "
            f"loop, ratio {costs[0] / costs[1]:.2f}"
        )
        print(
            f"throughput: {statistics.median(served):.0f} requests/s, bare loop "
            f"{statistics.median(looped):.0f}/s, ratio {statistics.median(ratios):.2f}"
        )
        _measure_latency(server, photos, rate=0.8 * statistics.median(served))
        for client in clients:
            client.close()


def _count_requests(clients, photos):
    end = time.perf_counter() + _SLICE_S

    def run(client):
        count = 0
        while time.perf_counter() < end:
            status, _, _ = client.post(photos[count % len(photos)])
            count += status == 200
        return count

    with ThreadPoolExecutor(len(clients)) as threads:
        return sum(threads.map(run, clients)) / _SLICE_S


def _measure_latency(server, photos, *, rate, seconds=12):
    """Print the quantiles of requests that begin at a fixed rate, counted from when each is due."""
    clients = [Requests(server) for _ in range(4)]
    start = time.perf_counter() + 0.2
    count = int(rate * seconds)

    def run(place):
        latencies = []
        for number in range(place, count, len(clients)):
            due = start + number / rate
            time.sleep(max(0, due - time.perf_counter()))
            clients[place].post(photos[number % len(photos)])
            latencies.append(time.perf_counter() - due)
        return latencies

    with ThreadPoolExecutor(len(clients)) as threads:
        latencies = [each for found in threads.map(run, range(len(clients))) for each in found]
    p50, p99 = (1000 * quantile(latencies, share) for share in (0.5, 0.99))
    print(
        f"latency at {rate:.0f} requests/s (80 %): p50 {p50:.1f} ms, p99 {p99:.1f} ms, "
        f"ratio {p99 / p50:.1f}"
    )
    for client in clients:
        client.close()


def measure_overload():
    """Print what becomes of ten times as many clients as places, slow clients and bad uploads."""
    photos = draw_photos(8)
    classifier = Classifier.load("happy-sad")
    expected = [[list(each.face.box) for each in classifier.predict_all(photo)] for photo in photos]
    with Server("test", "--workers", "1") as server:
        watcher = Watcher(server)
        _warm(server, photos)
        watcher.take()
        time.sleep(8)
        before, memory = watcher.take(), read_memory_mb(server.pid)
        slow = [_begin_slow(server) for _ in range(50)]
        end = time.perf_counter() + 15
        with ThreadPoolExecutor(90) as threads:
            runs = [
                threads.submit(_press, server, photos, expected, end, number)
                for number in range(90)
            ]
            peak = memory
            while time.perf_counter() < end:
                peak = max(peak, read_memory_mb(server.pid))
                time.sleep(0.2)
            found = [run.result() for run in runs]
        during = watcher.take()
        watcher.close()
        for client in slow:
            client.close()
        status, _ = server.get("/healthz")
    _print_overload(found, before, during, growth_mb=peak - memory, healthy=status == 200)


def _print_overload(found, before, during, *, growth_mb, healthy):
    total = {name: sum(each[name] for each in found) for name in ("good", "bad", "lost", "wrong")}
    refused = [seconds * 1000 for each in found for seconds in each["refused"]]
    ages = [quantile(each, 0.99) for each in (before, during)]
    print(
        f"overload: {total['good']} predicted, {total['bad']} bad uploads refused, "
        f"{total['lost']} lost, {total['wrong']} wrong; {len(refused)} × 429, p50 "
        f"{quantile(refused, 0.5):.0f} ms, p99 {quantile(refused, 0.99):.0f} ms; memory "
        f"+{growth_mb:.0f} MB; live age p99 {ages[0]:.0f} ms before, {ages[1]:.0f} ms during "
        f"(× {ages[1] / ages[0]:.1f}); healthy afterwards: {healthy}"
    )


def _press(server, photos, expected, end, number):
    client, rng = Requests(server), random.Random(number)
    found = {"good": 0, "bad": 0, "lost": 0, "wrong": 0, "refused": []}
    while time.perf_counter() < end:
        place = rng.randrange(len(photos))
        is_bad = rng.random() < 0.1
        body = b"PK\x03\x04" + bytes(20_000) if is_bad else photos[place]
        try:
            status, content, seconds = client.post(body)
        except OSError:
            found["lost"] += 1
            client = Requests(server)
            continue
        if status == 429:
            found["refused"].append(seconds)
            time.sleep(0.5)
        elif is_bad:
            found["bad" if status == 422 else "wrong"] += 1
        elif status == 200:
            boxes = [each["box"] for each in json.loads(content)["images"][0]["faces"]]
            found["good" if boxes == expected[place] else "wrong"] += 1
        else:
            found["wrong"] += 1
    client.close()
    return found


def _begin_slow(server):
    """Return a connection that has sent half a request, and sends no more."""
    client = socket.create_connection(("127.0.0.1", server.port))
    client.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\nx")
    return client


def _warm(server, photos):
    client = Requests(server)
    for photo in photos * 3:
        client.post(photo)
    client.close()


def measure_start():
    """Print the time until the server answers, and its memory above that of `edgeemo live`."""
    seconds, costs = [], []
    for _ in range(5):
        with Server("test") as server:
            while server.get("/healthz")[0] != 200:
                time.sleep(0.01)
            seconds.append(time.monotonic() - server.begun)
            costs.append(read_cpu_s(server.pid))
    command = [sys.executable, "-m", "edgeemo", "live", "test", "--json", "--model", "happy-sad"]
    differences = []
    for _ in range(3):
        with (
            Server("test") as server,
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as live,
        ):
            time.sleep(6)
            differences.append(read_memory_mb(server.pid) - read_memory_mb(live.pid))
            live.terminate()
    print(
        f"start: ready after {statistics.median(seconds):.2f} s (most {max(seconds):.2f}), of "
        f"which {statistics.median(costs):.2f} s processor time; memory "
        f"without a viewer {statistics.median(differences):+.1f} MB above `edgeemo live`"
    )


def measure_day():
    """Print memory and descriptors during 100,000 requests and 1,000 page loads."""
    photos = draw_photos(8)
    with Server("test", "--max-fps", "5") as server:
        _warm(server, photos)
        _load_pages(server, 20)
        rows = [(0, read_resident_mb(server.pid), count_descriptors(server.pid))]
        for part in range(1, 11):
            statuses = _send_many(server, photos, 10_000)
            statuses |= _load_pages(server, 100)
            time.sleep(1)
            rows.append((part, read_resident_mb(server.pid), count_descriptors(server.pid)))
            if statuses != {200}:
                print(f"day: statuses {statuses}")
    shown = ", ".join(f"{memory:.1f}" for _, memory, _ in rows)
    descriptors = ", ".join(str(count) for *_, count in rows)
    print(f"day: resident memory after each tenth {shown} MB; descriptors {descriptors}")


def _send_many(server, photos, count):
    connection, statuses = server.connect(), set()
    for number in range(count):
        if number % 10:
            connection.request("GET", ("/healthz", "/v1/state", "/metrics")[number % 3])
        else:
            body = photos[number % len(photos)]
            connection.request("POST", "/v1/predict", body, {"Content-Type": "image/jpeg"})
        reply = connection.getresponse()
        reply.read()
        statuses.add(reply.status)
    connection.close()
    return statuses


def _load_pages(server, count):
    """Fetch all files of the page and one live image, as a browser does."""
    files = ["/", *(f"/page/{name}" for name in _FILES), "/v1/info", "/v1/state"]
    statuses = set()
    for _ in range(count):
        connection = server.connect()
        for file in files:
            connection.request("GET", file)
            reply = connection.getresponse()
            reply.read()
            statuses.add(reply.status)
        connection.close()
        with closing(follow_ages(server.port)) as ages:
            next(ages)
    return statuses


_FILES = (
    "icon.svg", "style.css", "main.js", "labelling.js", "result.js", "server.js", "stage.js",
    "timeline.js", "trying.js", "words.js",
)  # fmt: skip
