"""A broker on a free port of this machine, and a client that remembers what it is sent."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_SBIN = "/usr/sbin"


def find_program(name: str) -> str:
    """Return the path of a program of mosquitto; the test is skipped where it is not installed."""
    found = shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}{_SBIN}")
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("mosquitto is not installed (sudo apt install mosquitto)")
    assert found is not None, "CI has no mosquitto"
    return found


class Broker:
    """A mosquitto that asks for a password, and can go and come back."""

    user, password = "camera", "s3cret#/@"

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        users, self._config = folder / "users", folder / "mosquitto.conf"
        subprocess.run(
            [find_program("mosquitto_passwd"), "-c", "-b", users, self.user, self.password],
            check=True, capture_output=True,
        )  # fmt: skip
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\npassword_file {users}\npersistence false\n"
            f"user {getpass.getuser()}\n"  # root gives up its rights otherwise, and reads nothing
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [find_program("mosquitto"), "-c", self._config], stderr=subprocess.DEVNULL
        )
        wait_until(self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def url(self, prefix: str = "") -> str:
        return f"mqtt://{self.user}:s3cret%23%2F%40@127.0.0.1:{self.port}/{prefix}"

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


class Listener:
    """A client of a broker: `messages` has the newest payload of each topic, and `all` every one.

    Args:
        broker: The broker.
    """

    def __init__(self, broker: Broker) -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.messages: dict[str, str] = {}
        self.all: list[tuple[str, str]] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(broker.user, broker.password)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def send(self, topic: str, text: str) -> None:
        self._client.publish(topic, text, qos=1).wait_for_publish(5)

    def expect(self, topic: str, text: str) -> None:
        """Wait for a payload of a topic that contains a text."""
        wait_until(lambda: text in self.messages.get(topic, ""))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: object, _user: object, message: object) -> None:
        topic, payload = message.topic, message.payload.decode()
        self.messages[topic] = payload
        self.all.append((topic, payload))


def wait_until(is_true, *, limit_s: float = 10.0) -> None:
    """Wait until a function returns something true, and fail after `limit_s` seconds."""
    end = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
