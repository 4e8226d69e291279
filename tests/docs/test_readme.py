"""The commands of README.md, then those that docs/getting-started.md adds, run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from edgeemo.dataset import draw_faces
from edgeemo.model.keras import import_keras

pytestmark = pytest.mark.tensorflow

README = Path(__file__).resolve().parents[2] / "README.md"
PAGES = (README, README.parent / "docs" / "getting-started.md")


def _blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def _commands(page: Path) -> list[str]:
    """The lines of a page's shell blocks that call edgeemo or its runtime."""
    lines = "".join(_blocks(page, "sh")).replace("\\\n", "").splitlines()
    commands = [re.sub(r"\s+#.*", "", line).strip() for line in lines]
    return [line for line in commands if re.match(r"(edgeemo|python3? -m edgeemo)", line)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """What the pages take for granted: a folder of faces, an image, a model of one's own."""
    folder = tmp_path_factory.mktemp("reader")
    draw_faces(folder / "faces", count=40, size=64, seed=5)
    Image.open(next((folder / "faces" / "happy").iterdir())).convert("RGB").save(
        folder / "face.jpg"
    )
    keras = import_keras()
    network = [
        keras.Input((64, 64, 3)),
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    keras.Sequential(network).save(folder / "my_model.keras")
    return folder


def test_the_commands_do_what_the_pages_say(place, edgeemo, monkeypatch, quick_bench, quick_auto):
    """Those that are more than `edgeemo` and words by a shell, the others in this process."""
    commands = dict.fromkeys(command for page in PAGES for command in _commands(page))
    assert len(commands) >= 14
    monkeypatch.chdir(place)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    shell = [command for command in commands if _needs_shell(command)]
    assert 0 < len(shell) < 4
    for command in commands:
        if command in shell:
            ran = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, f"{command}\n{ran.stderr}"
        else:
            shown = edgeemo(*shlex.split(command)[1:])
            assert shown.status == 0, f"{command}\n{shown.err}"


def _needs_shell(command: str) -> bool:
    return re.search(r"^python|[|<>&;$*?~]", command) is not None


def test_the_python_example_runs(place):
    (example,) = _blocks(README, "python")
    model = place / "models" / "mine"
    if not (model / "int8.tflite").exists():
        model.mkdir(parents=True, exist_ok=True)
        shutil.copy(README.parent / "tests" / "golden" / "int8.tflite", model)
    subprocess.run([sys.executable, "-c", example], cwd=place, check=True, capture_output=True)
