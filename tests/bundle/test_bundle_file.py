"""The file that is made: what is in it, and that it is the same every time."""

from __future__ import annotations

import hashlib
import json
import marshal
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edgeemo.bundle import make_bundle
from edgeemo.bundle.device.contents import Contents
from edgeemo.bundle.modules import compile_module
from edgeemo.bundle.runtime_modules import list_runtime_modules
from edgeemo.errors import BundleError, EngineError, SpecError
from edgeemo.imaging.decode import sniff
from edgeemo.model.folder import shipped_folder
from edgeemo.model.verified import VERIFY_JSON
from edgeemo.utils.files import sha256_file

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def test_it_says_what_was_made(int8):
    assert int8.sha256 == sha256_file(int8.path)
    assert int8.size_bytes == int8.path.stat().st_size
    assert (int8.model, int8.engine, int8.golden_images) == ("int8.tflite", "ai-edge-litert", 16)
    assert os.access(int8.path, os.X_OK)


def test_the_model_is_inside_untouched_and_every_member_is_listed(int8):
    contents = Contents(str(int8.path))
    assert contents.member("int8.tflite") == (GOLDEN / "int8.tflite").read_bytes()
    with zipfile.ZipFile(int8.path) as archive:
        assert archive.testzip() is None
        sums = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    del sums["manifest.json"]
    assert contents.manifest.members == sums
    contents.check_members()


def test_it_holds_the_light_modules_and_no_other(int8, device):
    """Everything of edgeemo that a device loads is in the file, and no workstation's room is."""
    with zipfile.ZipFile(int8.path) as archive:
        inside = {name for name in archive.namelist() if name.endswith(".py")}
    inside -= {"__main__.py", "start.py"}
    assert inside == set(list_runtime_modules(None))
    rooms = {name.split("/")[1] for name in inside if name.count("/") > 1}
    assert rooms == {"bench", "bundle", "engines", "imaging", "model", "runtime", "utils"}
    assert not {f"edgeemo/bench/{name}.py" for name in ("selection", "compare", "plot")} & inside
    assert {name for name in inside if name.startswith("edgeemo/bundle/")} == {
        "edgeemo/bundle/__init__.py",
        *(name for name in inside if name.startswith("edgeemo/bundle/device/")),
    }
    code = (
        "import runpy, sys\nsys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit: pass\n"
        "for name, module in sys.modules.items():\n"
        "    if name.partition('.')[0] == 'edgeemo': print(module.__file__, file=sys.stderr)\n"
        "print({'zipfile', 'csv', 'typer', 'edgeemo.live'} & set(sys.modules), file=sys.stderr)"
    )
    image = int8.path.parent / "one.jpg"
    image.write_bytes(Contents(str(int8.path)).member("golden/01.jpg"))
    ran = device("-c", code, int8.path, "predict", image)
    *loaded, heavy = ran.err.splitlines()[1:]
    assert len(loaded) > 8
    assert all(path.startswith(f"{int8.path}/edgeemo/") for path in loaded)
    assert heavy == "set()"


def test_the_golden_images_are_of_every_kind(int8):
    contents = Contents(str(int8.path))
    files = [golden.file for golden in contents.manifest.golden]
    formats = [sniff(contents.member(file)) for file in files]
    assert files == sorted(name for name in contents.manifest.members if name.startswith("golden"))
    assert formats.count("JPEG") >= 4
    assert formats.count("PNG") >= 4
    assert sum(len(contents.member(file)) for file in files) < 600_000


def test_enough_answers_are_undecided(int8):
    outputs = [golden.outputs[0] for golden in Contents(str(int8.path)).manifest.golden]
    undecided = [p for p in outputs if 0.2 < p < 0.8]
    assert int8.undecided_images == len(undecided) >= 4


def test_the_same_model_gives_the_same_bytes_in_any_process(int8, tmp_path):
    code = (
        "import os, sys, email, unittest, typer\nos.umask(0o077)\n"
        "from pathlib import Path\nfrom edgeemo.bundle import make_bundle\n"
        "print(make_bundle(Path(sys.argv[1]), Path(sys.argv[2])).sha256)"
    )
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(GOLDEN / "int8.tflite", tmp_path)
    os.utime(tmp_path / "int8.tflite", (0, 0))
    made = subprocess.run(
        [sys.executable, "-c", code, "../int8.tflite", "again.pyz"],
        capture_output=True, text=True, check=True, cwd=tmp_path / "elsewhere",
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "1"},
    )  # fmt: skip
    assert made.stdout.strip() == int8.sha256
    again = tmp_path / "elsewhere" / "again.pyz"
    assert again.read_bytes() == int8.path.read_bytes()


