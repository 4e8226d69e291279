"""Ctrl-C and SIGTERM while a command writes: its exit status, no traceback, nothing left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgeemo.dataset.synthetic import draw_faces

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}

AT_A_FILE = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
COUNT, NUMBER, EVENT, NAME, ARGV = {}
seen = 0

def hook(event, args):  # sends the signal at the COUNTth event about a file of that name
    global seen
    if event == EVENT and NAME in str(args[event == "os.rename"]):
        seen += 1
        if seen == COUNT:
            os.kill(os.getpid(), NUMBER)

sys.addaudithook(hook)
sys.argv = ARGV
runpy.run_module(ARGV[0], run_name="__main__", alter_sys=True)
"""


def run(
    *words: object, number: signal.Signals, count: int = 1, event: str = "open", name: str
) -> subprocess.CompletedProcess[str]:
    """Run a command that gets a signal when it opens or renames a file for the nth time."""
    script = AT_A_FILE.replace(
        "{}", repr((count, int(number), event, name, ["edgeemo", *map(str, words)]))
    )
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )


@pytest.fixture
def faces(tmp_path, monkeypatch) -> Path:
    """A folder of drawn faces in the current one, which is otherwise empty."""
    monkeypatch.chdir(tmp_path)
    draw_faces(tmp_path / "faces", count=24, size=48)
    return tmp_path / "faces"


@pytest.mark.parametrize(("number", "count"), [(signal.SIGINT, 1), (signal.SIGTERM, 4)])
@pytest.mark.parametrize(
    "words",
    [
        ("data", "draw", "out", "--count", 20, "--size", 48),
        ("data", "clean", "faces", "--out", "out"),
        ("data", "split", "faces", "--out", "out"),
        ("data", "crop", "faces", "--out", "out"),
    ],
)
def test_a_folder_is_whole_or_not_there(faces, words, count, number):
    ended = run(*words, number=number, count=count, name=".out.partial-")
    assert (ended.returncode, ended.stdout) == (STATUS[number], "")
    assert "Traceback" not in ended.stderr
    assert [path.name for path in faces.parent.iterdir()] == ["faces"]


@pytest.mark.parametrize("number", STATUS)
def test_a_bundle_is_whole_or_as_before(tmp_path, monkeypatch, number):
    monkeypatch.chdir(tmp_path)
    Path("b.pyz").write_bytes(b"the one before")
    words = ("bundle", GOLDEN / "int8.tflite", "--out", "b.pyz", "--force")
    ended = run(*words, number=number, name=".b.pyz.partial-")
    assert (ended.returncode, ended.stdout) == (STATUS[number], "")
    assert "Traceback" not in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["b.pyz"]
    assert Path("b.pyz").read_bytes() == b"the one before"


@pytest.mark.tensorflow
@pytest.mark.parametrize("kept", ["model", "checkpoint"])
def test_sigterm_keeps_the_training(faces, kept):
    """During an epoch it gives the model of the best one; after the last it keeps the checkpoint.

    The state is renamed to its place after each epoch; the predictions are written after the last.
    """
    sizes = ("--size", 32, "--arch", "cnn-4-d8", "--epochs", 3 if kept == "checkpoint" else 50)
    event, name = {
        "model": ("os.rename", "state.npz"), "checkpoint": ("open", "reference.csv"),
    }[kept]  # fmt: skip
    words = ("train", "--data", "faces", "--out", "m", *sizes, "--json")
    ended = run(*words, number=signal.SIGTERM, event=event, name=name)
    assert ended.returncode == 143, ended.stderr
    assert "Traceback" not in ended.stderr
    left = {path.name for path in faces.parent.iterdir()}
    if kept == "model":
        assert json.loads(ended.stdout)["fit"]["interrupted"]
        assert left == {"faces", "m"}
        assert "the best weights so far" in ended.stderr
    else:
        assert left == {"faces", ".m.training"}
        assert "--resume continues it" in ended.stderr
