"""``edgeemo doctor``: what is installed, what is missing, and the machine."""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from edgeemo.errors import EngineError
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils import cameras, installation
from edgeemo.utils.installation import list_extras


@pytest.fixture
def lacking(monkeypatch):
    """Function (package): pretend that a package is not installed."""

    def lack(package):
        find = metadata.version

        def version(name):
            if name == package:
                raise metadata.PackageNotFoundError(name)
            return find(name)

        monkeypatch.setattr(metadata, "version", version)

    return lack


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Function (nodes): pretend that these are the video nodes, as (name, index) by number."""

    def pretend(nodes):
        for number, (name, index) in nodes.items():
            folder = tmp_path / "sysfs" / f"video{number}"
            folder.mkdir(parents=True)
            (folder / "name").write_text(f"{name}\n")
            (folder / "index").write_text(f"{index}\n")
            (tmp_path / f"video{number}").touch()
        found = cameras.list_video_nodes(tmp_path / "sysfs", tmp_path)
        monkeypatch.setattr(cameras, "list_video_nodes", lambda: found)
        return found

    return pretend


def test_the_facts_of_this_installation(edgeemo):
    shown = edgeemo("doctor")
    assert shown.status == 0
    assert sys.executable in shown.out
    assert "numpy " in shown.out
    assert "ai-edge-litert " in shown.out
    found = json.loads(edgeemo("doctor", "--json").out)
    assert found["free_disk_bytes"] > 0
    assert found["problem"] == ""
    assert found["extras"][0]["extra"] == ""
    assert set(found["extras"][0]["installed"]) == {"numpy", "pillow", "ai-edge-litert", "typer"}


def test_every_extra_says_what_it_is_for():
    text = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    assert {"", *extras} == set(installation._PURPOSES)


def test_a_missing_extra_comes_with_the_command_of_this_interpreter(edgeemo, lacking):
    lacking("optuna")
    shown = edgeemo("doctor")
    assert shown.status == 0
    assert "optuna missing" in shown.out
    lines = shown.out.splitlines()
    command = lines[lines.index("tune lacks optuna:") + 1]
    assert command.startswith(f"{sys.executable} -m pip install -e ")
    assert "[tune]" in command
    (tune,) = [each for each in list_extras() if each.extra == "tune"]
    assert (tune.missing, tune.command) == (("optuna",), command)


def test_a_missing_package_of_every_installation_is_a_warning(edgeemo, lacking):
    lacking("pillow")
    shown = edgeemo("doctor", "-q")
    assert f"warning: pillow missing: {sys.executable} -m pip install pillow" in shown.err


def test_codec_nodes_of_a_pi_are_no_cameras(edgeemo, machine):
    nodes = machine(
        {
            0: ("unicam-image", 0),
            1: ("unicam-embedded", 1),
            2: ("HD Webcam C525", 0),
            3: ("HD Webcam C525", 1),
            10: ("bcm2835-codec-decode", 0),
            13: ("bcm2835-isp-output0", 0),
            19: ("rpi-hevc-dec", 0),
            20: ("pispbe-input", 0),
        }
    )
    kinds = [node.kind for node in nodes]
    assert kinds == ["CSI camera", "metadata", "USB camera", "metadata", *["codec"] * 4]
    shown = edgeemo("doctor")
    assert "HD Webcam C525" in shown.out
    assert "bcm2835" not in shown.out
    found = json.loads(edgeemo("doctor", "--json").out)["video_nodes"]
    assert [node["is_camera"] for node in found] == [True, False, True, *[False] * 5]


def test_only_codec_nodes_are_no_camera(edgeemo, machine):
    machine({10: ("bcm2835-codec-decode", 0), 11: ("bcm2835-codec-encode", 0)})
    assert "no camera (2 codec nodes are no camera)" in edgeemo("doctor").err


def test_a_model_that_does_not_predict_is_an_error(edgeemo, monkeypatch):
    def fail(*_, **__):
        raise EngineError("the engine is broken")

    monkeypatch.setattr(Classifier, "load", fail)
    shown = edgeemo("doctor", "--json")
    assert shown.status == 1
    problem = "the included model does not predict: the engine is broken"
    assert json.loads(shown.out)["problem"] == problem
    assert shown.err.endswith(f"error: {problem}\n")


def test_little_free_disk_is_a_warning(edgeemo, monkeypatch):
    usage = shutil.disk_usage(".")._replace(free=50_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert "warning: 50.0 MB of free disk here" in edgeemo("doctor").err
