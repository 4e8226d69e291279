"""A Pi answers as the workstation does: preprocessing to the byte, int8 to the bit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from edgeemo.bundle import make_bundle
from edgeemo.bundle.device.contents import Contents
from edgeemo.model.folder import shipped_folder
from emulation.processors import A72

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
REPOSITORY = str(GOLDEN.parents[1])
NAMES = {"cortex-a53": "Cortex-A53", "cortex-a72": "Cortex-A72", "cortex-a76": "Cortex-A76"}
TINY = ("float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx")
SPECS = [
    {"height": 48, "width": 48, "channels": 1},
    {"height": 64, "width": 40, "channels": 3},
]
MILLIONTH = 1e-6

VECTORS = """
import hashlib, json, sys
import numpy as np
sys.path.append(sys.argv[1])
from edgeemo import Classifier
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.spec import ModelSpec

asked = json.loads(sys.argv[2])
answers, arrays = {}, {}
for path in asked["models"]:
    model = Classifier.load(path)
    pixels = [np.random.default_rng(seed).integers(0, 256, model.spec.input_shape, np.uint8)
              for seed in range(8)]
    answers[path] = [model.engine.run(each)[0] for each in pixels]
for number, fields in enumerate(asked["specs"]):
    spec = ModelSpec(labels=("happy", "sad"), **fields)
    for path in asked["images"]:
        array = preprocess(path, spec)
        arrays[f"{number} {path}"] = hashlib.sha256(array.tobytes()).hexdigest()
json.dump({"answers": answers, "arrays": arrays}, sys.stdout)
"""


FORKED = """
import json, os, runpy, sys
import numpy, PIL.Image, PIL.JpegImagePlugin, PIL.PngImagePlugin

ran = []
for path in sys.argv[1:]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 1)
        os.close(writing)
        sys.argv[1:] = ["selftest", "--json"]
        runpy.run_path(path, run_name="__main__")
        sys.exit()
    os.close(writing)
    with open(reading) as stream:
        printed = stream.read()
    ran.append([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), printed])
print(json.dumps(ran))
"""
"""Selftests of bundles, one after the other, in children of one process that has loaded numpy."""
FORKED_NAMES = (*TINY[2:], *(f"made-{kind}.tflite" for kind in ("float32", "float16", "dynamic")))


@pytest.fixture(scope="module")
def forked(bundle, pis):
    """Processor to the selftests of FORKED_NAMES there, finished."""
    found = pis("-c", FORKED, *map(bundle, FORKED_NAMES))
    return {
        processor: dict(zip(FORKED_NAMES, json.loads(ran.stdout), strict=True))
        for processor, ran in found.items()
    }


def test_a_bundle_proves_itself_on_every_pi(bundle, pis):
    for processor, ran in pis(bundle("int8.tflite"), "selftest", "--json").items():
        _proved("int8.tflite", processor, ran)


@pytest.mark.parametrize("name", FORKED_NAMES)
def test_bundles_of_other_kinds_prove_themselves_on_every_pi(name, forked):
    for processor, selftests in forked.items():
        _proved(name, processor, subprocess.CompletedProcess([name], *selftests[name], ""))


def test_a_bundle_proves_itself_on_the_next_debian(bundle, pi):
    """The other engine does so in `test_install`."""
    ran = pi(A72, bundle("int8.onnx"), "selftest", "--json", release="trixie")
    said = _proved("int8.onnx", A72, ran)
    assert said["machine"]["python"].startswith("3.13.")
    assert "trixie" in said["machine"]["system"]


def test_the_model_that_comes_along_proves_itself_on_every_pi(root, pis, tmp_path):
    """Its golden images, and a photo in which its faces are found."""
    root("bookworm")  # skips where there is nothing to run it on
    made = make_bundle(shipped_folder().file("int8.tflite"), tmp_path / "happy-sad.pyz")
    for processor, ran in pis(made.path, "selftest", "--json").items():
        said = _proved("int8.tflite", processor, ran, images=17)
        assert said["verified"]
        assert [len(check["faces"]) for check in said["checks"] if check["faces"]] == [2]


def _proved(name, processor, ran, *, images=16):
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = json.loads(ran.stdout)
    assert said["machine"]["processor"] == NAMES[processor.name]
    assert said["machine"]["architecture"] == "aarch64, 64-bit Python"
    assert len(said["checks"]) == images
    assert {check["differs"] for check in said["checks"]} == {None}
    allowed = 0 if name.startswith("int8.") else MILLIONTH
    for check in said["checks"]:
        assert check["outputs"] == pytest.approx(check["expected"], rel=0, abs=allowed)
    return said


def test_golden_vectors_and_exact_arrays(pis, bundle, noise, tmp_path):
    """Outside of a bundle: the recorded answers of the tiny models, and images of every kind."""
    asked = {
        "models": [str(GOLDEN / name) for name in TINY],
        "specs": SPECS,
        "images": _images(bundle("int8.tflite"), noise, tmp_path),
    }
    words = ["-c", VECTORS, REPOSITORY, json.dumps(asked)]
    here = json.loads(subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=True
    ).stdout)  # fmt: skip
    assert len(set(here["arrays"].values())) == len(SPECS) * 17
    recorded = json.loads((GOLDEN / "answers.json").read_text())
    for ran in pis(*words).values():
        there = json.loads(ran.stdout)
        assert there["arrays"] == here["arrays"]
        for path in asked["models"]:
            name, answers = Path(path).name, there["answers"][path]
            assert answers == pytest.approx(recorded[name], rel=0, abs=MILLIONTH)
            if name.startswith("int8."):
                assert answers == here["answers"][path]


def _images(bundle, noise, folder):
    """The golden images of a bundle, and a large one."""
    contents = Contents(str(bundle))
    (folder / "golden").mkdir()
    for golden in contents.manifest.golden:
        (folder / golden.file).write_bytes(contents.member(golden.file))
    Image.fromarray(noise).save(folder / "golden" / "large.jpg")
    return [str(path) for path in sorted((folder / "golden").iterdir())]
