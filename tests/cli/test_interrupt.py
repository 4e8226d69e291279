"""Ctrl-C and SIGTERM at any moment: exit status 130 or 143, and no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from edgeemo.engines.imports import load_error
from edgeemo.errors import EngineError
from edgeemo.utils import interrupt
from edgeemo.utils.command import run_command

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"

AT_IMPORT = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)

class Finder:  # sends a signal when a module is imported, and lets the import go on
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == MODULE:
            os.kill(os.getpid(), NUMBER)

sys.meta_path.insert(0, Finder)
sys.argv = ARGV
runpy.run_module(ARGV[0], run_name="__main__", alter_sys=True)
"""


def run(argv: list[str], module: str, number: signal.Signals) -> subprocess.CompletedProcess[str]:
    """Run a module as a program that gets a signal when it imports another module."""
    script = f"MODULE, ARGV, NUMBER = {module!r}, {argv!r}, {int(number)}\n{AT_IMPORT}"
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    ("argv", "module"),
    [
        (["edgeemo", "info"], "edgeemo.cli.start"),
        (["edgeemo", "-h"], "typer"),
        (["edgeemo", "info"], "edgeemo.cli.commands.info"),
        (["edgeemo", "info"], "edgeemo.model.folder"),
        (["edgeemo", "predict", str(GOLDEN)], "numpy"),
        (["edgeemo", "predict", str(GOLDEN)], "ai_edge_litert"),
        (["edgeemo.runtime", str(GOLDEN / "int8.tflite"), str(GOLDEN)], "argparse"),
        (["edgeemo.runtime", str(GOLDEN / "int8.tflite"), str(GOLDEN)], "numpy"),
    ],
)
def test_a_signal_during_an_import_is_an_exit_status(argv, module, number, status):
    ended = run(argv, module, number)
    assert (ended.returncode, ended.stdout, "Traceback" in ended.stderr) == (status, "", False)


def test_the_command_begins_with_the_module_that_takes_care_of_ctrl_c():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"edgeemo": "edgeemo.__main__:main"}
    script = (
        "import sys; before = set(sys.modules); import edgeemo.__main__; "
        "print(*sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name for name in ran.stdout.split() if name != "__future__"}
    assert loaded == {"edgeemo", "edgeemo.__main__", "edgeemo.utils", "edgeemo.utils.interrupt"}


def _mangle() -> int:
    """Raise what an engine's package makes of Ctrl-C during its import."""
    try:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise ImportError("initialization failed") from None
    except ImportError as error:
        raise load_error("onnxruntime", error) from None


def test_an_import_that_ctrl_c_broke_is_no_broken_package(capsys):
    with pytest.raises(KeyboardInterrupt):
        _mangle()
    assert run_command(_mangle) == 130
    assert capsys.readouterr() == ("", "")


def test_what_a_library_makes_of_ctrl_c_is_ctrl_c(capsys):
    def work() -> int:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise RuntimeError("of a library") from error

    assert run_command(work) == 130
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_raises_during_the_work_alone(monkeypatch):
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupt.exit_on_interrupt()
        at_once = [signal.getsignal(number) for number in numbers]
        assert at_once[0] is at_once[1] is not signal.default_int_handler
        assert run_command(lambda: sum(signal.getsignal(each) in at_once for each in numbers)) == 0
        assert [signal.getsignal(number) for number in numbers] == at_once
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def test_a_job_that_ignores_ctrl_c_goes_on_ignoring_it():
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        interrupt.exit_on_interrupt()
        assert not interrupt.raise_on_interrupt()
        assert all(signal.getsignal(number) is signal.SIG_IGN for number in numbers)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_python_would_lose_is_sent_again(number, status):
    script = (
        f"NUMBER = {int(number)}"
        + """
import os, signal, sys, time
from edgeemo.utils.command import run_command
from edgeemo.utils.interrupt import exit_on_interrupt

class Deaf:
    def __del__(self):
        os.kill(os.getpid(), NUMBER)

def work():
    Deaf()
    time.sleep(30)
    return 0

signal.signal(signal.SIGINT, signal.default_int_handler)
exit_on_interrupt()
sys.exit(run_command(work))
"""
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=25
    )
    assert (ended.returncode, ended.stderr) == (status, "")


def test_an_import_error_after_ctrl_c_is_ctrl_c(monkeypatch, capsys):
    def work() -> int:
        try:
            raise ImportError('could not import module "datetime"')  # of C, without a context
        except ImportError:
            raise EngineError("numpy is installed but cannot be loaded") from None

    assert run_command(work) == 1
    monkeypatch.setattr(interrupt, "_RECEIVED", [signal.SIGINT])
    capsys.readouterr()
    assert run_command(work) == 130
    assert capsys.readouterr() == ("", "")
