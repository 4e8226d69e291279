"""One classifier in several threads, in forked processes and in asyncio: the same predictions."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeemo import Classifier
from edgeemo.engines import pool
from edgeemo.errors import EngineError
from edgeemo.model.folder import shipped_folder

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
HAPPY_SAD = shipped_folder().file("int8.tflite")
MODELS = (*(GOLDEN / name for name in ("int8.tflite", "float32.tflite", "int8.onnx")), HAPPY_SAD)
FORKED = """
import os, sys
from edgeemo import Classifier
from edgeemo.errors import EdgeEmoError
model, image, threads, how = sys.argv[1:]
classifier = Classifier.load(model, threads=int(threads))
expected = classifier.predict_all(image)
if how == "gone":
    os.rename(model, model + ".old")
child = os.fork()
if child == 0:
    try:
        print(classifier.predict_all(image) == expected, flush=True)
    except EdgeEmoError as error:
        print(error, flush=True)
    sys.exit(7)  # with all that an exit ends
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(status, classifier.predict_all(image) == expected)
"""


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> list[Path]:
    """Images whose predictions differ; the last one is so large that images wait for its memory."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(1)
    for number in range(24):
        side = 2200 if number == 23 else 60
        pixels = rng.integers(0, 10 * number + 20, (side, side, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    shutil.copy(shipped_folder().file("golden") / "photo.jpg", folder / "face.jpg")
    return sorted(folder.iterdir())


@pytest.fixture
def four_cores(monkeypatch):
    monkeypatch.setattr(pool, "usable_cores", lambda: 4)


@pytest.mark.parametrize("model", MODELS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_four_threads_get_each_image_its_own_prediction(model, photos, four_cores):
    classifier = Classifier.load(model)
    expected = [classifier.predict_all(path) for path in photos]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(classifier.predict_all, photos * 10))
    assert found == expected * 10
    assert len({repr(each) for each in expected}) > 1


@pytest.mark.parametrize("change", ["gone", "other"])
def test_threads_never_run_a_file_that_replaced_the_model(tmp_path, photos, four_cores, change):
    model = Path(shutil.copy(GOLDEN / "float32.tflite", tmp_path / "model.tflite"))
    classifier = Classifier.load(model)
    expected = [classifier.predict(path) for path in photos]
    model.rename(tmp_path / "old.tflite")
    if change == "other":
        shutil.copy(GOLDEN / "int8.tflite", model)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(classifier.predict, photos * 5)) == expected * 5


def test_models_loaded_in_several_threads_leave_standard_output_alone(photos):
    code = (
        "import sys, threading; from edgeemo import Classifier\n"
        "def load():\n"
        "    for _ in range(5): Classifier.load(sys.argv[1]).predict(sys.argv[2])\n"
        "threads = [threading.Thread(target=load) for _ in range(6)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "print('still here')"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, GOLDEN / "int8.tflite", photos[0]],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (shown.stdout, shown.stderr) == ("still here\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("model", MODELS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_forked_process_predicts_and_ends(model, threads, photos):
    shown = _run_forked(model, photos[-1], threads, "")
    assert shown.splitlines() == ["True", "7 True"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_with_threads_needs_the_file(tmp_path, photos):
    model = shutil.copy(GOLDEN / "int8.onnx", tmp_path)
    first, *rest = _run_forked(model, photos[0], 2, "gone").splitlines()
    assert first == f"{model}: cannot be read: No such file or directory"
    assert rest == ["7 True"]


def _run_forked(*arguments) -> str:
    command = [sys.executable, "-c", FORKED, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_a_forked_process_does_not_wait_for_images_of_its_parent(photos):
    """While a thread of the parent holds the room for large images."""
    code = (
        "import os, sys; from edgeemo import Classifier\n"
        "from edgeemo.imaging.limits import ROOM\n"
        "classifier = Classifier.load(sys.argv[1])\n"
        "ROOM.take(ROOM.max_bytes, name='other', seconds=0)\n"
        "child = os.fork()\n"
        "if child == 0: print(classifier.predict(sys.argv[2]).score > 0); sys.exit()\n"
        "os.waitpid(child, 0)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, GOLDEN / "int8.tflite", photos[-2]],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert shown.stdout == "True\n"


def test_asyncio_keeps_serving_while_images_are_predicted(photos, four_cores):
    classifier = Classifier.load(HAPPY_SAD)
    turns = 0

    async def tick() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    async def serve() -> list:
        other = asyncio.create_task(tick())
        found = await asyncio.gather(
            *(asyncio.to_thread(classifier.predict_all, path) for path in photos)
        )
        other.cancel()
        return found

    assert asyncio.run(serve()) == [classifier.predict_all(path) for path in photos]
    assert turns > 1


def test_a_model_that_is_gone_is_told_by_its_name(tmp_path):
    model = Path(shutil.copy(GOLDEN / "int8.tflite", tmp_path))
    sealed = Classifier.load(model).engine._model
    model.unlink()
    with pytest.raises(EngineError, match=r"int8\.tflite: cannot be read"):
        pool.read_again(sealed)
