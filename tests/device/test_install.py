"""The ways onto a Pi: a virtual environment with pip, and install.sh without internet."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from edgeemo.bundle import make_wheel_folder, wheels
from emulation.processors import A76
from emulation.user_mode import build_environment, make_python


@pytest.fixture
def fleet(model, tmp_path, monkeypatch):
    """Function (root): the folder of ``edgeemo bundle --wheels``, with the wheels of the root."""

    def made(root):
        def copied(requirements, folder, *, tag):
            assert tag == root.tag
            wanted = {each.split("==")[0].replace("-", "_") for each in requirements}
            for wheel in root.wheels.iterdir():
                if wheel.name.split("-")[0] in wanted:
                    shutil.copy(wheel, folder)

        monkeypatch.setattr(wheels, "download", copied)
        return make_wheel_folder(model("int8.tflite"), tmp_path / "fleet", tags=[root.tag]).path

    return made


@pytest.fixture
def outside(tmp_path):
    """Function (root): the variables of a Pi without internet; pip compiles nothing, for speed."""

    def variables(root):
        return {
            **build_environment(root, packages=False),
            "HOME": str(tmp_path),
            "PIP_INDEX_URL": "http://127.0.0.1:9/",
            "PIP_NO_COMPILE": "1",
        }

    return variables


def test_install_without_internet(root, fleet, outside, tmp_path):
    there = root("trixie")
    python = make_python(there, A76, tmp_path / "pi")
    done = subprocess.run(
        ["sh", fleet(there) / "install.sh"], capture_output=True, text=True, check=False,
        env={**outside(there), "PYTHON": str(python)},
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert said[0] == f"Installing into {tmp_path}/edgeemo ..."
    assert said[-2].startswith("PASSED: outputs of all 16 images are identical")
    assert "python        3.13." in done.stdout
    assert {path.name for path in (tmp_path / "edgeemo").glob("*.pyz")} == {"fleet.pyz"}