def test_the_verification_travels_without_the_names_of_images(tmp_path, device):
    model = Path(shutil.copy(GOLDEN / "float32.onnx", tmp_path))
    measured = {"n": 40, "flip_count": 1, "flips": [{"path": "happy/anna.jpg"}]}
    entry = {
        "file": model.name, "sha256": sha256_file(model), "passed": True, "measured": measured
    }  # fmt: skip
    (tmp_path / VERIFY_JSON).write_text(json.dumps({"files": [entry]}))
    made = make_bundle(model, tmp_path / "dist" / "v.pyz")
    assert made.verified
    assert made.engine == "onnxruntime"
    assert b"anna" not in made.path.read_bytes()
    info = device(made.path, "info")
    assert "within the gates of its reference model on 40 test images" in info.out
    tested = device(made.path, "selftest")
    assert (tested.status, tested.err) == (0, "")
    assert tested.out.splitlines()[-1].startswith(
        "PASSED: outputs of all 16 images are within 1e-06 of the workstation's "
    )


def test_an_existing_file_gives_way_only_when_asked(int8, tmp_path):
    out = tmp_path / "a.pyz"
    out.write_text("mine")
    with pytest.raises(BundleError, match=r"a\.pyz: exists already.*--force"):
        make_bundle(GOLDEN / "int8.tflite", out)
    assert out.read_text() == "mine"
    assert make_bundle(GOLDEN / "int8.tflite", out, replace=True).sha256 == int8.sha256
    assert [path.name for path in tmp_path.iterdir()] == ["a.pyz"]


def test_a_bundle_that_fails_its_self_test_is_not_written(tmp_path, monkeypatch):
    from edgeemo.bundle import build

    monkeypatch.setattr(build, "pack", lambda members: b"raise SystemExit('error: out of luck')")
    with pytest.raises(BundleError, match=r"a\.pyz: not written.*error: out of luck"):
        make_bundle(GOLDEN / "int8.tflite", tmp_path / "a.pyz")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "x.tflite").write_bytes(b"hello")
    with pytest.raises(SpecError, match=r"x\.tflite"):
        make_bundle(tmp_path / "x.tflite", tmp_path / "a.pyz")
    with pytest.raises(EngineError, match=r"gone\.tflite: cannot be read"):
        make_bundle(tmp_path / "gone.tflite", tmp_path / "a.pyz")
    assert [path.name for path in tmp_path.iterdir()] == ["x.tflite"]


def test_a_manifest_of_another_version_is_refused(copied, tmp_path):
    with zipfile.ZipFile(copied) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    other = tmp_path / "other.pyz"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("manifest.json", json.dumps({**manifest, "version": 99}))
    with pytest.raises(BundleError, match=r"version 99 is not 2\); make it again"):
        Contents(str(other))
    (tmp_path / "text.pyz").write_bytes(b"hello")
    with pytest.raises(BundleError, match=r"text\.pyz: not a bundle"):
        Contents(str(tmp_path / "text.pyz"))


@pytest.mark.parametrize(("name", "tolerance"), [("happy-sad", 1 / 256), ("emotions", 1 / 256)])
def test_an_int8_softmax_may_be_off_by_a_step(name, tolerance, tmp_path):
    made = make_bundle(shipped_folder(name).file("int8.tflite"), tmp_path / "made.pyz")
    assert Contents(str(made.path)).manifest.tolerance == tolerance


@pytest.mark.parametrize(
    ("kind", "rounding", "tolerance"),
    [("float32", 1e-7, 1e-6), ("float32", 2e-6, 8e-6), ("float16", 1e-3, 1e-6)],
)
def test_floats_may_be_off_as_far_as_float32_rounds(kind, rounding, tolerance, tmp_path):
    model = tmp_path / "float32.tflite"
    shutil.copy(GOLDEN / model.name, model)
    entry = {"kind": kind, "passed": True, "measured": {"max_difference": rounding}}
    (tmp_path / "verify.json").write_text(json.dumps({"files": [entry]}))
    made = make_bundle(model, tmp_path / "tiny.pyz")
    assert Contents(str(made.path)).manifest.tolerance == pytest.approx(tolerance)


def test_compiled_code_has_no_docstrings_and_annotations_of_functions():
    lines = [
        '"""A module."""', "from __future__ import annotations", "", "class Point:",
        '    """A point.', "", "    It lies somewhere.", '    """', "", "    x: int", "",
        "    def move(self, by: int = 1) -> int:", '        """Move it."""',
        "        return self.x + by",
    ]  # fmt: skip
    code = compile_module("shapes.py", "\n".join(lines).encode())[16:]
    scope = {"__name__": "shapes"}
    exec(marshal.loads(code), scope)
    point = scope["Point"]
    assert (scope.get("__doc__"), point.__doc__, point.move.__doc__) == (None, "A point.", None)
    assert (point.__annotations__, point.move.__annotations__) == ({"x": "int"}, {})
    assert point.move.__code__.co_firstlineno == 12
    point.x = 2
    assert point().move() == 3
