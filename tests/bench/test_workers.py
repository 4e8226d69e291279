"""Real workers: what they measure, and how they end."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from edgeemo.bench.launch import WORKER_COMMAND, Launcher
from edgeemo.bench.protocol import COLD_STAGES, WARM_STAGES, Failure, RoundRequest
from edgeemo.bench.sample_frame import draw_camera_frame
from edgeemo.bench.sample_photo import draw_photo
from edgeemo.errors import BenchError, ImageError
from edgeemo.model.face_settings import FaceSettings

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
GONE = "raise ModuleNotFoundError('no such module', name='ai_edge_litert')"


@pytest.fixture(scope="module")
def frame():
    return draw_camera_frame()


def request(path=GOLDEN / "int8.tflite", **changes):
    made = RoundRequest(
        path=str(path), threads=1, workers=1, images=(), first=0, check=False, runs=3, seconds=60,
        stream_seconds=0, started_ns=time.monotonic_ns(),
    )  # fmt: skip
    return replace(made, **changes)


@pytest.mark.parametrize("name", ["int8.tflite", "float32.onnx"])
def test_a_worker_measures_every_stage(frame, name):
    found = Launcher(WORKER_COMMAND, frame).run(
        request(GOLDEN / name, workers=2, stream_seconds=0.01)
    )
    assert not isinstance(found, Failure)
    *parts, total = (found.cold_ms[stage] for stage in COLD_STAGES)
    assert all(each > 0 for each in parts)
    assert sum(parts) <= total
    for stage in ("decode", "resize", "invoke", "total"):
        assert len(found.warm_ms[stage]) == 3
        assert all(each > 0 for each in found.warm_ms[stage])
    assert found.rate.images_per_second > 0
    assert found.peak_mb > 20
    package = "onnxruntime" if name.endswith("onnx") else "ai-edge-litert"
    assert found.engine.startswith(f"{package} ")
    assert {"numpy", "pillow", package} <= set(found.versions)


def test_detecting_a_face_is_timed_where_faces_are_detected(frame):
    faces = FaceSettings(cropped=True)
    found = Launcher(WORKER_COMMAND, draw_photo()).run(request(faces=faces))
    stages = [found.warm_ms[stage] for stage in WARM_STAGES]
    assert [len(stage) for stage in stages] == [3] * 5
    assert (min(map(min, stages)) > 0, found.runs_without_face) == (True, 0)
    assert Launcher(WORKER_COMMAND, frame).run(request()).warm_ms["detect"] == []


def test_an_image_without_a_face_is_timed_as_far_as_it_goes(frame):
    found = Launcher(WORKER_COMMAND, frame).run(request(faces=FaceSettings(), check=True))
    assert not isinstance(found, Failure), found
    warm_ms = found.warm_ms
    assert (warm_ms["resize"], warm_ms["invoke"], found.runs_without_face) == ([], [], 3)
    assert [len(warm_ms[stage]) for stage in ("decode", "detect", "total")] == [3] * 3


def test_the_peak_memory_is_the_workers_own(frame):
    """getrusage would tell that of this process, which starts it."""
    ballast = bytearray(300 << 20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    found = Launcher(WORKER_COMMAND, frame).run(request())
    assert found.peak_mb < 200


def test_it_stops_when_the_time_is_over(frame):
    found = Launcher(WORKER_COMMAND, frame).run(request(runs=1_000_000, seconds=0))
    assert len(found.warm_ms["total"]) == 1


def test_images_are_taken_in_turn_from_the_one_named(tmp_path):
    """Begun with the second: its size shows in what the first run decodes."""
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for path, side in zip(paths, (8, 1500), strict=True):
        Image.effect_noise((side, side), 50).save(path)
    names = tuple(map(str, paths))
    found = Launcher(WORKER_COMMAND, b"").run(request(images=names, first=1, runs=4))
    # The second is the cold prediction, two more warm up, so the timed runs begin with the first.
    decode = found.warm_ms["decode"]
    assert max(decode[1], decode[3]) > 5 * min(decode[0], decode[2])


def test_a_bad_image_among_many_is_named(tmp_path, frame):
    good, bad = tmp_path / "good.jpg", tmp_path / "bad.jpg"
    good.write_bytes(frame)
    bad.write_bytes(frame[:2000])
    with pytest.raises(ImageError, match=r"bad\.jpg: the image is damaged"):
        Launcher(WORKER_COMMAND, b"").run(request(images=(str(good), str(bad)), check=True, runs=1))


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        (GONE, "not run", "ai-edge-litert is not installed"),
        (f"import os; os.write(1, b'{{'); {GONE}", "not run", "not installed"),
        ("raise ImportError('GLIBC_2.34 not found')", "failed", "GLIBC_2.34 not found"),
        ("raise MemoryError", "failed", "out of memory"),
        ("import os; os.kill(os.getpid(), 4)", "crashed", "(SIGILL): it uses instructions that"),
        ("import os; os.kill(os.getpid(), 9)", "crashed", "(SIGKILL): it was killed, probably out"),
        ("import os; os.kill(os.getpid(), 11)", "crashed", "(SIGSEGV): the model cannot be run"),
        ("import os; os.kill(os.getpid(), 40)", "crashed", "(signal 40)"),
        ("raise RuntimeError('of its own')", "crashed", "RuntimeError: of its own"),
    ],
)
def test_a_worker_that_cannot_work_says_why(frame, broken_engine, code, status, said):
    broken_engine(code)
    found = Launcher(WORKER_COMMAND, frame).run(request())
    assert isinstance(found, Failure)
    assert found.status == status
    assert said in found.reason
    assert "\n" not in found.reason


def test_a_refused_file_says_why(tmp_path, frame):
    path = Path(shutil.copy(GOLDEN / "int8.tflite", tmp_path))
    path.write_bytes(path.read_bytes()[:-1])
    found = Launcher(WORKER_COMMAND, frame).run(request(path))
    assert found.status == "failed"
    assert "cut short" in found.reason


def test_a_python_of_another_architecture_is_noticed(frame):
    """Under an emulator, starting a program by its path may start the host's."""
    measured = Launcher(WORKER_COMMAND, frame).run(request())
    said = json.dumps({**vars(measured), "architecture": "m68k"})
    with pytest.raises(BenchError, match="runs on m68k when it is started from this"):
        Launcher((sys.executable, "-c", f"print({said!r})"), b"").run(request())


def test_a_file_of_the_current_folder_is_not_imported(tmp_path, frame, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise RuntimeError('not this one')")
    monkeypatch.chdir(tmp_path)
    assert not isinstance(Launcher(WORKER_COMMAND, frame).run(request()), Failure)


def test_the_frame_is_a_camera_frame_and_always_the_same(frame, tmp_path):
    path = tmp_path / "frame.jpg"
    path.write_bytes(frame)
    with Image.open(path) as image:
        assert (image.size, image.format) == ((640, 480), "JPEG")
    assert 50_000 <= len(frame) <= 90_000
    assert draw_camera_frame() == frame
