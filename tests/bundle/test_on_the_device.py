"""Bundles run as a device runs them: a fresh interpreter, its exit status and what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
import zlib
from importlib.metadata import version
from pathlib import Path

import pytest
from PIL import Image

SELFTEST_FACTS = {"model", "python", "packages", "images", "predictions", "time"}


@pytest.fixture
def face(tmp_path):
    path = tmp_path / "face.png"
    Image.linear_gradient("L").save(path)
    return path


def _resealed(content: bytes) -> bytes:
    """A changed file whose checksum was computed again."""
    return content[:-8] + b"%08x" % zlib.crc32(content[:-8])


def test_the_selftest_passes_where_the_bundle_was_made(int8, device):
    ran = device(int8.path, "selftest", "--threads", 2)
    assert ran.status == 0
    *facts, verdict = ran.out.splitlines()
    assert {line.split()[0] for line in facts} >= SELFTEST_FACTS
    assert "16 of 16 preprocessed to the same bytes" in ran.out
    assert verdict.startswith(
        "PASSED: outputs of all 16 images are identical to the workstation's (int8.tflite, "
    )
    assert (
        ran.err == f"warning: {int8.path}/int8.tflite is not verified against its reference model\n"
    )


def test_the_selftest_as_json(int8, device):
    ran = device(int8.path, "selftest", "--json")
    said = json.loads(ran.out)
    assert said["passed"] is True
    assert said["verified"] is False
    assert len(said["checks"]) == 16
    assert all(check["outputs"] == check["expected"] for check in said["checks"])
    assert said["versions"] == said["built_with"]


def test_it_runs_by_itself_from_anywhere_without_edgeemo(int8, device, tmp_path):
    """No edgeemo is installed there, and nothing can be written."""
    paths = [path for path in sys.path if path.endswith("site-packages")]
    code = (
        f"import sys, runpy; sys.path += {paths!r}; sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    ran = device("-c", code, int8.path, "selftest", python=("-I", "-S"), cwd=tmp_path)
    assert ran.status == 0, ran.err
    assert list(tmp_path.iterdir()) == []


def test_predict_answers_and_reports(int8, device, face, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"hello")
    ran = device(int8.path, "predict", face, tmp_path / "bad.jpg")
    assert ran.status == 1
    assert ran.out.startswith(f"{face}: sad 0.")
    assert ran.err.splitlines()[1] == (
        f"error: {tmp_path}/bad.jpg: not an image (JPEG, PNG, BMP, WEBP, GIF)"
    )
    ran = device(int8.path, "predict", "--json", tmp_path)
    answers = [json.loads(line) for line in ran.out.splitlines()]
    assert [set(answer) for answer in answers] == [
        {"file", "error", "ms"}, {"file", "label", "score", "scores", "ms"}
    ]  # fmt: skip


def test_predict_answers_as_the_installed_runtime_does(int8, device, face):
    from edgeemo import Classifier
    from edgeemo.bundle.device.contents import Contents

    model = face.with_name("int8.tflite")
    model.write_bytes(Contents(str(int8.path)).member("int8.tflite"))
    expected = Classifier.load(model).predict(face)
    said = json.loads(device(int8.path, "predict", "--json", face).out)
    assert (said["label"], said["scores"]) == (expected.label, expected.scores)


def test_info_needs_nothing_but_python(int8, device):
    ran = device(int8.path, "info", python=("-I", "-S"))
    assert ran.status == 0
    assert "happy, sad" in ran.out
    assert "NOT verified" in ran.out
    said = json.loads(device(int8.path, "info", "--json", python=("-I", "-S")).out)
    assert said["spec"]["labels"] == ["happy", "sad"]
    assert said["model_sha256"]


@pytest.mark.parametrize("verb", ["selftest", "predict"])
def test_missing_packages_are_named_with_the_line_to_type(int8, device, verb):
    words = (verb, "x.jpg") if verb == "predict" else (verb,)
    ran = device(int8.path, *words, python=("-I", "-S"))
    assert ran.status == 1
    assert ran.out == ""
    assert ran.err.startswith("error: numpy, pillow and ai-edge-litert are not installed: ")
    assert f"pip install numpy=={version('numpy')} pillow==" in ran.err
    assert ran.err.count("\n") == 1


def test_a_package_that_does_not_load_is_named_with_the_reason(int8, device, tmp_path):
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "interpreter.py").write_text(
        'raise ImportError("version `GLIBC_2.34\' not found (required by it)")'
    )
    ran = device(int8.path, "selftest", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert ran.status == 1
    assert ran.err == (
        "error: ai-edge-litert is installed but cannot be loaded: version `GLIBC_2.34' not found "
        "(required by it); it needs a 64-bit Debian 12 (bookworm), Raspberry Pi OS 12 or newer; "
        "a bundle with a file for the other engine may run: edgeemo bundle --fallback "
        "float32.onnx\n"
    )


@pytest.mark.parametrize(
    ("crash", "said"),
    [
        ("SIGILL", "uses instructions that this processor does not have"),
        ("SIGKILL", "probably out of memory"),
        ("SIGSEGV", "the model cannot be run here"),
    ],
)
def test_a_crash_of_the_engine_ends_in_one_line(int8, device, tmp_path, crash, said):
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "interpreter.py").write_text(
        f"import os, signal; os.kill(os.getpid(), signal.{crash})"
    )
    ran = device(int8.path, "selftest", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert ran.status == 1
    assert crash in ran.err
    assert said in ran.err.splitlines()[-1]


def test_too_old_a_python_is_told_so_before_anything_else(int8, device):
    code = (
        "import sys, runpy; sys.version_info = (3, 9, 2); sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    ran = device("-c", code, int8.path, "selftest")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == (
        "error: this bundle needs Python 3.11 or newer (Raspberry Pi OS 12, Debian 12); "
        "this is Python 3.9\n"
    )


@pytest.mark.parametrize("place", [-0.02, 0.0, 0.03, 0.2, 0.5, 0.7, 0.9])
def test_a_changed_byte_is_noticed_before_anything_is_answered(copied, device, face, place):
    """The model's (-0.02) and everything's, but for the part that checks."""
    content = bytearray(copied.read_bytes())
    begin = content.index(b"edgeemo/")
    end = content.index(b"manifest.json") + 5000  # what follows is the directory: Python reads it
    content[begin + int((end - begin) * place)] ^= 0x10
    copied.write_bytes(content)
    ran = device(copied, "predict", face)
    assert (ran.status, ran.out) == (1, "")
    assert "copy the bundle again" in ran.err


@pytest.mark.parametrize("kept", [0.001, 0.3, 0.5, 0.9, 0.999, 1.0])
def test_a_file_that_was_cut_short_says_so(copied, device, face, kept):
    content = copied.read_bytes()
    copied.write_bytes(content[: min(int(len(content) * kept), len(content) - 1)])
    ran = device(copied, "predict", face)
    assert (ran.status, ran.out) == (1, "")
    assert "copy it again" in ran.err or "copy the bundle again" in ran.err
    assert len(ran.err.splitlines()) <= 4


def test_a_file_that_was_cut_right_behind_the_model_answers_nothing(copied, device, face):
    """Python takes the archive at the model's end for the bundle's, and says so in its words."""
    copied.write_bytes(copied.read_bytes()[:30_000])
    ran = device(copied, "predict", face)
    assert (ran.status, ran.out) == (1, "")
    assert "can't find '__main__' module" in ran.err


def test_something_appended_is_noticed(copied, device):
    copied.write_bytes(copied.read_bytes() + b"\n")
    ran = device(copied, "info")
    assert ran.status == 1
    assert "damaged" in ran.err


def test_a_member_swapped_with_care_is_noticed_by_the_selftest(copied, device, tmp_path):
    """Even where the checksum of the whole was computed again."""
    swapped = tmp_path / "swapped.pyz"
    with zipfile.ZipFile(copied) as old, zipfile.ZipFile(swapped, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read("golden/02.png" if name == "golden/06.png" else name))
        new.comment = b"0" * 8
    swapped.write_bytes(_resealed(swapped.read_bytes()))
    ran = device(swapped, "selftest")
    assert ran.status == 1
    assert ran.err.splitlines()[-1].endswith(
        "swapped.pyz: golden/06.png was changed; copy the bundle or make it again"
    )


def test_an_unpacked_bundle_is_refused(copied, device, tmp_path):
    with zipfile.ZipFile(copied) as archive:
        archive.extractall(tmp_path / "unpacked")
    ran = device(tmp_path / "unpacked", "selftest")
    assert ran.status == 1
    assert "run the .pyz file itself" in ran.err


def test_wrong_usage_and_a_full_card(int8, device, face):
    assert device(int8.path).status == 2
    assert device(int8.path, "selftest", "--threads", "0").status == 2
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, int8.path, "predict", face]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: No space left on device"


def test_a_folder_without_images_is_an_error(int8, device, tmp_path):
    ran = device(int8.path, "predict", tmp_path)
    assert ran.status == 1
    assert "no image found" in ran.err
