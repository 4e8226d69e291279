"""A disk that is full, and folders that vanish midway: one line that names the place, nothing lost.

The limit of a file's size stands for the full disk: writing fails in the same place.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from edgeemo.dataset.synthetic import draw_faces

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MODEL = GOLDEN / "int8.tflite"
OUT = ("--out", "out")

VANISHING = """
import runpy, shutil, sys
NAME, COUNT, ARGV = {}
seen = 0

def hook(event, args):  # removes the folder when a file in it is opened for the nth time
    global seen
    if event == "open" and str(args[0]).startswith(NAME):
        seen += 1
        if seen == COUNT:
            shutil.rmtree(str(args[0]).split("/")[0])

sys.addaudithook(hook)
sys.argv = ["edgeemo", *ARGV]
runpy.run_module("edgeemo", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    """The current folder, which holds drawn faces and nothing else."""
    draw_faces(tmp_path / "faces", count=40, size=96)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: object, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python, with a limit to the size of a file in bytes."""

    def limit_files() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True, text=True, check=False, preexec_fn=limit_files,
    )  # fmt: skip


def list_names(place: Path) -> set[str]:
    """Return what is in a folder, hidden or not."""
    return {path.name for path in place.iterdir()}


@pytest.mark.parametrize(
    "words",
    [
        ("data", "draw", "out", "--count", 4, "--size", 200),
        ("bundle", MODEL, *OUT),
        ("data", "check", "faces", "--html", "out"),
    ],
    ids=["draw", "bundle", "check"],
)
def test_a_full_disk_is_one_line_and_leaves_nothing(place, words):
    ended = run("-m", "edgeemo", *words, limit=1000)
    assert ended.returncode == 1, ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert "out" in last
    assert "File too large" in last
    assert ".partial-" not in last
    assert "Traceback" not in ended.stderr
    assert list_names(place) == {"faces"}


def test_what_a_full_disk_cannot_replace_stays(place):
    Path("out").write_bytes(b"the one before")
    assert run("-m", "edgeemo", "bundle", MODEL, *OUT, "--force", limit=1000).returncode == 1
    assert Path("out").read_bytes() == b"the one before"
    assert list_names(place) == {"faces", "out"}


@pytest.mark.parametrize(
    ("words", "status", "name", "count"),
    [
        (("data", "check", "faces"), 0, "faces/", 9),  # it reports what cannot be read
        (("data", "clean", "faces", *OUT), 1, "faces/", 9),
        (("data", "split", "faces", *OUT), 1, "faces/", 9),
        (("predict", "faces", "--model", MODEL, "--json"), 1, "faces/", 9),
        (("data", "draw", "out", "--count", 20), 1, ".out.partial-", 6),
    ],
    ids=["check", "clean", "split", "predict", "draw"],
)
def test_a_folder_that_vanishes_is_told_by_name(place, words, status, name, count):
    script = VANISHING.replace("{}", repr((name, count, [*map(str, words)])))
    ended = run("-c", script)
    assert ended.returncode == status, ended.stderr
    assert "Traceback" not in ended.stderr
    left = {"faces"} if name.startswith(".") else set()
    assert list_names(place) == left
    if status:
        last = ended.stderr.splitlines()[-1]
        # The file; or the folder, where too few images had been read by then.
        assert last.startswith(f"error: {'out' if left else 'faces'}")
        assert "No such file or directory" in last or "usable image" in last
