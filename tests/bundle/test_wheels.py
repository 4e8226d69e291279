"""The folder for devices without internet. Nothing is downloaded here."""

from __future__ import annotations

import ensurepip
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from edgeemo.bundle import BundleOptions, make_wheel_folder, pip, wheels
from edgeemo.bundle.install_script import render_install_script
from edgeemo.errors import BundleError

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
TAG = f"cp{sys.version_info[0]}{sys.version_info[1]}"
PACKAGES = ("numpy", "pillow", "ai-edge-litert")


def _stub_wheel(folder, name, number):
    """A wheel that installs nothing but a way to the packages of the Python that runs this."""
    base = f"{name.replace('-', '_')}-{number}"
    path = folder / f"{base}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.pth", sysconfig.get_path("purelib") + "\n")
        info = f"{base}.dist-info"
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def _pip_wheel() -> Path:
    places = (Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels"))
    found = [path for place in places for path in place.glob("pip-*.whl")]
    if not found:
        pytest.skip("this Python brings no wheel of pip along")
    return found[0]


@pytest.fixture
def asked(monkeypatch, int8):
    """What the folder asks pip for; stubs come. The bundle is the one that is made already."""
    calls = []

    def made_already(model, out, **options):
        return replace(int8, path=Path(shutil.copy(int8.path, out)))

    monkeypatch.setattr(wheels, "make_bundle", made_already)

    def download(requirements, folder, *, tag):
        calls.append((tag, list(requirements)))
        for name in PACKAGES:
            _stub_wheel(folder, name, version(name))
        if tag == TAG:
            shutil.copy(_pip_wheel(), folder)

    monkeypatch.setattr(wheels, "download", download)
    return calls


@pytest.fixture
def fleet(tmp_path, asked):
    return make_wheel_folder(
        GOLDEN / "int8.tflite", tmp_path / "dist" / "fleet", tags=("cp399", TAG)
    )


def test_a_folder_holds_all_that_a_device_needs(fleet, asked, int8):
    assert {path.name for path in fleet.path.iterdir()} == {
        "fleet.pyz", "install.sh", "requirements-cp399.txt", f"requirements-{TAG}.txt", "wheels"
    }  # fmt: skip
    assert fleet.bundle.sha256 == int8.sha256
    assert fleet.bundle.path == fleet.path / "fleet.pyz"
    assert fleet.size_bytes > fleet.bundle.size_bytes
    assert [tag for tag, _ in asked] == ["cp399", TAG]
    pins = asked[0][1]
    assert {f"{name}=={version(name)}" for name in PACKAGES} < set(pins)
    assert f"flatbuffers=={version('flatbuffers')}" in pins
    assert pins[-1] == "pip"
    assert os.access(fleet.path / "install.sh", os.X_OK)


def test_every_wheel_is_pinned_by_its_hash(fleet):
    text = (fleet.path / f"requirements-{TAG}.txt").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    sums = {line.split("==")[0]: line.rpartition("sha256:")[2] for line in lines}
    assert set(sums) == {*PACKAGES, "pip"}
    for wheel in (fleet.path / "wheels").iterdir():
        name = wheel.name.split("-")[0].replace("_", "-")
        assert sums[name] == hashlib.sha256(wheel.read_bytes()).hexdigest()


def _install(folder, target, *, machine=None):
    script = folder / "install.sh"
    if machine:
        script.write_text(render_install_script("fleet.pyz", tags=[TAG], machine=machine))
    return subprocess.run(
        ["sh", script, target], capture_output=True, text=True, check=False, cwd="/",
        env={**os.environ, "PYTHON": sys.executable, "PIP_INDEX_URL": "http://127.0.0.1:9/"},
    )  # fmt: skip


@pytest.mark.slow
def test_the_script_installs_without_internet_and_runs_the_selftest(fleet, tmp_path):
    target = tmp_path / "a folder" / "edgeemo"
    done = _install(fleet.path, target, machine=os.uname().machine)
    assert done.returncode == 0, done.stderr
    assert "PASSED: outputs of all 16 images" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        f"To predict images: {target}/bin/python {target}/fleet.pyz predict IMAGE..."
    )
    shutil.rmtree(target)
    wheel = next((fleet.path / "wheels").glob("numpy*"))
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("evil.py", "")
    done = _install(fleet.path, target, machine=os.uname().machine)
    assert done.returncode != 0
    assert done.stderr.startswith(
        "error: pip cannot install the wheels: THESE PACKAGES DO NOT MATCH"
    )
    assert done.stderr.count("\n") == 1
    assert "PASSED" not in done.stdout
    assert not target.exists()


def _limited(folder, target, *, file_kb, machine):
    """Run the script where no file may grow beyond a size: as a card that is full in the middle."""
    (folder / "install.sh").write_text(
        render_install_script("fleet.pyz", tags=[TAG], machine=machine)
    )
    return subprocess.run(
        ["sh", "-c", f'ulimit -f {2 * file_kb}; exec sh "$0" "$1"', folder / "install.sh", target],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHON": sys.executable},
    )  # fmt: skip


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("file_kb", [0, 30])
def test_a_full_card_is_one_line_and_nothing_is_left(fleet, tmp_path, file_kb):
    """Full at the beginning, and while pip is at work."""
    target = tmp_path / "edgeemo"
    done = _limited(fleet.path, target, file_kb=file_kb, machine=os.uname().machine)
    assert done.returncode != 0
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "File too large" in done.stderr
    assert not target.exists()


