"""A bundle with a second file for the other engine, on machines where the first does not run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from edgeemo.bundle import BundleOptions, make_bundle
from edgeemo.bundle.device.contents import Contents
from edgeemo.errors import BundleError
from edgeemo.model.container import seal, unseal

GOLDEN = Path(__file__).resolve().parents[1] / "golden"

CRASHING = """
import os, signal
import numpy as np

LEFT = {answers}

class Interpreter:
    def __init__(self, **options):
        self.left = LEFT

    def allocate_tensors(self):
        if self.left < 0:
            os.kill(os.getpid(), signal.{signal})

    def get_input_details(self):
        return [dict(index=0, shape=[1, 12, 12, 1], dtype=np.uint8, quantization=(1 / 255, 0))]

    def get_output_details(self):
        return [dict(index=1, shape=[1, 1], dtype=np.uint8, quantization=(1 / 256, 0))]

    def set_tensor(self, index, values):
        pass

    def invoke(self):
        if self.left == 0:
            os.kill(os.getpid(), signal.{signal})
        self.left -= 1

    def get_tensor(self, index):
        return np.array([[200]], np.uint8)
"""
"""A LiteRT that crashes when it loads a model (-1 answers), or after some answers."""


@pytest.fixture(scope="module")
def fallback(tmp_path_factory):
    """int8.tflite with float32.onnx as its fallback."""
    out = tmp_path_factory.mktemp("two") / "tiny.pyz"
    return make_bundle(
        GOLDEN / "int8.tflite", out, options=BundleOptions(fallback=GOLDEN / "float32.onnx")
    )


@pytest.fixture
def faces(tmp_path):
    folder = tmp_path / "faces"
    folder.mkdir()
    for number in range(3):
        Image.linear_gradient("L").rotate(120 * number).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def litert(tmp_path):
    """Function (source): the variables of a process whose LiteRT is that source."""

    def environment(source):
        package = tmp_path / "fake" / "ai_edge_litert"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "interpreter.py").write_text(source)
        return {**os.environ, "PYTHONPATH": str(package.parent)}

    return environment


def _crash(*, answers=-1, by="SIGILL"):
    return CRASHING.format(answers=answers, signal=by)


def test_it_says_what_was_made(fallback, int8, device):
    assert (fallback.model, fallback.engine) == ("int8.tflite", "ai-edge-litert")
    assert (fallback.fallback.model, fallback.fallback.engine) == ("float32.onnx", "onnxruntime")
    assert int8.fallback is None
    contents = Contents(str(fallback.path))
    assert contents.member("float32.onnx") == (GOLDEN / "float32.onnx").read_bytes()
    contents.check_members()
    first, second = contents.manifest, contents.manifest.fallback
    assert [golden.file for golden in first.golden] == [golden.file for golden in second.golden]
    assert (first.tolerance, second.tolerance) == (0, 1e-6)
    shown = device(fallback.path, "info").out
    assert "float32.onnx on onnxruntime; NOT verified" in shown
    assert "fallback" not in device(int8.path, "info").out


def test_where_the_first_runs_the_fallback_is_not_asked(fallback, device):
    ran = device(fallback.path, "selftest")
    assert ran.status == 0
    assert ran.out.splitlines()[-1].startswith("PASSED: outputs of all 16 images are identical")
    assert "fallback" not in ran.out + ran.err
    assert "onnxruntime" not in ran.out


@pytest.mark.parametrize("by", ["SIGILL", "SIGSEGV", "SIGBUS"])
def test_the_selftest_tests_the_fallback_where_the_engine_crashes(fallback, device, litert, by):
    ran = device(fallback.path, "selftest", env=litert(_crash(by=by)))
    assert ran.status == 0
    said, unverified = ran.err.splitlines()
    assert said.startswith(f"warning: the engine or numpy crashed ({by}): ")
    assert said.endswith("; using the fallback float32.onnx")
    assert unverified.endswith("float32.onnx is not verified against its reference model")
    assert ran.out.splitlines()[-1].startswith(
        "PASSED: outputs of all 16 images are within 1e-06 of the workstation's "
        "(float32.onnx, the fallback for int8.tflite, "
    )


def test_the_selftest_as_json_says_which_file_answered(fallback, device, litert):
    said = json.loads(device(fallback.path, "selftest", "--json", env=litert(_crash())).out)
    assert (said["model"], said["fallback_for"]) == ("float32.onnx", "int8.tflite")
    assert json.loads(device(fallback.path, "selftest", "--json").out)["fallback_for"] == ""


@pytest.mark.parametrize("answers", [-1, 0])
def test_predict_answers_with_the_fallback(fallback, device, litert, faces, answers):
    """Whether the engine crashes at loading the model or at the first image."""
    ran = device(fallback.path, "predict", "--json", faces, env=litert(_crash(answers=answers)))
    assert ran.status == 0
    assert "; using the fallback float32.onnx" in ran.err.splitlines()[0 if answers else -2]
    expected = _answers(GOLDEN / "float32.onnx", faces)
    assert {line["file"]: line["scores"] for line in map(json.loads, ran.out.splitlines())} == (
        expected
    )


def _answers(model, faces):
    from edgeemo import Classifier

    classifier = Classifier.load(model)
    return {str(path): classifier.predict(path).scores for path in sorted(faces.iterdir())}


def test_nothing_is_answered_twice(fallback, device, litert, faces):
    """An engine that crashes after a prediction is not replaced."""
    environment = litert(_crash(answers=2))
    ran = device(fallback.path, "predict", "--workers", 1, faces, env=environment)
    assert ran.status == 1
    assert [line.split(":")[0] for line in ran.out.splitlines()] == [
        f"{faces}/0.png", f"{faces}/1.png"
    ]  # fmt: skip
    assert ran.err.splitlines()[-1] == (
        "error: the engine or numpy crashed (SIGILL): it uses instructions that this processor "
        "does not have, after its first prediction"
    )


def test_an_image_from_standard_input_is_not_lost(fallback, device, litert, faces):
    image = (faces / "1.png").open("rb")
    with image:
        environment = litert(_crash(answers=0))
        ran = device(fallback.path, "predict", "-", "--json", stdin=image, env=environment)
    expected = _answers(GOLDEN / "float32.onnx", faces)
    assert ran.status == 0
    assert json.loads(ran.out)["scores"] == expected[str(faces / "1.png")]


def test_an_engine_that_cannot_be_loaded_is_replaced(fallback, device, litert):
    ran = device(fallback.path, "selftest", env=litert("raise ImportError('GLIBC_2.38 not found')"))
    assert ran.status == 0
    assert "GLIBC_2.38 not found" in ran.err.splitlines()[0]
    assert "the fallback for int8.tflite" in ran.out


def test_an_engine_that_is_not_installed_is_replaced(fallback, device, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    for path in Path(sysconfig.get_path("platlib")).iterdir():
        if path.name.lower().startswith(("numpy", "pil", "onnxruntime", "flatbuffers")):
            (site / path.name).symlink_to(path)
    code = (
        f"import sys, runpy; sys.path += [{str(site)!r}]; sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    ran = device("-c", code, fallback.path, "selftest", python=("-I", "-S"))
    assert ran.status == 0, ran.err
    assert ran.err.splitlines()[0] == (
        "warning: ai-edge-litert is not installed; using the fallback float32.onnx"
    )


def test_where_both_crash_the_second_is_named(fallback, device, litert, tmp_path):
    environment = litert(_crash())
    package = tmp_path / "fake" / "onnxruntime"
    package.mkdir()
    (package / "__init__.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    ran = device(fallback.path, "selftest", env=environment)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.splitlines()[-1] == (
        "error: the engine or numpy crashed (SIGSEGV): the model cannot be run here (with "
        "float32.onnx, the fallback for int8.tflite)"
    )


@pytest.mark.parametrize("verb", ["selftest", "predict"])
def test_without_a_fallback_the_line_says_how_to_get_one(int8, device, litert, faces, verb):
    words = (verb, faces) if verb == "predict" else (verb,)
    ran = device(int8.path, *words, env=litert(_crash()))
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.endswith(
        "for the other engine may run: edgeemo bundle --fallback float32.onnx\n"
    )
    assert ran.err.count("\n") == 1


def test_a_fallback_has_to_be_the_same_model_for_the_other_engine(tmp_path):
    out = tmp_path / "a.pyz"
    with pytest.raises(
        BundleError, match=r"float32\.tflite: needs the same engine as int8\.tflite"
    ):
        make_bundle(
            GOLDEN / "int8.tflite", out, options=BundleOptions(fallback=GOLDEN / "float32.tflite")
        )
    spec = replace(unseal(GOLDEN / "int8.onnx").spec, labels=("sad", "happy"))
    other = tmp_path / "other.onnx"
    other.write_bytes(seal((GOLDEN / "int8.onnx").read_bytes(), spec, format="onnx"))
    with pytest.raises(
        BundleError, match=r"other\.onnx: no fallback for .*int8\.tflite: exported from"
    ):
        make_bundle(GOLDEN / "int8.tflite", out, options=BundleOptions(fallback=other))
    assert [path.name for path in tmp_path.iterdir()] == ["other.onnx"]


def test_the_tflite_comes_first_whichever_is_the_fallback(tmp_path, device):
    options = BundleOptions(fallback=GOLDEN / "float32.tflite")
    made, again = (
        make_bundle(GOLDEN / "float32.onnx", tmp_path / name, options=options)
        for name in ("a.pyz", "b.pyz")
    )
    content = made.path.read_bytes()
    assert content.index(b"float32.tflite") < content.index(b"float32.onnx")
    assert again.sha256 == made.sha256


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_ends_the_process_ends_the_guarded_one_too(fallback, start_process, number, status):
    """Not only the one in front, as `kill` and systemd see it."""
    command = [sys.executable, fallback.path, "predict", "-"]
    with start_process(command, stdin=subprocess.PIPE) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (child := children.read_text().strip()):
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(30) == status
        assert not Path(f"/proc/{child}").exists()


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("megabytes", [15, 60, 100, 120])
def test_too_little_memory_is_one_line(fallback, faces, megabytes):
    if not shutil.which("sh"):
        pytest.skip("no shell to limit the memory with")
    limited = f'ulimit -c 0; ulimit -v {megabytes * 1000}; exec "$0" "$@"'
    done = subprocess.run(
        ["sh", "-c", limited, sys.executable, fallback.path, "predict", faces],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        pytest.skip(f"{megabytes} MB are enough here")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "rror: " in done.stderr
