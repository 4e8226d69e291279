"""``live`` of a bundle, with the options of ``edgeemo live``, run as a device runs it."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import linecache
import marshal
import os
import signal
import subprocess
import sys
import time
import traceback
from threading import Timer

import pytest
from PIL import Image

from edgeemo.bundle.device.contents import Contents
from edgeemo.bundle.device.live import DeviceLiveOptions, add_options
from edgeemo.bundle.device.packed import LIVE_MODULES, _PackedModules
from edgeemo.dataset.synthetic import MOODS
from edgeemo.live.options import LiveOptions
from edgeemo.runtime.declared_options import read_declared_options
from edgeemo.utils.options import option_fields

from ..live.servers import MjpegServer

WITHOUT_VIDEO = (
    "import sys, runpy\n"
    "sys.modules.update(dict.fromkeys(['av', 'paho', 'paho.mqtt', 'typer', 'edgeemo_nothing']))\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')\n"
)


def _parse(*words):
    parser = argparse.ArgumentParser()
    add_options(parser)
    return read_declared_options(DeviceLiveOptions, parser.parse_args(words))


def test_the_options_are_those_of_the_command():
    left_out = set(option_fields(LiveOptions)) - set(_parse_all())
    assert left_out == {"html"}
    assert _parse() == {}
    assert _parse("csi", "--mask", "1,2,3,4", "--mask", "5,6,7,8", "--no-faces") == {
        "source": "csi", "mask": ("1,2,3,4", "5,6,7,8"), "faces": False,
    }  # fmt: skip
    given = _parse("--motion-gate", "--json", "--max-temp", "70", "--format", "csv")
    assert DeviceLiveOptions(**given).format.value == "csv"
    assert (given["motion_gate"], given["json"], given["max_temp"]) == (True, True, 70.0)


def _parse_all():
    parser = argparse.ArgumentParser()
    add_options(parser)
    return [action.dest for action in parser._actions]


def test_it_lists_cameras(int8, device):
    ran = device(int8.path, "live", "--list", "--json")
    assert ran.status == 0
    assert set(json.loads(ran.out)) == {"cameras", "others"}


def test_wrong_options_are_refused_with_the_rule(int8, device, tmp_path):
    ran = device(int8.path, "live", "test", "--max-fps", "0")
    assert ran.status == 2
    assert "must be more than 0 and at most 240, not 0.0" in ran.err
    (tmp_path / "live.toml").write_text('sorce = "test"\n')
    ran = device(int8.path, "live", "--config", tmp_path / "live.toml")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.endswith("live.toml: key 'sorce' is unknown; did you mean 'source'?\n")
    ran = device(int8.path, "live", "nothing.mp4")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.splitlines()[-1].startswith("error: nothing.mp4: ")


def test_the_other_commands_do_not_open_its_modules(int8, device):
    """They are one member; another Python compiles them, and a traceback shows their lines."""
    contents = Contents(str(int8.path))
    modules = marshal.loads(contents.member(LIVE_MODULES))
    assert "edgeemo.live.live" in modules
    assert not [name for name in modules if name.startswith(("edgeemo.report", "edgeemo.serve"))]
    assert not set(modules) & {"edgeemo.runtime.classifier", "edgeemo.live.face_observer"}
    code = (
        "import runpy, sys\nsys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print({'edgeemo.live', 'edgeemo.utils.options', 'pathlib'} & set(sys.modules))"
    )
    assert device(int8.path, "info", python=("-c", code)).out.endswith("set()\n")


def test_another_python_compiles_its_modules(int8, device, tmp_path, monkeypatch):
    packed = _PackedModules(
        "x.pyz", marshal.dumps({"lively": ("lively/__init__.py", b"def f():\n  1 / 0\n", b"old")})
    )
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, packed])
    lively = importlib.import_module("lively")
    assert (lively.__file__, lively.__path__) == ("x.pyz/lively/__init__.py", [])
    with pytest.raises(ZeroDivisionError) as caught:
        lively.f()
    linecache.checkcache()
    assert "1 / 0" in "".join(traceback.format_exception(caught.value))
    del sys.modules["lively"]


def test_it_predicts_without_a_video_library(int8, device, tmp_path):
    """Drawn faces; a missing package is named without an extra."""
    python = ("-c", WITHOUT_VIDEO)
    ran = device(int8.path, "live", "test", "--json", "--seconds", "0.3", python=python)
    assert ran.status == 0
    frames = [json.loads(line) for line in ran.out.splitlines()]
    assert frames[0]["passed_over"] == frames[0]["frame"] < 9
    assert frames[0]["faces"][0]["label"] in (*MOODS, "not sure")
    ran = device(int8.path, "live", "test", "--mqtt", "mqtt://host", python=python)
    assert ran.status == 1
    assert ran.err.endswith("not installed: " + sys.executable + " -m pip install paho-mqtt\n")


FAKE_CAMERA = """#!{python} -SE
import os, time
while True:
    os.write(1, bytes([90]) * (640 * 480 * 3 // 2))
    time.sleep(0.05)
"""


@pytest.mark.parametrize("source", ["csi", "http", "folder"])
def test_cameras_that_need_no_video_library(int8, device, tmp_path, source):
    words = (int8.path, "live", "--json", "--seconds", "1")
    shared = {"python": ("-c", WITHOUT_VIDEO)}
    if source == "csi":
        program = tmp_path / "rpicam-vid"
        program.write_text(FAKE_CAMERA.format(python=sys.executable))
        program.chmod(0o755)
        ran = device(*words, "csi", env={**os.environ, "PATH": str(tmp_path)}, **shared)
    elif source == "http":
        with MjpegServer() as server:
            ran = device(*words, server.url, **shared)
    else:
        timer = Timer(2, lambda: Image.linear_gradient("L").save(tmp_path / "new.jpg"))
        timer.start()
        ran = device(*words[:-1], "4", tmp_path, "--watch", **shared)
        timer.join()
    assert ran.status == 0, ran.err
    assert len([json.loads(line) for line in ran.out.splitlines()]) >= 1


def test_jpegs_on_standard_input(int8):
    jpeg = io.BytesIO()
    Image.linear_gradient("L").save(jpeg, "JPEG")
    ran = subprocess.run(
        [sys.executable, int8.path, "live", "-", "--json"],
        input=3 * jpeg.getvalue(), capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert 1 <= len(ran.stdout.splitlines()) <= 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(int8, start_process, number):
    with start_process(
        [sys.executable, int8.path, "live", "test", "--json"], stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        process.send_signal(number)
        began = time.monotonic()
        rest = process.stdout.read()
        assert process.wait() == 0
        assert time.monotonic() - began < 2
    assert all(json.loads(line) for line in rest.splitlines())
