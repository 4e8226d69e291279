"""Without what Linux alone has: on macOS and Windows, as far as Linux can show it.

A fresh Python loses the functions, signals, modules and files that the other system lacks
(`sitecustomize.py` beside this), and so do the processes that it starts. What cannot be shown here:
the paths, the locks and the packages of those systems.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeemo import Classifier
from edgeemo.model.container import seal
from edgeemo.model.folder import shipped_folder
from edgeemo.model.spec import ModelSpec

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
GOLDEN = REPOSITORY / "tests" / "golden"
PHOTO = shipped_folder().file("golden") / "photo.jpg"
SYSTEMS = pytest.mark.parametrize("system", ["darwin", "win32"])


def _run(system: str, *words, folder: Path | None = None, **variables: str) -> str:
    environment = {
        **os.environ,
        **variables,
        "SIMULATED_SYSTEM": system,
        "PYTHONPATH": str(HERE),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    shown = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


@SYSTEMS
def test_the_simulation_takes_away_what_it_should(system):
    code = (
        "import os, signal, subprocess, sys\n"
        "missing = [hasattr(os, 'sched_getaffinity'), os.path.exists('/proc/self/statm')]\n"
        "if sys.platform == 'win32': missing += [hasattr(os, 'fork'), hasattr(signal, 'SIGALRM')]\n"
        "print(sys.platform, any(missing), subprocess.call([sys.executable, '-c', '']))"
    )
    assert _run(system, "-c", code) == f"{system} False 0\n"


@SYSTEMS
def test_every_module_can_be_imported(system):
    code = (
        "import pkgutil, edgeemo; from importlib import import_module\n"
        "names = [each.name for each in pkgutil.walk_packages(edgeemo.__path__, 'edgeemo.')]\n"
        "names = [name for name in names if not name.endswith(('__main__', '.start'))]\n"
        "print(len([import_module(name) for name in names]) > 250)"
    )
    assert _run(system, "-c", code) == "True\n"


@SYSTEMS
def test_predictions_are_those_of_linux(system):
    """A verified model for faces, and one that is tried in a process of its own first."""
    code = (
        "import sys; from edgeemo import Classifier\n"
        "for model in sys.argv[2:]:\n"
        "    classifier = Classifier.load(model)\n"
        "    print([(each.scores, each.face) for each in classifier.predict_all(sys.argv[1])])\n"
        "    print(len(classifier.predict_batch([sys.argv[1]] * 8, workers=4)))"
    )
    models = ["happy-sad", GOLDEN / "int8.tflite", GOLDEN / "float32.onnx"]
    shown = _run(system, "-c", code, PHOTO, *models).splitlines()
    for model, line in zip(models, shown[::2], strict=True):
        found = Classifier.load(model).predict_all(PHOTO)
        assert line == str([(each.scores, each.face) for each in found])
    assert shown[1::2] == ["8"] * 3


@SYSTEMS
def test_the_commands_predict(system):
    expected = Classifier.load("happy-sad").predict_all(PHOTO)
    for command in (("edgeemo", "predict", "--model", "happy-sad"),
                    ("edgeemo.runtime", shipped_folder().file("int8.tflite"))):  # fmt: skip
        shown = json.loads(_run(system, "-m", *command, PHOTO, "--json"))
        assert [each["score"] for each in shown["faces"]] == [each.score for each in expected]


@SYSTEMS
def test_a_broken_model_is_refused_by_its_trial(system, tmp_path):
    path = tmp_path / "broken.onnx"
    spec = ModelSpec(labels=("a", "b"), height=8, width=8, channels=1)
    path.write_bytes(seal(b"no model", spec, format="onnx"))
    code = (
        "import sys; from edgeemo.engines.trial import _try_in_interpreter\n"
        "from edgeemo.model.container import unseal\n"
        "print(_try_in_interpreter(unseal(sys.argv[1])))"
    )
    assert "broken.onnx: the ONNX engine refuses it" in _run(system, "-c", code, path)


def test_a_bundle_is_made_and_predicts(tmp_path):
    """It is written once it has passed its self-test there."""
    code = "import edgeemo; edgeemo.bundle('happy-sad', 'face.pyz')"
    _run("win32", "-c", code, folder=tmp_path)
    assert "happy 0.9" in _run("win32", "face.pyz", "predict", PHOTO, folder=tmp_path)


@pytest.mark.tensorflow
def test_a_model_is_trained_exported_and_verified(tmp_path):
    """With nothing of Unix: macOS has more."""
    code = (
        "import os, edgeemo; from edgeemo.dataset import draw_faces\n"
        "from edgeemo.train import TrainOptions\n"
        "draw_faces('faces', count=24, size=32)\n"
        "for epochs in (1, 2):\n"
        "    options = TrainOptions(arch='cnn-16-32-16', size=32, epochs=epochs)\n"
        "    model = edgeemo.train('faces', 'models/mine', options=options, replace=True)\n"
        "options = edgeemo.export.ExportOptions(formats=('tflite',))\n"
        "edgeemo.export(model, options=options)\n"
        "print(edgeemo.verify(model).verdict)\n"
        "face = 'faces/happy/' + os.listdir('faces/happy')[0]\n"
        "print(edgeemo.Classifier.load(model).predict(face).label)\n"
        "print(sorted(os.listdir('.')), os.listdir('models'))"
    )
    shown = _run("win32", "-c", code, folder=tmp_path, SIMULATED_TRAINING="1").splitlines()
    assert shown[-3].startswith("passed: 1 file agrees")
    assert shown[-2] in ("happy", "sad")
    assert shown[-1] == "['faces', 'models'] ['mine']"