def test_a_read_only_card_is_one_line(fleet):
    """/proc takes no folder, not even from root."""
    done = _install(fleet.path, "/proc/edgeemo", machine=os.uname().machine)
    assert done.returncode == 1
    assert done.stderr.startswith("error: mkdir: ")
    assert "/proc/edgeemo" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_what_a_power_cut_left_is_made_anew_and_what_is_finished_is_kept(fleet, tmp_path):
    target = tmp_path / "edgeemo"
    (target / "lib").mkdir(parents=True)
    (target / ".unfinished").touch()
    (target / "lib" / "half").touch()
    assert _install(fleet.path, target, machine=os.uname().machine).returncode == 0
    assert not (target / "lib" / "half").exists()
    assert not (target / ".unfinished").exists()
    (target / "mine").touch()
    (target / "fleet.pyz").write_text("an older one")
    assert _install(fleet.path, target, machine=os.uname().machine).returncode == 0
    assert (target / "mine").exists()
    assert (target / "fleet.pyz").read_bytes() == (fleet.path / "fleet.pyz").read_bytes()
    (fleet.path / "fleet.pyz").write_text("raise SystemExit(3)")
    assert _install(fleet.path, target, machine=os.uname().machine).returncode == 3
    assert (target / "mine").exists()


def test_the_script_refuses_another_machine_and_another_python(fleet, tmp_path):
    done = _install(fleet.path, tmp_path / "x", machine="riscv64")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the wheels are for riscv64 with a 64-bit Python, and ")
    (fleet.path / f"requirements-{TAG}.txt").unlink()
    done = _install(fleet.path, tmp_path / "x", machine=os.uname().machine)
    assert done.returncode == 1
    assert f"make the folder again with --wheels {TAG}" in done.stderr
    assert not (tmp_path / "x").exists()


def test_only_a_folder_of_its_own_is_replaced(fleet, tmp_path, asked):
    again = {"tags": ("cp399",), "options": BundleOptions(golden="drawn")}
    with pytest.raises(BundleError, match=r"fleet: exists already.*or give --force"):
        make_wheel_folder(GOLDEN / "int8.tflite", fleet.path, **again)
    made = make_wheel_folder(GOLDEN / "int8.tflite", fleet.path, replace=True, **again)
    assert not (made.path / f"requirements-{TAG}.txt").exists()
    (tmp_path / "photos").mkdir()
    with pytest.raises(BundleError, match="--force replaces only what --wheels made"):
        make_wheel_folder(GOLDEN / "int8.tflite", tmp_path / "photos", replace=True, **again)


@pytest.mark.parametrize("tag", ["3.11", "cp27", "cp3", "py311", "cp3110", ""])
def test_what_is_no_python_tag_is_refused_before_anything_is_made(tmp_path, asked, tag):
    with pytest.raises(BundleError, match="not a Python tag"):
        make_wheel_folder(GOLDEN / "int8.tflite", tmp_path / "x", tags=("cp311", tag))
    assert list(tmp_path.iterdir()) == []
    assert asked == []


def test_pip_is_asked_for_arm_wheels_of_that_python(monkeypatch, tmp_path):
    commands = []

    def run(command, **options):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    pip.download(["numpy==1"], tmp_path, tag="cp313")
    (command,) = commands
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {
        "--only-binary=:all:", "--python-version=3.13", "--platform=manylinux_2_28_aarch64",
        "--platform=manylinux2014_aarch64", f"--dest={tmp_path}", "numpy==1",
    } <= set(command)  # fmt: skip


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("WARNING: retrying\nERROR: No matching distribution found for numpy==1", "No matching"),
        ("/usr/bin/python: No module named pip", "No module named pip"),
        ("", "no message"),
    ],
)
def test_a_pip_that_fails_is_one_line_and_leaves_nothing(monkeypatch, tmp_path, stderr, said):
    def run(command, **options):
        return subprocess.CompletedProcess(command, 1, "", stderr)

    monkeypatch.setattr(wheels, "make_bundle", _made)
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(BundleError, match="pip cannot download the wheels of cp311") as raised:
        make_wheel_folder(GOLDEN / "int8.tflite", tmp_path / "x", tags=("cp311",))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def _made(model, out, **options):
    from edgeemo.bundle import Bundle

    out.write_bytes(b"")
    return Bundle(
        path=out, sha256="", size_bytes=0, model="", engine="ai-edge-litert", verified=False,
        golden_images=16, undecided_images=4,
    )  # fmt: skip


def test_what_a_package_needs_is_pinned_too_and_what_is_not_here_is_left_to_pip(monkeypatch):
    needs = {
        "a": ["b>=1", "C_c ; python_version < '4'", "d ; extra == 'x'"],
        "b": None,
        "c-c": ["a"],
    }

    def installed(name):
        if name not in needs:
            raise pip.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(pip, "version", installed)
    monkeypatch.setattr(pip, "requires", needs.get)
    assert pip.pin_versions(["A", "gone"]) == ["a==1.0", "b==1.0", "c-c==1.0"]
