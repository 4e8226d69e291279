"""What every command prints: at 80 and 40 columns, in a pipe, as JSON and with --quiet."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

import edgeemo.bench
import edgeemo.bundle
import edgeemo.dataset.review
import edgeemo.export
import edgeemo.tune
import edgeemo.verify
from edgeemo.bundle import BundleOptions, make_bundle
from edgeemo.dataset import draw_faces
from edgeemo.model import signature, signing
from edgeemo.train import training
from edgeemo.utils import system
from edgeemo.utils.files import sha256_file
from edgeemo.utils.serialize import to_plain

from ..bench.conftest import report, result
from .results_by_hand import make_exported, make_found, make_trained, make_verification

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
LONG = "a-folder-with-a-name-that-is-longer-than-forty-columns"

LINES = [
    "train --data faces --out models/new",
    f"train --data faces --out models/{LONG}",
    "tune --data faces --out models/new",
    "tune --data faces --search-only",
    "recipes",
    "export models/mine",
    "verify models/mine",
    "predict faces/happy --model models/mine",
    f"predict {LONG} --model models/mine --no-faces",
    "evaluate models/mine --data faces",
    f"evaluate models/mine --data {LONG}",
    "compare models/mine/int8.tflite models/mine/float32.tflite --data faces",
    "models",
    "doctor",
    "info",
    "info models/mine",
    "info models/mine/int8.tflite",
    "bench models/mine/int8.tflite",
    "bench models/mine --from pi.json --compare pi.json --pick",
    "bundle models/mine",
    "sign models/mine/int8.tflite models/mine/float32.tflite --key key.pem",
    "verify-signature models/mine/int8.tflite --key public.pem",
    "data check faces",
    f"data check {LONG} --html page.html",
    "data review faces --no-browser",
    f"data review {LONG} --no-browser",
    "data clean faces --out clean --force",
    "data split faces --out split --force",
    "data crop faces --out crops --force",
    "data draw drawn --count 4 --size 32 --force",
]


_EMPTY = {"shortcut"}
"""Headings of columns without a cell here, which a list leaves out."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with images, a model folder, measurements, and a bundle."""
    folder = tmp_path_factory.mktemp("inputs")
    draw_faces(folder / "faces", count=24, size=32, seed=3)
    shutil.copytree(folder / "faces", folder / LONG)
    shutil.copy(folder / "faces/happy/happy-0000.jpg", folder / LONG / "happy/copy.jpg")
    mine = folder / "models" / "mine"
    mine.mkdir(parents=True)
    for name in ("float32.tflite", "int8.tflite"):
        shutil.copy(GOLDEN / name, mine)
    entry = {
        "sha256": sha256_file(GOLDEN / "int8.tflite"),
        "passed": True,
        "measured": {"accuracy": {"candidate": {"value": 0.9, "low": 0.8, "high": 0.95}}},
    }
    (mine / "verify.json").write_text(json.dumps({"files": [entry]}))
    _write_spec(mine)
    (folder / "pi.json").write_text(json.dumps(to_plain(_measure())))
    return folder


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    out = tmp_path_factory.mktemp("bundled") / "mine.pyz"
    return make_bundle(GOLDEN / "int8.tflite", out, options=BundleOptions())


@pytest.fixture
def here(inputs, bundled, tmp_path, monkeypatch):
    """A working directory with all of it, where what takes long returns at once."""
    shutil.copytree(inputs, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    exported, usage = make_exported(Path("models/mine")), shutil.disk_usage(".")
    for module, name, value in (
        (training, "train", lambda data, out, **_: make_trained(out)),
        (
            edgeemo.tune,
            "tune",
            lambda job, **_: make_found(make_trained(job.out) if job.out else None),
        ),
        (edgeemo.export, "export", lambda *_, **__: exported),
        (edgeemo.verify, "verify", lambda *_, **__: make_verification()),
        (edgeemo.bench, "run_benchmark", lambda *_, **__: _measure()),
        (signing, "read_private_key", lambda _: None),
        (signing, "sign_file", lambda path, key: Path(f"{path}.sig")),
        (signature, "verify_file", lambda path, keys: keys[0]),
        (edgeemo.bundle, "make_bundle", lambda *_, **__: bundled),
        (edgeemo.dataset.review, "serve_review", lambda *_, **__: None),
        (system, "read_memory_bytes", lambda: (8_000_000_000, 4_000_000_000)),
        (shutil, "disk_usage", lambda _: usage),
    ):
        monkeypatch.setattr(module, name, value)
    return tmp_path


def _write_spec(folder):
    from edgeemo.model.container import unseal

    (folder / "spec.json").write_text(unseal(folder / "int8.tflite").spec.to_json())
    (folder / "training.json").write_text("{}")


def _measure():
    """A report with long names and long times."""
    return report(
        *(
            result(name, ms, threads=threads, faces=True, sha256=sha256_file(GOLDEN / name))
            for name, ms in (("float32.tflite", 1_280.25), ("int8.tflite", 87.25))
            for threads in (1, 2)
        ),
        result("int8.onnx", 1, status="not run", reason="not installed", measurement=None),
    )


def _find_too_long(text, width):
    """The lines over a width, but for those of one name or number that is not to be broken."""
    return [line for line in text.splitlines() if len(line) > width and " " in line.strip()]


def _split(text):
    """The words of a screen, but for rules and for times, which differ from run to run."""
    return {
        word.rstrip(":")
        for word in text.split()
        if not re.fullmatch(r"-+|\d+\.\d|\d\d\d\d-\d\d-\d\dT.*", word)
    }


@pytest.mark.parametrize("line", LINES)
def test_a_screen_fits_and_breaks_no_name_and_no_number(edgeemo, here, monkeypatch, line):
    piped = edgeemo(*line.split())
    assert piped.status == 0, piped.err
    assert piped.out
    for width in (80, 40):
        monkeypatch.setenv("COLUMNS", str(width))
        shown = edgeemo(*line.split())
        assert shown.status == 0
        assert _find_too_long(shown.out, width) == []
        assert _split(piped.out) - _EMPTY <= _split(shown.out)
    assert "\x1b" not in piped.out + piped.err + shown.out + shown.err


@pytest.mark.parametrize("line", LINES)
def test_quiet_leaves_results_warnings_and_errors(edgeemo, here, line):
    loud, quiet = edgeemo(*line.split()), edgeemo("--quiet", *line.split())
    assert _split(quiet.out) == _split(loud.out)
    kept = ("warning: ", "picked ", "int8.onnx: not run: ")
    assert [each for each in quiet.err.splitlines() if not each.startswith(kept)] == []
    assert quiet.err.count("warning: ") == loud.err.count("warning: ")


@pytest.mark.parametrize("line", LINES)
def test_json_is_all_that_stands_on_standard_output(edgeemo, here, line):
    shown = edgeemo(*line.split(), "--json")
    lines = shown.out.splitlines()
    for text in lines if line.startswith("predict") else [shown.out]:
        assert isinstance(json.loads(text), dict)
    assert len(edgeemo(*line.split(), "--json", "-q").out.splitlines()) == len(lines)
