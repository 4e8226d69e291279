"""Servers on a free port of this machine, each started once."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import sys
import time
from io import BytesIO
from threading import Event, Thread

import numpy as np
import pytest

from edgeemo.dataset.synthetic import draw_image
from edgeemo.live.controls import Controls
from edgeemo.model.folder import shipped_folder
from edgeemo.runtime.classifier import Classifier
from edgeemo.serve.access import Access, Token
from edgeemo.serve.application import build_application
from edgeemo.serve.context import Context
from edgeemo.serve.counters import Counters
from edgeemo.serve.hub import Hub
from edgeemo.serve.images import FrameImages
from edgeemo.serve.limits import Budget, Gate, Limits, Places
from edgeemo.serve.model_files import FileModels
from edgeemo.serve.state import StateReader
from edgeemo.serve.uvicorn_server import bind, run_server

TOKEN = "a-token-for-the-tests"


class Reply:
    """A response."""

    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """Requests to a server, one connection each."""

    def __init__(self, port):
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, method, path, body=None, **headers):
        connection = self.connect()
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            if isinstance(body, dict):
                body = json.dumps(body).encode()
                named.setdefault("Content-Type", "application/json")
            connection.request(method, path, body, named)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.ask("POST", path, body, **headers)


class Process(Client):
    """``edgeemo serve`` in a process of its own."""

    def __init__(self, *words, cwd=None):
        command = [sys.executable, "-m", "edgeemo", "serve", *map(str, words), "--port", "0"]
        self.process = subprocess.Popen(
            command, cwd=cwd, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.lines = []
        for line in self.process.stderr:
            self.lines.append(line)
            if found := re.search(r" at https?://[^/]*:(\d+)/", line):
                break
        assert found, self.lines
        super().__init__(int(found[1]))
        self._drain = Thread(target=lambda: self.lines.extend(self.process.stderr))
        self._drain.start()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(10)
        self._drain.join(5)
        self.process.stderr.close()
        return status


@pytest.fixture(scope="session")
def classifier():
    return Classifier.load("happy-sad")


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """The folder in which the live server runs: with a model of its own."""
    folder = tmp_path_factory.mktemp("serve")
    shutil.copytree(shipped_folder().path, folder / "models" / "mine")
    return folder


@pytest.fixture(scope="session")
def live(place):
    """``edgeemo serve test``, without a token."""
    server = Process("test", "--collect", "kept", "--model", "happy-sad", cwd=place)
    end = time.monotonic() + 10
    while server.get("/v1/snapshot.jpg").status != 200:
        assert time.monotonic() < end
        time.sleep(0.05)
    yield server
    assert server.stop() == 0
    assert not [line for line in server.lines if "rror" in line], server.lines


@pytest.fixture(scope="session")
def serve_within():
    """Function (**changes of `Limits`): a server in a thread of this process, and its context."""
    stops = []

    def serve(*, token=None, source="", root_path="", **limits):
        limits = Limits(**limits)
        hub, controls = Hub(), Controls()
        models = FileModels(Classifier.load("happy-sad"), folder=shipped_folder().path.parent)
        context = Context(
            access=Access(token=Token(token) if token else None, root_path=root_path),
            models=models,
            hub=hub,
            controls=controls,
            state=StateReader(hub, controls, models),
            images=FrameImages(),
            limits=limits,
            gate=Gate(1, limits),
            budget=Budget(limits.uploads_bytes),
            viewers=Places(limits.viewers),
            counters=Counters(),
            source=source,
        )
        reports, ready = [], []
        app = build_application(context, workers=1, report=reports.append)
        bound = bind("127.0.0.1", 0)
        started = Event()

        def note_ready(stop):
            ready.append(stop)
            started.set()

        thread = Thread(
            target=lambda: run_server(app, bound, limits=limits, tls=None, on_ready=note_ready)
        )
        port = bound.getsockname()[1]
        thread.start()
        assert started.wait(10)
        stops.append((ready[0], thread, bound, reports))
        return Client(port), context

    yield serve
    for stop, thread, bound, reports in stops:
        stop()
        thread.join(10)
        bound.close()
        assert reports == []


@pytest.fixture(scope="session")
def guarded(serve_within):
    """A server with a token, without a source."""
    return serve_within(token=TOKEN)[0]


@pytest.fixture(scope="session")
def jpeg():
    """A drawn face as a JPEG file."""
    stream = BytesIO()
    draw_image(np.random.default_rng(3), "happy", size=160).convert("RGB").save(stream, "JPEG")
    return stream.getvalue()


def wait_until(condition):
    """Wait until a condition holds, 8 seconds at most."""
    end = time.monotonic() + 8
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        assert time.monotonic() < end
        time.sleep(0.05)
