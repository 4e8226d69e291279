"""`edgeemo.errors`: the exit status of each error, and the command that installs an extra."""

import inspect
import os
import re
import sys
from pathlib import Path

import pytest

from edgeemo import errors
from edgeemo.errors import MissingExtraError, install_command

_BRANCH = re.compile(r"^    ([│ ]*[├└]── )(\w+)(?: +(\d)$)?", re.MULTILINE)
_CHECKOUT = Path(__file__).parents[1]


def test_the_tree_is_that_of_the_classes():
    tree = {"EdgeEmoError": ("Exception", 1)}
    above = ["EdgeEmoError"]
    for indent, name, status in _BRANCH.findall(errors.__doc__):
        del above[len(indent) // 4 :]
        tree[name] = (above[-1], int(status or tree[above[-1]][1]))
        above.append(name)
    del tree["CrashError"]  # of a package further up
    assert tree == {
        one.__name__: (one.__bases__[0].__name__, one.exit_code)
        for one in vars(errors).values()
        if inspect.isclass(one) and issubclass(one, Exception)
    }


@pytest.mark.parametrize(
    ("checkout", "here", "command"),
    [
        (False, ".", "-m pip install 'edgeemo[onnx]'"),
        (True, ".", "-m pip install -e '.[onnx]'"),
        (True, "/", "-m pip install -e '{root}[onnx]'"),
    ],
)
def test_the_command_fits_the_place(checkout, here, command, tmp_path, monkeypatch):
    if checkout:
        (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(errors, "__file__", str(tmp_path / "edgeemo" / "errors.py"))
    monkeypatch.chdir(tmp_path / here)
    monkeypatch.setattr(sys, "executable", "/my python/bin/python")
    error = MissingExtraError("onnxruntime", extra="onnx", purpose="running an .onnx file")
    command = command.format(root=tmp_path)
    assert str(error) == (
        "running an .onnx file needs onnxruntime, which is not installed: "
        f"'/my python/bin/python' {command}"
    )


def test_a_package_of_every_install_is_installed_by_its_name():
    assert install_command("ai-edge-litert") == f"{sys.executable} -m pip install ai-edge-litert"


def test_this_checkout_is_found(monkeypatch):
    monkeypatch.chdir(os.fspath(_CHECKOUT))
    assert install_command("optuna", extra="tune").endswith("pip install -e '.[tune]'")
