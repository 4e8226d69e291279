"""Commands and webhooks: none of them stops the others, and each failure is said once."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from edgeemo.errors import OptionError
from edgeemo.live.outputs.clock import Clock
from edgeemo.live.outputs.command import OnChange, split_command
from edgeemo.live.outputs.webhook import Webhook, parse_webhook

from .made import change

CLOCK = Clock(is_live=False)


def _run(command, **options):
    said = []
    return OnChange(command, CLOCK, camera="hall", report=said.append, **options), said


def _wait(is_done):
    end = time.monotonic() + 10
    while not is_done() and time.monotonic() < end:
        time.sleep(0.01)
    assert is_done()


def test_a_command_gets_the_event_and_no_shell(tmp_path):
    program = "import sys; print(sys.argv[1], sys.stdin.read(), file=open(sys.argv[2], 'w'))"
    command = split_command(shlex.join([sys.executable, "-c", program, "$HOME;", "out.txt"]))
    command[-1] = str(tmp_path / "out.txt")
    output, said = _run(command)
    output.add_event(change(2.0))
    output._worker.finish(10)
    first, _, content = (tmp_path / "out.txt").read_text().partition(" ")
    assert first == "$HOME;"
    fields = json.loads(content)
    assert (fields["event"], fields["name"], fields["label"]) == ("changed", "hall", "sad")
    assert said == []


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path):
    marker = tmp_path / "late"
    script = f"(sleep 1; touch {marker}) & sleep 30"
    output, said = _run(["sh", "-c", script], time_limit_s=0.2)
    for _ in range(3):
        output.add_event(change(2.0))
    began = time.monotonic()
    _wait(lambda: not output._worker._items)
    assert time.monotonic() - began < 5
    assert said == ["--on-change sh: ended after 0.2 seconds"]
    time.sleep(1)
    assert not marker.exists()


def test_closing_ends_a_command_in_time():
    output, _ = _run(["sleep", "30"])
    output.add_event(change(2.0))
    _wait(lambda: output._process is not None)
    began = time.monotonic()
    output.close()
    assert time.monotonic() - began < 1.5
    assert output._process.poll() is not None


def test_a_failing_command_is_said_once_until_it_works(tmp_path):
    flag = tmp_path / "flag"
    output, said = _run(["test", "-e", str(flag)])
    for _ in range(3):
        output.add_event(change(2.0))
    _wait(lambda: not output._worker._items)
    flag.touch()
    output.add_event(change(3.0))
    output.close()
    assert said == [
        "--on-change test: exit status 1; it is run again at the next event",
        "--on-change test: works again",
    ]


@pytest.mark.parametrize("text", ["", "'open", "no-such-program-here --x"])
def test_commands_that_cannot_be_run_are_refused(text):
    with pytest.raises(OptionError, match="--on-change"):
        split_command(text)


@pytest.mark.parametrize(
    ("event", "calls"),
    [
        ({"event": "appeared", "label": "happy"}, "set 17 op dh\n"),
        ({"event": "changed", "label": "sad"}, "set 17 op dl\n"),
        ({"event": "lost"}, "set 17 op dl\n"),
        ({"event": "back"}, ""),
    ],
)
def test_the_example_lights_an_led(tmp_path, event, calls):
    pinctrl = tmp_path / "pinctrl"
    pinctrl.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n')
    pinctrl.chmod(0o755)
    (tmp_path / "calls").touch()
    script = Path(__file__).parents[3] / "examples/gpio_led.py"
    subprocess.run(
        [sys.executable, script, "17", "happy"], input=json.dumps(event), text=True, check=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert (tmp_path / "calls").read_text() == calls


class _Server(HTTPServer):
    def __init__(self, statuses):
        self.statuses, self.got = list(statuses), []
        super().__init__(("127.0.0.1", 0), _Handler)
        Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


@pytest.fixture
def serve():
    """Function (statuses) that starts a server."""
    servers = []
    yield lambda statuses: servers.append(_Server(statuses)) or servers[-1]
    for each in servers:
        each.stop()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers, json.loads(body)))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def _post(server, path="/hook?key=secret"):
    said = []
    address = parse_webhook(f"http://me:secret%40@127.0.0.1:{server.server_port}{path}")
    output = Webhook(address, CLOCK, camera="hall", report=said.append, pauses_s=(0.01, 0.01))
    return output, said


def test_a_webhook_is_tried_again_and_its_password_is_shown_nowhere(serve):
    server = serve([500, 503])
    output, said = _post(server)
    output.add_event(change(2.0))
    _wait(lambda: not output._worker._items)
    output.close()
    assert [path for path, _, _ in server.got] == ["/hook?key=secret"] * 3
    assert server.got[2][1]["Authorization"] == "Basic bWU6c2VjcmV0QA=="
    assert server.got[2][2]["event"] == "changed"
    name = f"--webhook 127.0.0.1:{server.server_port}"
    assert said == [
        f"{name}: status 500; predictions continue without it", f"{name}: works again",
    ]  # fmt: skip
    assert "secret" not in output.name + "".join(said)


def test_a_redirect_is_not_followed_and_a_refusal_not_repeated(serve):
    server = serve([302, 404])
    output, said = _post(server)
    for _ in range(2):
        output.add_event(change(2.0))
    _wait(lambda: not output._worker._items)
    output.close()
    assert [path for path, _, _ in server.got] == ["/hook?key=secret"] * 2
    (line,) = said
    assert "status 302" in line


def test_a_dead_webhook_is_said_once(serve):
    server = serve([])
    server.stop()
    output, said = _post(server)
    for _ in range(4):
        output.add_event(change(2.0))
    _wait(lambda: not output._worker._items)
    output.close()
    (line,) = said
    assert "connection refused" in line


@pytest.mark.parametrize(
    "text", ["", "ftp://a/b", "http://", "http://a b", "http://[a/secret", "http://a:x/secret"]
)
def test_addresses_that_are_none_are_refused_and_not_repeated(text):
    with pytest.raises(OptionError, match="--webhook takes") as caught:
        parse_webhook(text)
    assert "secret" not in str(caught.value)
