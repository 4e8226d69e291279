"""The example script that updates a bundle, with pretended Python and systemd."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "update_bundle.sh"
pytestmark = pytest.mark.skipif(
    not (shutil.which("openssl") and shutil.which("curl")), reason="openssl or curl is missing"
)


class Device:
    """A device with an old bundle, and the server's folder."""

    def __init__(self, folder: Path) -> None:
        self.server, self.bundle = folder / "server.pyz", folder / "opt" / "mine.pyz"
        self.key, self._folder = folder / "public.pem", folder
        secret = folder / "key.pem"
        for words in (
            ["genpkey", "-algorithm", "ed25519", "-out", secret],
            ["pkey", "-in", secret, "-pubout", "-out", self.key],
        ):
            subprocess.run(["openssl", *words], check=True, capture_output=True)
        (folder / "opt").mkdir()
        (folder / "bin").mkdir()
        self.answer("python", 0)
        self.answer("systemctl", 0)
        self.release("old")
        assert self.update() == 0

    def answer(self, program: str, status: int) -> None:
        """Let a program exit with a status; it keeps its words."""
        path = self._folder / "bin" / program
        path.write_text(f'#!/bin/sh\necho "$@" >> {self._folder}/{program}.log\nexit {status}\n')
        path.chmod(0o755)

    def release(self, text: str) -> None:
        self.server.write_text(text)
        words = ["pkeyutl", "-sign", "-rawin", "-inkey", self._folder / "key.pem"]
        files = ["-in", self.server, "-out", f"{self.server}.sig"]
        subprocess.run(["openssl", *words, *files], check=True)

    def update(self) -> int:
        path = f"{self._folder}/bin:{os.environ['PATH']}"
        given = {"KEY": self.key, "PYTHON": self._folder / "bin" / "python", "SERVICE": "edgeemo@a"}
        words = ["sh", SCRIPT, f"file://{self.server}", self.bundle]
        environment = {**os.environ, **given, "PATH": path, "WAIT_S": "0"}
        return subprocess.run(words, env=environment, check=False).returncode

    @property
    def has(self) -> str:
        assert not list(self.bundle.parent.glob("*.new*"))
        return self.bundle.read_text()

    def read_log(self, program: str) -> list[str]:
        return (self._folder / f"{program}.log").read_text().splitlines()


@pytest.fixture
def device(tmp_path):
    return Device(tmp_path)


def test_a_new_bundle_is_tried_before_it_replaces_the_old_one(device):
    device.release("new")
    assert (device.update(), device.has) == (0, "new")
    assert device.read_log("python")[-1] == f"{device.bundle}.new selftest"
    assert device.read_log("systemctl")[-2:] == ["restart edgeemo@a", "is-active --quiet edgeemo@a"]
    tried = len(device.read_log("python"))
    assert (device.update(), len(device.read_log("python"))) == (0, tried), "nothing is new"


def test_a_bundle_that_was_changed_is_refused(device):
    device.release("new")
    device.server.write_text("changed")
    assert (device.update(), device.has) == (3, "old")


def test_a_bundle_whose_self_test_fails_is_refused_once(device):
    device.release("new")
    device.answer("python", 3)
    assert (device.update(), device.has) == (3, "old")
    device.answer("python", 0)
    assert (device.update(), device.has) == (3, "old"), "the same release"
    device.release("newer")
    assert (device.update(), device.has) == (0, "newer")


def test_the_old_bundle_comes_back_where_the_service_does_not_run(device):
    device.release("new")
    device.answer("systemctl", 3)
    assert (device.update(), device.has) == (3, "old")
    assert device.read_log("systemctl")[-1] == "restart edgeemo@a"
    device.answer("systemctl", 0)
    assert (device.update(), device.has) == (3, "old")


def test_a_server_that_is_away_changes_nothing(device):
    device.server.with_name("server.pyz.sig").unlink()
    assert (device.update(), device.has) == (1, "old")


def test_an_update_that_is_cut_off_is_made_by_the_next_run(device):
    device.release("new")
    device.answer("mv", 1)
    assert (device.update(), device.has) == (1, "old")
    (device.bundle.parents[1] / "bin" / "mv").unlink()
    assert (device.update(), device.has) == (0, "new")
