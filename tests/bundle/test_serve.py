"""``serve`` of a bundle, run as a device runs it: the page, and the predictions of ``predict``."""

from __future__ import annotations

import argparse
import json
import marshal
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import edgeemo.serve
from edgeemo.bundle.device.contents import Contents
from edgeemo.bundle.device.packed import LIVE_MODULES, SERVE_MODULES
from edgeemo.bundle.device.serve import add_options
from edgeemo.cli.commands.serve import AllServeOptions
from edgeemo.cli.options.faces import FaceArguments
from edgeemo.serve.constants import OPENAPI, PAGE_FILES
from edgeemo.serve.options import NOT_SERVED
from edgeemo.utils.options import option_fields

PAGE = Path(edgeemo.serve.__file__).parent / "page"
OLD_UVICORN = (
    "import sys, runpy\n"
    "sys.modules['uvicorn.protocols.websockets.websockets_sansio_impl'] = None\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')\n"
)
NO_PACKAGES = OLD_UVICORN.replace(
    "modules['uvicorn.protocols.websockets.websockets_sansio_impl'] = None",
    "modules.update(dict.fromkeys(['starlette', 'uvicorn', 'typer']))",
)


def _ask(url, content=None):
    with urllib.request.urlopen(urllib.request.Request(url, content), timeout=20) as response:
        return response.read()


def test_the_options_are_those_of_the_command():
    parser = argparse.ArgumentParser()
    add_options(parser)
    left_out = set(option_fields(AllServeOptions)) - {each.dest for each in parser._actions}
    of_the_model = {"model", *option_fields(FaceArguments)} - {"faces"}
    assert left_out == {*NOT_SERVED} | of_the_model


def test_all_files_of_the_page_are_there_and_modules_only_once(int8):
    assert sorted(path.name for path in PAGE.iterdir()) == sorted(PAGE_FILES)
    contents = Contents(str(int8.path))
    live, serve = (marshal.loads(contents.member(name)) for name in (LIVE_MODULES, SERVE_MODULES))
    assert "edgeemo.serve.server" in serve
    assert not set(live) & set(serve)
    assert not [name for name in serve if name.startswith(("edgeemo.report", "edgeemo.cli"))]


def test_missing_and_old_packages_are_one_line(int8, device):
    pip = f"{sys.executable} -m pip install"
    ran = device(int8.path, "serve", "test", python=("-c", NO_PACKAGES))
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == (
        "error: 'serve' needs starlette and uvicorn, which are not installed: "
        f"{pip} starlette uvicorn\n"
    )
    ran = device(int8.path, "serve", "test", python=("-c", OLD_UVICORN))
    assert (ran.status, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert f": {pip} --upgrade starlette uvicorn websockets python-multipart" in ran.err


def test_it_serves_the_page_the_camera_and_the_predictions_of_predict(
    int8, device, start_process, tmp_path
):
    image = tmp_path / "face.jpg"
    image.write_bytes((PAGE / "sample.jpg").read_bytes())
    predicted = json.loads(device(int8.path, "predict", "--json", image).out)
    command = [sys.executable, int8.path, "serve", "test", "--port", "0"]
    with start_process(command, stderr=subprocess.PIPE, text=True) as process:
        lines = iter(process.stderr.readline, "")
        url = next(found[1] for line in lines if (found := re.search(r" at (http\S+)", line)))
        assert _ask(url) == (PAGE / "index.html").read_bytes()
        for name in set(PAGE_FILES) - {"index.html", "login.html"}:
            assert _ask(f"{url}page/{name}") == (PAGE / name).read_bytes()
        assert _ask(f"{url}{OPENAPI}") == (PAGE.parent / OPENAPI).read_bytes()
        assert json.loads(_ask(f"{url}v1/state"))["source"]["state"] == "live"
        info = json.loads(_ask(f"{url}v1/info"))
        assert info["models"] == [info["model"]["name"]] == ["tiny.pyz/int8.tflite"]
        served = json.loads(_ask(f"{url}v1/predict", image.read_bytes()))["images"][0]
        for each in (served, predicted):
            del each["ms"], each["file"]
        assert served == predicted
        process.send_signal(signal.SIGTERM)
        assert "Traceback" not in process.stderr.read()
        assert process.wait() == 0
