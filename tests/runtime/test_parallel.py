"""Several workers: the same results in the same order, whatever goes wrong on the way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeemo import Classifier
from edgeemo.runtime.formats import to_jsonl
from edgeemo.runtime.parallel import _AHEAD
from edgeemo.runtime.stream import choose_worker_count, predict_images

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MODEL = GOLDEN / "int8.tflite"
DOORS = (
    ("-m", "edgeemo.runtime", str(MODEL)),
    ("-m", "edgeemo", "predict", "--json", "--model", str(MODEL)),
)


@pytest.fixture(scope="session")
def faces(tmp_path_factory) -> list[str]:
    """Images of very different sizes, so that those behind a large one are done before it."""
    folder = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(3)
    for number in range(40):
        side = 900 if number % 7 == 1 else 30 + number
        pixels = rng.integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    (folder / "11.png").write_bytes(b"broken")
    return sorted(map(str, folder.iterdir()))


@pytest.fixture
def classifier() -> Classifier:
    return Classifier.load(MODEL)


def _workers() -> int:
    return sum(thread.name == "worker" for thread in threading.enumerate())


def _without_time(result) -> str:
    return to_jsonl(result).rpartition(', "ms"')[0]


@pytest.mark.parametrize("name", ["float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx"])
def test_workers_change_neither_results_nor_their_order(name, faces):
    classifier = Classifier.load(GOLDEN / name)
    one = list(map(_without_time, predict_images(classifier, faces)))
    four = list(map(_without_time, predict_images(classifier, faces, workers=4)))
    assert four == one
    assert ['"error"' in line for line in four] == [path.endswith("11.png") for path in faces]


def test_every_kind_of_source(classifier, faces):
    with Image.open(faces[0]) as opened:
        pixels = np.asarray(opened)
    sources = [Path(faces[0]).read_bytes(), Image.fromarray(pixels), Path(faces[0])]
    found = list(predict_images(classifier, sources, workers=3))
    found += predict_images(classifier, [pixels, pixels], workers=2, color="rgb")
    assert len({result.predictions[0].score for result in found}) == 1
    assert [result.source for result in found] == ["-", "image", faces[0], "image", "image"]


@pytest.mark.parametrize("length", [0, 1])
def test_up_to_one_image_starts_no_thread(faces, length):
    code = (
        "import sys; from edgeemo import Classifier\n"
        "from edgeemo.runtime.stream import predict_images\n"
        "print(len(list(predict_images(Classifier.load(sys.argv[1]), sys.argv[2:], workers=4))))\n"
        "print('edgeemo.runtime.parallel' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, MODEL, *faces[:length]],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.split() == [str(length), "False"]


def test_an_endless_list_is_read_only_a_little_ahead(classifier, faces):
    taken = count(1)
    last = 0

    def endless():
        nonlocal last
        while True:
            last = next(taken)
            yield faces[0]

    with closing(predict_images(classifier, endless(), workers=2)) as stream:
        for given, _ in zip(range(1, 300), stream, strict=False):
            assert last <= given + 2 * _AHEAD + 1
    assert _workers() == 0


def test_a_result_comes_while_the_next_image_is_waited_for(classifier, faces):
    may_go_on = threading.Event()

    def waiting():
        yield from faces[:5]
        may_go_on.wait()
        yield faces[5]

    with closing(predict_images(classifier, waiting(), workers=4)) as stream:
        early = [next(stream).source for _ in range(5)]
        may_go_on.set()
        assert early + [result.source for result in stream] == faces[:6]


def test_a_worker_is_hired_only_where_images_queue_up(classifier, faces):
    predicted = threading.Event()

    def one_at_a_time():
        for path in faces[:6]:
            yield path
            predicted.wait()
            predicted.clear()

    for _ in predict_images(classifier, one_at_a_time(), workers=4):
        assert _workers() <= 1
        predicted.set()


def test_closing_early_ends_the_workers(classifier, faces):
    stream = predict_images(classifier, faces, workers=3)
    assert next(stream).source == faces[0]
    assert next(stream).source == faces[1]
    assert _workers() > 0
    stream.close()
    assert _workers() == 0


def test_an_error_of_the_sources_comes_after_the_results_before_it(classifier, faces):
    def broken():
        yield from faces[:6]
        raise PermissionError(13, "Permission denied", "folder")

    stream = predict_images(classifier, broken(), workers=3)
    assert [next(stream).source for _ in range(6)] == faces[:6]
    with pytest.raises(PermissionError, match="folder"):
        next(stream)
    assert _workers() == 0


class _NoMemory(os.PathLike):
    """A source that cannot be read for a reason that is not the image's."""

    def __fspath__(self):
        raise MemoryError


