"""What commands send and leave behind, by their system calls."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.reliability.traces import TraceError, trace
from edgeemo.bundle import make_bundle

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("uncounted")]

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.fixture(scope="module")
def place(draw_photos, tmp_path_factory) -> Path:
    """A folder with photos, an .onnx and a .tflite file, and a bundle of each."""
    folder = tmp_path_factory.mktemp("place")
    draw_photos(folder / "photos", 2)
    for name in ("float32.onnx", "int8.tflite"):
        shutil.copy(GOLDEN / name, folder)
        make_bundle(folder / name, folder / f"{name}.pyz")
    return folder


@pytest.fixture
def traced(place):
    """Function (*words): what Python did with these arguments."""

    def run(*words):
        try:
            return trace([sys.executable, *words], cwd=place)
        except TraceError as error:
            if os.environ.get("CI") and shutil.which("strace") is None:
                pytest.fail(str(error))
            pytest.skip(str(error))

    return run


@pytest.mark.parametrize(
    "command",
    [
        "-m edgeemo predict photos --model float32.onnx",
        "-m edgeemo predict photos --model int8.tflite --faces --annotate seen --workers 2",
        "-m edgeemo data check photos --html page.html --faces",
        "float32.onnx.pyz predict photos",
        "int8.tflite.pyz selftest",
    ],
)
def test_nothing_is_sent_and_nothing_is_left(traced, command):
    found = traced(*command.split())
    assert found.status == 0, found.err
    assert (found.network, found.outside, found.left) == ((), (), ())


def test_a_trace_sees_what_is_left_and_made_elsewhere(traced, tmp_path):
    code = (
        "import os, pathlib, socket, sys; pathlib.Path.home().joinpath('x').touch();"
        "pathlib.Path(sys.argv[1]).touch(); s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);"
        "s.connect(('127.0.0.1', 9))"
    )
    found = traced("-c", code, str(tmp_path / "elsewhere"))
    assert found.outside == (str(tmp_path / "elsewhere"),)
    assert [Path(path).name for path in found.left] == ["x"]
    assert len(found.network) == 1
