"""What goes wrong on a Pi ends in one line; a fallback answers where an engine does not run."""

from __future__ import annotations

import json
import shutil
import sysconfig
import zipfile
import zlib
from importlib.metadata import version
from pathlib import Path

import pytest
from PIL import Image

from edgeemo import Classifier
from edgeemo.bundle import BundleOptions, make_bundle
from emulation.processors import A53, A72, A76
from emulation.root import make_overlay
from emulation.user_mode import build_environment


@pytest.fixture
def face(tmp_path):
    path = tmp_path / "face.jpg"
    Image.linear_gradient("L").resize((300, 200)).save(path)
    return path


@pytest.fixture
def copied(bundle, tmp_path):
    return Path(shutil.copy(bundle("int8.tflite"), tmp_path / "tiny.pyz"))


def _one_line(ran, status=1):
    assert (ran.returncode, ran.stdout) == (status, "")
    assert ran.stderr.count("\n") == 1, ran.stderr
    assert ran.stderr.startswith("error: ")
    return ran.stderr


def test_predict_answers_as_here(bundle, model, pi, face):
    ran = pi(A72, bundle("int8.tflite"), "predict", "--json", face)
    said = json.loads(ran.stdout)
    expected = Classifier.load(model("int8.tflite")).predict(face)
    assert (ran.returncode, said["label"], said["scores"]) == (0, expected.label, expected.scores)


def test_info_needs_nothing_but_python(bundle, pi):
    ran = pi(A53, bundle("int8.tflite"), "info", packages=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Cortex-A53" in ran.stdout
    assert "Debian GNU/Linux 12 (bookworm)" in ran.stdout


def test_missing_packages_are_named_with_the_line_to_type(bundle, pi):
    said = _one_line(pi(A72, bundle("int8.tflite"), "selftest", packages=False))
    assert said.startswith("error: numpy, pillow and ai-edge-litert are not installed: sudo apt ")
    assert f"pip install numpy=={version('numpy')} pillow=={version('pillow')}" in said


def test_a_changed_byte_and_a_file_cut_short(copied, pi, face):
    content = copied.read_bytes()
    place = content.index(b"edgeemo/model/spec.py") + 500
    copied.write_bytes(content[:place] + b"#" + content[place + 1 :])
    assert "damaged" in _one_line(pi(A72, copied, "predict", face, packages=False))
    copied.write_bytes(content[: len(content) // 2])
    ran = pi(A72, copied, "predict", face, packages=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "cut short: copy it again" in ran.stderr


def test_another_answer_names_the_stage(copied, pi):
    """One golden image for each stage: this is a test that the tests beside it can fail."""
    with zipfile.ZipFile(copied) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members["manifest.json"])
    golden = manifest["golden"]
    golden[0]["outputs"] = [golden[0]["outputs"][0] + 1 / 256]
    golden[1]["pixels_sha256"] = golden[2]["pixels_sha256"]
    golden[3]["pixels_sha256"] = golden[3]["decoded_sha256"] = golden[2]["decoded_sha256"]
    with zipfile.ZipFile(copied, "w") as archive:
        for name, content in {**members, "manifest.json": json.dumps(manifest)}.items():
            archive.writestr(name, content)
        archive.comment = b"0" * 8
    whole = copied.read_bytes()[:-8]
    copied.write_bytes(whole + b"%08x" % zlib.crc32(whole))
    ran = pi(A72, copied, "selftest")
    assert ran.returncode == 3
    *_, first, second, third, verdict = ran.stdout.splitlines()
    assert first.startswith(f"  {golden[0]['file']}: engine differs; output ")
    assert second.startswith(f"  {golden[1]['file']}: resizing differs; ")
    assert third.startswith(f"  {golden[3]['file']}: image decoding differs; ")
    assert verdict.startswith("FAILED: results of 3 of 16 images differ from the workstation's in ")


def test_wheels_of_another_processor(bundle, pi):
    """As when an environment was copied from the workstation."""
    site = sysconfig.get_path("platlib")
    ran = pi(A72, bundle("int8.tflite"), "selftest", environment={"PYTHONPATH": site})
    assert "numpy is installed but cannot be loaded: " in _one_line(ran)


def test_an_engine_of_another_processor(bundle, pi, root, tmp_path):
    here = Path(sysconfig.get_path("platlib"))
    (tmp_path / "ai_edge_litert").symlink_to(here / "ai_edge_litert")
    site = build_environment(root("bookworm"))["PYTHONPATH"]
    environment = {"PYTHONPATH": f"{tmp_path}:{site}"}
    ran = pi(A72, bundle("int8.tflite"), "selftest", environment=environment)
    assert "ai-edge-litert is installed but cannot be loaded: " in _one_line(ran)


def test_a_full_card(bundle, pi, face):
    with Path("/dev/full").open("w") as full:
        ran = pi(A72, bundle("int8.tflite"), "predict", face, stdout=full)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == "error: standard output: No space left on device"


@pytest.fixture
def wrong(root, tmp_path):
    """A root whose /proc/cpuinfo promises instructions that a Cortex-A53 does not have."""
    if not Path("/sys/devices/system/cpu").is_dir():
        pytest.skip("without /sys the engine does not ask for the processor's instructions")
    make_overlay(root("bookworm").path, tmp_path / "wrong", A76.render_cpuinfo())
    return tmp_path / "wrong"


def test_an_instruction_that_the_processor_lacks(bundle, pi, wrong, face):
    ran = pi(A53, bundle("int8.tflite"), "predict", face, prefix=wrong)
    assert (ran.returncode, ran.stdout) == (1, "")
    *_, said = ran.stderr.splitlines()
    assert said == (
        "error: the engine or numpy crashed (SIGILL): it uses instructions that this processor "
        "does not have; a bundle with a file for the other engine may "
        "run: edgeemo bundle --fallback float32.onnx"
    )


def test_the_fallback_is_used_where_the_engine_crashes(model, pi, wrong, face, tmp_path):
    made = make_bundle(
        model("int8.tflite"),
        tmp_path / "two.pyz",
        options=BundleOptions(fallback=model("float32.onnx")),
    )
    tested = pi(A53, made.path, "selftest", prefix=wrong)
    assert tested.returncode == 0, tested.stderr
    assert tested.stdout.splitlines()[-1].startswith(
        "PASSED: outputs of all 16 images are within 1e-06 of the workstation's "
        "(float32.onnx, the fallback for int8.tflite, "
    )
    ran = pi(A53, made.path, "predict", "--json", face, prefix=wrong)
    expected = Classifier.load(model("float32.onnx")).predict(face)
    assert json.loads(ran.stdout)["scores"] == pytest.approx(expected.scores, rel=0, abs=1e-6)
    assert "SIGILL" in ran.stderr
    assert "; using the fallback float32.onnx" in ran.stderr
