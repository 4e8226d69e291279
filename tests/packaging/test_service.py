"""The systemd unit: how exposed it is, what it runs, and that its limits let edgeemo run."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeemo.cli import plain
from edgeemo.cli.commands.live import AllLiveOptions, live
from edgeemo.live.config import merge_options

UNIT = Path(__file__).resolve().parents[2] / "contrib" / "edgeemo@.service"
NO_WRITE_AND_EXECUTE = (65, 1)
"""PR_SET_MDWE and PR_MDWE_REFUSE_EXEC_GAIN of prctl(2): what MemoryDenyWriteExecute= forbids."""


@pytest.fixture
def instance(tmp_path):
    """The unit as edgeemo@door.service, with a program that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    path = tmp_path / "edgeemo@door.service"
    path.write_text(UNIT.read_text().replace("/opt/edgeemo/bin/edgeemo", "/bin/true"))
    return path


def test_it_is_little_exposed(instance):
    shown = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", instance],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert float(re.search(r"Overall exposure level.*: ([\d.]+)", shown)[1]) <= 3.0


def test_systemd_understands_it(instance):
    shown = subprocess.run(
        ["systemd-analyze", "verify", instance], capture_output=True, text=True, check=False
    )
    assert (shown.returncode, shown.stderr) == (0, "")


def test_its_command_is_one_that_edgeemo_takes(tmp_path):
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), re.MULTILINE)
    (tmp_path / "live.toml").write_text('source = "test"\nmqtt = "mqtt://user:word@host"\n')
    program, command, *words = line.replace("%d", str(tmp_path)).replace("%i", "door").split()
    assert (Path(program).name, command) == ("edgeemo", "live")
    given = plain.read_words(live, words)
    options = merge_options(AllLiveOptions, given.options)
    assert (options.source, options.name) == ("test", "door")


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_it_runs_without_memory_that_is_written_and_executed(tmp_path):
    def forbid() -> None:
        ctypes.CDLL(None).prctl(*NO_WRITE_AND_EXECUTE, 0, 0, 0)

    ran = subprocess.run(
        [sys.executable, "-m", "edgeemo", "live", "test", "--seconds", "0.2"],
        capture_output=True, text=True, check=False, cwd=tmp_path, preexec_fn=forbid,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "face 1" in ran.stdout