def test_what_a_worker_raises_comes_out_in_its_turn(classifier, faces):
    stream = predict_images(classifier, [*faces[:4], _NoMemory(), *faces[4:]], workers=3)
    assert [next(stream).source for _ in range(4)] == faces[:4]
    with pytest.raises(MemoryError):
        next(stream)
    assert _workers() == 0


def test_the_file_of_the_model_is_not_needed_again(tmp_path, faces):
    model = shutil.copy(MODEL, tmp_path / "m.tflite")
    classifier = Classifier.load(model)
    Path(model).unlink()
    for workers in (1, 3):
        found = predict_images(classifier, faces, workers=workers)
        assert sum(result.error is None for result in found) == len(faces) - 1


def test_workers_fill_the_cores_and_no_more():
    cores = len(os.sched_getaffinity(0))
    assert choose_worker_count(1) == cores
    assert choose_worker_count(cores) == 1
    assert choose_worker_count(10 * cores) == 1


@pytest.fixture
def running(start_process):
    """Function (*words): a process that waits on its standard input; its end is seen to."""

    @contextmanager
    def run(*words):
        process = start_process(
            [sys.executable, *words, "-", "--workers", "3"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        with closing(process.stdin), closing(process.stdout), closing(process.stderr):
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    return run


@pytest.mark.parametrize("door", DOORS)
def test_each_line_of_standard_input_is_predicted_at_once(door, faces, running):
    """As in ``tail -f list | edgeemo predict -``: the next line comes after the result."""
    with running(*door) as process:
        for path in faces[:5]:
            process.stdin.write(f"{path}\n".encode())
            process.stdin.flush()
            assert path.encode() in process.stdout.readline()
        process.stdin.close()
        assert process.wait() == 0


def test_a_short_path_is_predicted_at_once(tmp_path, faces, monkeypatch, running):
    monkeypatch.chdir(tmp_path)
    shutil.copy(faces[0], "a.png")
    with running(*DOORS[0]) as process:
        process.stdin.write(b"a.png\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"a.png: ")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("predicted", [1, 3])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_it_while_it_waits_for_a_line(
    door, faces, predicted, running, number, status
):
    with running(*door) as process:
        for path in faces[:predicted]:
            process.stdin.write(f"{path}\n".encode())
            process.stdin.flush()
            process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(timeout=30) == status
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize("door", DOORS)
def test_a_reader_that_goes_away_ends_it(door, faces, running):
    with running(*door) as process:
        for path in faces[:3]:
            process.stdin.write(f"{path}\n".encode())
            process.stdin.flush()
            process.stdout.readline()
        process.stdout.close()
        process.stdin.write(f"{faces[3]}\n".encode())
        process.stdin.flush()
        assert process.wait(timeout=30) == 1
        error = process.stderr.read()
        assert b"Traceback" not in error
        assert b"Fatal" not in error


def test_workers_that_detect_faces_print_every_result(data_dir):
    """Dropping the output of LiteRT while it is loaded must not drop results of other threads."""
    photos = sorted(map(str, (data_dir / "photos").glob("*.jpg")))
    command = [sys.executable, *DOORS[0], "--faces", "--json", "--workers", "6", *photos, *photos]
    for _ in range(3):
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert len(ran.stdout.splitlines()) == 2 * len(photos)


HANGING = """
import ctypes, sys
from edgeemo.runtime import parallel
from edgeemo.runtime.__main__ import main
from PIL import ImageFile

load = ImageFile.ImageFile.load

def hang(image):  # in C, where no signal handler of Python runs
    if image.size == (33, 33):
        ctypes.CDLL(None).sleep(60)
    return load(image)

ImageFile.ImageFile.load = hang
parallel.LIMIT_S = 0.5
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("hanging", [1, 3])
def test_a_decoder_that_hangs_is_an_error_of_its_image(faces, tmp_path, hanging):
    """With two workers: one of them is left, or none and others are started."""
    paths = [path for path in faces if not path.endswith("03.png")][:8]
    for number in range(hanging):
        name = str(tmp_path / f"{number}.png")
        Image.new("RGB", (33, 33)).save(name)
        paths.insert(2 * number + 1, name)
    command = [sys.executable, "-c", HANGING, str(MODEL), *paths, "--workers", "2"]
    begun = time.monotonic()
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert time.monotonic() - begun < 50
    hung = [
        f"error: {tmp_path}/{number}.png: it took longer than 0.5 s" for number in range(hanging)
    ]
    assert ran.returncode == 1, ran.stderr
    assert [line.partition(" to read")[0] for line in ran.stderr.splitlines()[1:]] == hung
    shown = [line.partition(": ")[0] for line in ran.stdout.splitlines()]
    assert shown == [path for path in paths if not path.startswith(str(tmp_path))]
