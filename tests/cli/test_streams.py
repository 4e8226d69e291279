"""Standard streams that are closed, full or no longer read: one line at most, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeemo.bundle import BundleOptions, make_bundle
from edgeemo.dataset.synthetic import draw_faces

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MODEL = str(GOLDEN / "int8.tflite")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> str:
    """A bundle."""
    path = tmp_path_factory.mktemp("bundle") / "b.pyz"
    return str(make_bundle(Path(MODEL), path, options=BundleOptions()).path)


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> str:
    """A folder of images."""
    folder = tmp_path_factory.mktemp("images") / "faces"
    draw_faces(folder, count=4, size=48)
    return str(folder)


@pytest.fixture(params=["info", "predict", "draw", "runtime", "help", "bundle", "bundle-help"])
def command(request, tmp_path, bundle, images) -> list[str]:
    """A command that prints and succeeds, whichever entry point it has."""
    return {
        "info": ["-m", "edgeemo", "info", MODEL],
        "predict": ["-m", "edgeemo", "predict", images, "--model", MODEL],
        "draw": ["-m", "edgeemo", "data", "draw", str(tmp_path / "drawn"), "--count", "2"],
        "runtime": ["-m", "edgeemo.runtime", MODEL, images, "--json"],
        "help": ["-m", "edgeemo.runtime", "--help"],
        "bundle": [bundle, "selftest"],
        "bundle-help": [bundle, "--help"],
    }[request.param]


def run(command: list[str], redirection: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Python with a redirection of the shell."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["sh", "-c", f'"$0" "$@" {redirection}', sys.executable, *command],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip


def test_closed_streams_are_as_the_null_device(command):
    quiet = run(command, "<&- >&- 2>&-")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_output_that_does_not_fit_is_one_line(command):
    shown = run(command, ">/dev/full")
    last = shown.stderr.splitlines()[-1]
    assert (shown.returncode, last) == (1, "error: standard output: No space left on device")
    assert "Traceback" not in shown.stderr


def test_errors_that_cannot_be_written_change_nothing(command, tmp_path):
    assert run(command, "2>/dev/full").returncode == 0
    failed = run(["-m", "edgeemo.runtime", MODEL, str(tmp_path / "none.png")], "2>/dev/full")
    assert (failed.returncode, failed.stdout) == (1, "")


def test_nothing_that_is_printed_goes_into_a_file(tmp_path):
    """A file that is opened while standard output is closed must not take its number."""
    drawn = tmp_path / "drawn"
    command = ["-m", "edgeemo", "data", "draw", str(drawn), "--count", "4"]
    assert run(command, "<&- >&- 2>&-").returncode == 0
    again = tmp_path / "again"
    assert run([*command[:-3], str(again), *command[-2:]], "").returncode == 0
    for path in again.rglob("*.*"):
        assert (drawn / path.relative_to(again)).read_bytes() == path.read_bytes()
