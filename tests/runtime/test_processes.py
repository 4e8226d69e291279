"""Worker processes: the results of one worker in their order, whatever goes wrong on the way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeemo.errors import ImageTooLargeError
from edgeemo.imaging.limits import Room
from edgeemo.runtime import processes
from edgeemo.runtime.prediction import ImageResult
from edgeemo.runtime.processes import can_fork, predict_in_processes

MODEL = Path(__file__).resolve().parents[1] / "golden" / "int8.tflite"
RUNTIME = (sys.executable, "-m", "edgeemo.runtime", str(MODEL), "--json")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Forty images, the first ones much slower than the others, and one that is none."""
    made = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(5)
    for number in range(40):
        side = 400 if number in (1, 4) else 20 + number
        pixels = rng.integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(pixels).save(made / f"{number:02}.png")
    (made / "11.png").write_bytes(b"broken")
    return made


def _run(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Run the runtime after a change to it, in a process that has one thread."""
    return subprocess.run(
        [sys.executable, "-c", f"{script}\n{_MAIN}", MODEL, *map(str, words)],
        capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip


_MAIN = """
import sys
from edgeemo.runtime.__main__ import main
sys.exit(main(sys.argv[1:]))
"""

_FORKS = """
import os
from edgeemo.engines import trial
trial.try_model = lambda model: None  # which is forked, too
fork = os.fork
def count():
    os.write(2, b"forked\\n")
    return fork()
os.fork = count
"""


@pytest.mark.parametrize("workers", [2, 3])
def test_the_results_are_those_of_one_worker_in_their_order(folder, workers):
    one, several = (_run(_FORKS, folder, "--json", "--workers", each) for each in (1, workers))
    assert several.stderr.count("forked") == workers
    assert "forked" not in one.stderr
    shown = [[line.rpartition(', "ms"')[0] for line in ran.stdout.splitlines()]
             for ran in (one, several)]  # fmt: skip
    assert shown[0] == shown[1]
    assert ['"error"' in line for line in shown[1]] == [number == 11 for number in range(40)]
    assert (one.returncode, several.returncode) == (1, 1)


def test_a_few_images_and_a_list_on_standard_input_need_no_process(folder):
    few = sorted(folder.iterdir())[12:26]
    assert "forked" not in _run(_FORKS, *few, "--workers", 2).stderr
    shown = subprocess.run(
        [sys.executable, "-c", f"{_FORKS}\n{_MAIN}", MODEL, "-", "--workers", "2"],
        input="\n".join(map(str, sorted(folder.iterdir()))),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert len(shown.stdout.splitlines()) == 39
    assert "forked" not in shown.stderr


def test_a_process_with_threads_is_not_forked():
    assert can_fork() == (len(list(Path("/proc/self/task").iterdir())) == 1)
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    assert not can_fork()
    ended.set()
    thread.join()


_BROKEN = """
import ctypes, os, signal
from edgeemo.runtime import parallel
from PIL import ImageFile
load = ImageFile.ImageFile.load
def break_down(image):
    if image.size == (33, 33):
        {break_down}
    return load(image)
ImageFile.ImageFile.load = break_down
parallel.LIMIT_S = {limit}
"""


@pytest.mark.parametrize(
    ("break_down", "error"),
    [
        ("ctypes.CDLL(None).sleep(60)", "it took longer than 1.5 s to read and predict"),
        ("signal.pause()", "it took longer than 1.5 s to read and predict"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "its worker process was ended by SIGSEGV"),
        ("os._exit(0)", "its worker process has ended"),
    ],
)
def test_an_image_that_hangs_or_crashes_is_an_error_of_its_own(folder, tmp_path, break_down, error):
    paths = [path for path in sorted(folder.iterdir()) if path.name not in ("11.png", "13.png")]
    for number in (6, 7, 30):
        bad = tmp_path / f"bad{number}.png"
        Image.new("RGB", (33, 33)).save(bad)
        paths.insert(number, bad)
    ran = _run(
        _BROKEN.format(break_down=break_down, limit=1.5 if "longer" in error else 60),
        *paths,
        "--workers",
        2,
    )
    assert ran.returncode == 1
    failed = [path for path in paths if path.name.startswith("bad")]
    assert ran.stderr.splitlines()[1:] == [f"error: {path}: {error}" for path in failed]
    shown = [line.partition(": ")[0] for line in ran.stdout.splitlines()]
    assert shown == [str(path) for path in paths if path not in failed]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_the_workers_as_well(folder, tmp_path, start_process, number, status):
    for copy in range(300):
        shutil.copy(folder / "01.png", tmp_path / f"{copy}.png")
    process = start_process(
        [*RUNTIME, str(tmp_path), "--workers", "2"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    for _ in range(20):
        process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 2
    os.killpg(process.pid, number)  # as Ctrl-C does
    output, error = process.communicate(timeout=30)
    assert process.returncode == status
    assert b"Traceback" not in error
    assert b"error" not in output
    assert not any(_is_running(child) for child in children)


def test_workers_end_with_a_parent_that_is_killed(folder, tmp_path, start_process):
    for copy in range(300):
        shutil.copy(folder / "01.png", tmp_path / f"{copy}.png")
    process = start_process(
        [*RUNTIME, str(tmp_path), "--workers", "2"], stdout=subprocess.PIPE
    )  # fmt: skip
    for _ in range(20):
        process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while any(map(_is_running, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_is_running, children))


def _is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def _result(source) -> ImageResult:
    if source == "raise":
        raise MemoryError("raised")
    return ImageResult(source=source, ms=0.1)


def test_where_no_process_can_be_started_this_one_predicts(monkeypatch):
    def refuse():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    names = [str(number) for number in range(100)]
    found = predict_in_processes(_result, iter(names), workers=3)
    assert [result.source for result in found] == names


def _ended_by(stop: BaseException):
    yield from ("1", "2", "3")
    raise stop


def test_an_error_comes_after_the_results_before_it():
    stream = predict_in_processes(_result, _ended_by(PermissionError(13, "no")), workers=2)
    assert [next(stream).source for _ in range(3)] == ["1", "2", "3"]
    with pytest.raises(PermissionError, match="no"):
        next(stream)
    stream = predict_in_processes(_result, iter(["1", "raise", "2"]), workers=2)
    assert next(stream).source == "1"
    with pytest.raises(MemoryError, match="raised"):
        next(stream)


def test_long_names_fit_into_the_pipes():
    names = [f"{number:05}" + "/é" * 1500 for number in range(200)] + ["1", "2"]
    found = predict_in_processes(_result, iter(names), workers=2)
    assert [result.source for result in found] == names


def test_an_endless_list_is_read_only_a_little_ahead():
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield str(taken)

    stream = predict_in_processes(_result, endless(), workers=2)
    for given, _ in zip(range(1, 1000), stream, strict=False):
        assert taken - given <= 4 * processes._MAX_DEPTH
    stream.close()


def test_workers_share_the_room_of_large_images(tmp_path):
    """Two of a worker's part at the same time, one of more than it alone."""
    with (tmp_path / "room").open("w+b") as file:
        room = Room(232 << 20)
        room.share(2, file.fileno())
        small, large = 100 << 20, 200 << 20
        with pytest.raises(ImageTooLargeError):
            room.take(240 << 20, name="x", seconds=0)
        taken = room.take(small, name="x", seconds=0)
        assert _take_elsewhere(room, small)
        assert not _take_elsewhere(room, large)
        room.give_back(taken)
        assert _take_elsewhere(room, large)


def _take_elsewhere(room: Room, needed: int) -> bool:
    """Return whether another process gets the room within a moment."""
    pid = os.fork()
    if pid == 0:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            room.take(needed, name="y", seconds=0)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
