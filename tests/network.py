"""Hosts with addresses and processes of their own on this machine: namespaces on one switch.

Ray would take the nodes of two network namespaces for two of one machine if they saw each other's
processes.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_RAY = Path(sys.executable).with_name("ray")
_PREFIX = "edgeemo-host-"
_PATIENCE_S = 120
_TOKEN = "0123456789abcdef" * 4


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def _remove_left() -> None:
    """Remove what a run has left that was killed."""
    shown = subprocess.run(["ip", "netns", "list"], check=False, capture_output=True, text=True)
    for name in shown.stdout.split():
        if name.startswith(_PREFIX) and not Path("/proc", name.split("-")[2]).exists():
            _remove(name)


def _remove(name: str) -> None:
    _end_processes(name)
    _ip("netns", "del", name)  # and its links


def _end_processes(name: str) -> None:
    def find() -> list[str]:
        shown = subprocess.run(
            ["ip", "netns", "pids", name], check=False, capture_output=True, text=True
        )
        return shown.stdout.split()

    while pids := find():
        for pid in map(int, pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


class Host:
    """A network namespace, and a folder for the files of its Ray.

    Args:
        name: Name of the namespace.
        address: Its IP address.
        port: The namespace of the switch, and its port there.
        folder: An empty folder.
    """

    def __init__(self, name: str, address: str, port: tuple[str, str], folder: Path) -> None:
        self.name, self.address, self._port = name, address, port
        self._first = self._boot()
        (folder / ".ray").mkdir()
        (folder / ".ray" / "auth_token").write_text(_TOKEN)
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "RAY_AUTH_MODE": "token",
            "RAY_TMPDIR": str(folder),
            "RAY_USAGE_STATS_ENABLED": "0",
            "TF_NUM_INTRAOP_THREADS": "1",
        }

    def connect(self) -> None:
        """Plug it into the switch, again if it was there before."""
        self._set_port("up")

    def cut(self) -> None:
        """Unplug it: what it sends goes nowhere, and nobody is told."""
        self._set_port("down")

    def _set_port(self, state: str) -> None:
        switch, name = self._port
        _ip("-n", switch, "link", "set", name, state)

    def start(self, *words: object, **options: Any) -> subprocess.Popen[str]:
        """Start a command on it, which `hosts` ends."""
        inside = ["nsenter", "--target", str(self._first), "--pid", "--mount", "--net"]
        command = [*inside, *map(str, words)]
        environment = {**self._environment, **options.pop("env", {})}
        return subprocess.Popen(command, env=environment, text=True, **options)

    def start_edgeemo(self, *words: object, **options: Any) -> subprocess.Popen[str]:
        """Start ``edgeemo`` on it, with pipes."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return self.start(sys.executable, "-m", "edgeemo", *words, **options)

    def start_ray(self, *words: object, cpus: int = 1, **options: Any) -> None:
        """Run ``ray start``, which leaves Ray's processes behind."""
        started = self.start(
            _RAY, "start", "--node-ip-address", self.address, "--num-cpus", cpus,
            "--temp-dir", self._environment["RAY_TMPDIR"] + "/ray",
            "--object-store-memory", 100_000_000, "--disable-usage-stats", *words,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options,
        )  # fmt: skip
        out, _ = started.communicate(timeout=_PATIENCE_S)
        assert not started.returncode, out

    def end_all(self) -> None:
        """End all its processes."""
        self.shut_down()
        self._first = self._boot()

    def shut_down(self) -> None:
        """End all its processes, for good."""
        _end_processes(self.name)
        self._parent.wait()

    def _boot(self) -> int:
        """Return the first process of a new namespace of processes, with which all others end."""
        code = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sleep", "infinity"]
        parent = self._parent = subprocess.Popen(["ip", "netns", "exec", self.name, *code])
        while True:
            found = subprocess.run(
                ["pgrep", "--parent", str(parent.pid), "sleep"],
                check=False, capture_output=True, text=True,
            )  # fmt: skip
            if found.stdout:
                return int(found.stdout)
            time.sleep(0.05)


@contextmanager
def open_hosts(count: int) -> Iterator[list[Host]]:
    """Make hosts, which are removed with all their processes whatever happens.

    Skips the test where that cannot be done; with CI=true a missing program is a failure.
    """
    if shutil.which("ip") is None and os.environ.get("CI") == "true":
        pytest.fail("needs ip, of iproute2")
    if os.geteuid() or shutil.which("ip") is None:
        pytest.skip("needs root and ip, for network namespaces")
    _remove_left()
    names = [f"{_PREFIX}{os.getpid()}-{number}" for number in range(count + 1)]
    switch, *others = names
    with ExitStack() as scope:
        try:
            for name in names:
                _ip("netns", "add", name)
                scope.callback(_remove, name)
            _ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespace or bridge can be made: {error.stderr.strip()}")
        _ip("-n", switch, "link", "set", "bridge", "up")
        made = []
        for number, name in enumerate(others, 1):
            folder = scope.enter_context(
                tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True)
            )
            port = f"port{number}"
            host = Host(name, f"10.77.0.{number}", (switch, port), Path(folder))
            _ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", port, "netns", switch)
            _ip("-n", switch, "link", "set", port, "master", "bridge", "up")
            _ip("-n", name, "address", "add", f"{host.address}/24", "dev", "eth0")
            for link in ("lo", "eth0"):
                _ip("-n", name, "link", "set", link, "up")
            scope.callback(host.shut_down)
            made.append(host)
        yield made
